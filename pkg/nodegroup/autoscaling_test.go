package nodegroup

import (
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

// TestAutoScalingIsAnotherGroup: what no parameter shows is told apart by the
// digest.
func TestAutoScalingIsAnotherGroup(t *testing.T) {
	plain := mustPlan(t, snapshottest.Healthy(), request())
	for name, edit := range map[string]func(*Request){
		"metrics": func(r *Request) { r.GroupMetrics = true },
		"pool":    func(r *Request) { r.WarmPool.Size = 1 },
		"hooks":   func(r *Request) { r.LifecycleHooks = []LifecycleHook{{Name: "a", Timeout: hookTimeout}} },
	} {
		if plan := mustPlan(t, snapshottest.Healthy(withStack(plain, "CREATE_COMPLETE")), request(edit)); len(plan.Differences) != 1 {
			t.Errorf("%s: differences %v", name, plan.Differences)
		}
	}
}
