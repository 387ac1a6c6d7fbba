package nodegroup

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/groupconfig"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
	"github.com/eksnodes/kubectl-eksnodes/pkg/stack"
)

func TestWarmPoolRequests(t *testing.T) {
	for name, test := range map[string]struct {
		pool WarmPool
		edit func(*Request)
		want string
	}{
		"none":                 {WarmPool{}, nil, ""},
		"one":                  {WarmPool{Size: 1}, nil, ""},
		"up to":                {WarmPool{Max: 6, State: "running"}, nil, ""},
		"absolute":             {WarmPool{Size: 6, Max: 6}, nil, ""},
		"negative":             {WarmPool{Size: -1}, nil, "--warm-pool -1: a pool cannot have fewer"},
		"negative bound":       {WarmPool{Size: 1, Max: -1}, nil, "--warm-pool-max -1"},
		"bound below":          {WarmPool{Size: 3, Max: 2}, nil, "--warm-pool-max 2 is less than --warm-pool 3"},
		"hibernated":           {WarmPool{Size: 1, State: "hibernated"}, nil, "needs an encrypted root volume that the memory fits into"},
		"hibernated, no pool":  {WarmPool{State: "hibernated"}, nil, "needs an encrypted root volume"},
		"another state":        {WarmPool{Size: 1, State: "Stopped"}, nil, `"Stopped": use stopped or running`},
		"state without a pool": {WarmPool{State: "running"}, nil, "--warm-pool-state goes with --warm-pool"},
		"Spot":                 {WarmPool{Size: 1}, func(r *Request) { r.Mixed.Spot = true }, "keeps no Spot instances in warm pools: https://docs.aws.amazon.com/"},
		"several types":        {WarmPool{Max: 1}, func(r *Request) { r.Mixed.Types = []string{"m6i.large"} }, "no warm pool to a group of several instance types: https://docs.aws.amazon.com/"},
	} {
		t.Run(name, func(t *testing.T) {
			req := request(func(r *Request) { r.WarmPool = test.pool })
			if test.edit != nil {
				test.edit(req)
			}
			err := req.Validate()
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

// TestWarmPoolIsAsAskedFor: without a bound it has just the number, whatever
// the group has; AWS's own default fills it up to the group's largest size.
func TestWarmPoolIsAsAskedFor(t *testing.T) {
	for pool, want := range map[WarmPool]struct {
		stack *stack.WarmPool
		words string
	}{
		{}:                                  {nil, "0, stopped"},
		{Size: 2}:                           {&stack.WarmPool{Min: 2, Prepared: 2}, "2, stopped"},
		{Size: 1, Max: 5, State: "running"}: {&stack.WarmPool{Min: 1, Prepared: 5, Running: true}, "at least 1, running, and so many that there are 5 with the group's"},
		{Size: 3, Max: 3, State: "stopped"}: {&stack.WarmPool{Min: 3, Prepared: 3}, "3, stopped"},
		{Max: 4}:                            {&stack.WarmPool{Prepared: 4}, "at least 0, stopped, and so many that there are 4 with the group's"},
	} {
		if diff := cmp.Diff(want.stack, stackPool(request(func(r *Request) { r.WarmPool = pool }))); diff != "" || pool.Words() != want.words {
			t.Errorf("%+v: %q %s", pool, pool.Words(), diff)
		}
	}
}

func TestWarmPoolPlan(t *testing.T) {
	const aside, cut = "not waited for", "Auto Scaling stops a machine of the pool as soon as it runs"
	for name, test := range map[string]struct {
		edit func(*Request)
		want []string
	}{
		"stopped":       {func(*Request) {}, []string{aside}},
		"with commands": {func(r *Request) { r.Boot.Before = []string{"true"} }, []string{aside, cut}},
		"running":       {func(r *Request) { r.Boot.Before, r.WarmPool.State = []string{"true"}, "running" }, []string{aside}},
		"held until they are done": {func(r *Request) {
			r.Boot.Before, r.LifecycleHooks = []string{"true"}, []LifecycleHook{{"a", true, hookTimeout, true}}
		}, []string{"hook a holds", aside}},
		"a hook at the end gives no time": {func(r *Request) {
			r.Boot.Before, r.LifecycleHooks = []string{"true"}, []LifecycleHook{{"a", false, hookTimeout, true}}
		}, []string{aside, cut}},
	} {
		t.Run(name, func(t *testing.T) {
			plan := mustPlan(t, snapshottest.Healthy(), request(func(r *Request) { r.WarmPool.Size = 1; test.edit(r) }))
			if len(plan.Notes) != len(test.want) {
				t.Fatalf("%q, want %q", plan.Notes, test.want)
			}
			for i, want := range test.want {
				if !strings.Contains(plan.Notes[i], want) {
					t.Errorf("%q, want %q", plan.Notes[i], want)
				}
			}
			if !strings.Contains(plan.UserData, "target-lifecycle-state") || !strings.Contains(plan.Stack.TemplateBody, "AWS::AutoScaling::WarmPool") {
				t.Error("user data or template know of no pool")
			}
		})
	}
}

func TestPoolWords(t *testing.T) {
	for want, pool := range map[string]*snapshot.WarmPool{
		"":                       nil,
		"1 stopped (at least 1)": {State: "stopped", Size: 1, Min: 1, Prepared: 1},
		"2 running (at least 0, 6 with the group's), PendingDelete": {State: "running", Size: 2, Prepared: 6, Status: "PendingDelete"},
	} {
		if got := PoolWords(pool); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// pooled gives the healthy group a warm pool, with its first machine in it.
func pooled(s *snapshot.Snapshot) {
	g, n := &s.Groups[0], &s.Nodes[0]
	g.WarmPool = &snapshot.WarmPool{State: "stopped", Size: 1, Min: 1, Prepared: 1}
	g.InstanceIDs, g.Members = g.InstanceIDs[1:], g.Members[1:]
	n.Warm, n.Kube, n.Cloud.State = true, nil, "stopped"
}

func TestAWarmPoolIsDescribed(t *testing.T) {
	d, err := Describe(snapshottest.Healthy(pooled), snapshottest.Group, nil, "x")
	if err != nil {
		t.Fatal(err)
	}
	if d.WarmPool == nil || d.WarmPool.Size != 1 || d.Ready != 1 {
		t.Errorf("pool %+v, %d Ready", d.WarmPool, d.Ready)
	}
	for _, node := range d.Nodes {
		if node.InstanceID == "i-0000000000000000a" && (node.Status != "warm, stopped" || node.Reason != "") {
			t.Errorf("%+v", node)
		}
	}
}

func TestReadBackWarmPool(t *testing.T) {
	six, two, nine := 6, 2, 9
	for name, test := range map[string]struct {
		pool      *snapshot.WarmPool
		size, max *int
	}{
		"none":                           {nil, nil, nil},
		"just so many":                   {&snapshot.WarmPool{State: "stopped", Min: 2, Prepared: 2}, &two, nil},
		"up to":                          {&snapshot.WarmPool{State: "stopped", Min: 2, Prepared: 6}, &two, &six},
		"up to the group's largest size": {&snapshot.WarmPool{State: "stopped"}, nil, &nine},
	} {
		spec := groupconfig.Spec{Max: &nine}
		readWarmPool(test.pool, &spec)
		if diff := cmp.Diff(groupconfig.Spec{Max: &nine, WarmPool: test.size, WarmPoolMax: test.max, WarmPoolState: spec.WarmPoolState}, spec); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if (spec.WarmPoolState == "stopped") != (test.pool != nil) {
			t.Errorf("%s: state %q", name, spec.WarmPoolState)
		}
	}
}
