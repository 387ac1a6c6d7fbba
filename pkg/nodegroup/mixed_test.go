package nodegroup

import (
	"slices"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

func TestMixedRequests(t *testing.T) {
	for want, edit := range map[string]func(*Request){
		"":                           func(r *Request) { r.Mixed = Mixed{Types: []string{"m6i.large"}, Spot: true, OnDemandBase: 1} },
		"m7i.large is given twice":   func(r *Request) { r.Mixed.Types = []string{snapshottest.Type} },
		"name a type":                func(r *Request) { r.InstanceType = "" },
		"cannot have fewer":          func(r *Request) { r.Mixed = Mixed{Spot: true, OnDemandBase: -1} },
		"--on-demand-base goes with": func(r *Request) { r.Mixed.OnDemandBase = 1 },
	} {
		err := request(edit).Validate()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestMixedIsAnotherGroup: what no parameter shows is told apart by the
// digest, and the checks see all types.
func TestMixedIsAnotherGroup(t *testing.T) {
	plain := mustPlan(t, snapshottest.Healthy(), request())
	mixed := mustPlan(t, snapshottest.Healthy(withStack(plain, "CREATE_COMPLETE")), request(func(r *Request) { r.Mixed.Types = []string{"m6i.large"} }))
	if len(mixed.Differences) != 1 {
		t.Errorf("differences %v", mixed.Differences)
	}
	if !slices.Equal(mixed.Proposed.Launch.InstanceTypes, []string{snapshottest.Type, "m6i.large"}) {
		t.Errorf("the checks see %v", mixed.Proposed.Launch.InstanceTypes)
	}
}
