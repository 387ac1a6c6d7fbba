package nodegroup

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

func TestLifecycleHooks(t *testing.T) {
	for spec, want := range map[string]string{
		"drain=terminating":                             "",
		"drain=terminating,timeout=5m,default=continue": "",
		"a/b_c-1=launching,default=abandon,timeout=2h":  "",
		"drain":                                                 "use NAME=launching",
		"drain=":                                                "use NAME=launching",
		"drain=ending":                                          "use NAME=launching",
		"drain=terminating,":                                    "use NAME=launching",
		"drain=terminating,,timeout=5m":                         "use NAME=launching",
		"drain=terminating,wait=5m":                             "use NAME=launching",
		"drain=terminating,default=CONTINUE":                    "use NAME=launching",
		"drain=terminating,timeout=5":                           `timeout "5": give a time like`,
		"drain=terminating,timeout":                             `timeout "": give a time like`,
		"drain=terminating,timeout=5m,timeout=6m":               "timeout is given twice",
		"drain=terminating,timeout=29s":                         "from 30s to 2h",
		"drain=terminating,timeout=2h1s":                        "from 30s to 2h",
		"drain=terminating,timeout=30500ms":                     "whole seconds",
		"=terminating":                                          `name "": use letters`,
		"dr ain=terminating":                                    `name "dr ain": use letters`,
		"drain=terminating drain=launching":                     "drain is given twice",
		strings.Repeat("x", 256) + "=terminating,timeout=5m":    "use letters",
		"drain=terminating,timeout=5m,default=continue,timeout": "timeout is given twice",
	} {
		specs := strings.Split(spec, " drain=l")
		if len(specs) > 1 {
			specs[1] = "drain=l" + specs[1]
		}
		hooks, err := ParseHooks(specs)
		if err == nil {
			err = request(func(r *Request) { r.LifecycleHooks = hooks }).Validate()
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", spec, err, want)
		}
	}
	got, err := ParseHooks([]string{"a=launching", "b=terminating,timeout=90s,default=continue"})
	want := []LifecycleHook{{"a", true, time.Hour, false}, {"b", false, 90 * time.Second, true}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
}

// TestALaunchingHookIsToldBefore: it holds up what add waits for.
func TestALaunchingHookIsToldBefore(t *testing.T) {
	hooks := []LifecycleHook{{"warm", true, 5 * time.Minute, true}, {"cold", true, time.Hour, false}, {"drain", false, time.Minute, true}}
	plan := mustPlan(t, snapshottest.Healthy(), request(func(r *Request) { r.LifecycleHooks = hooks }))
	want := []string{
		"hook warm holds every new machine until somebody completes it; after 5m Auto Scaling lets it into service; the stack is done when min 1 of them are in service",
		"hook cold holds every new machine until somebody completes it; after 1h Auto Scaling ends the machine; the stack is done when min 1 of them are in service",
	}
	if diff := cmp.Diff(want, plan.Notes); diff != "" {
		t.Error(diff)
	}
	zero := 0
	plan = mustPlan(t, snapshottest.Healthy(), request(func(r *Request) { r.LifecycleHooks, r.Size.Min = hooks[:1], &zero }))
	if strings.Contains(plan.Notes[0], "stack") {
		t.Errorf("with min 0 the stack waits for nobody: %s", plan.Notes)
	}
}

// TestHeldMachinesAreToldOf: a machine that a launching hook holds counts as
// soon as its node is Ready, and it is said that it is held.
func TestHeldMachinesAreToldOf(t *testing.T) {
	running := snapshot.Instance{State: "running"}
	node := snapshot.KubeNode{Name: "a", ProviderID: "aws:///us-west-2a/i-a", Conditions: []snapshot.Condition{{Type: "Ready", Status: "True"}}}
	members := observe([]string{"i-a", "i-b"}, map[string]snapshot.Instance{"i-a": running, "i-b": running}, []snapshot.KubeNode{node})
	markHeld(members, []snapshot.Member{{InstanceID: "i-a", Lifecycle: "Pending:Wait"}, {InstanceID: "i-b", Lifecycle: "Pending:Wait"}})
	if got, want := tally(members, 2), "1 of 2 Ready, 1 running, 2 held by a lifecycle hook"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if ready(members) != 1 || members[0].Reason != "a lifecycle hook holds it in Pending:Wait" {
		t.Errorf("%+v", members[0])
	}
	if want := "no Node object has its providerID yet; a lifecycle hook holds it in Pending:Wait"; members[1].Reason != want {
		t.Errorf("%q, want %q", members[1].Reason, want)
	}
	markHeld(members, []snapshot.Member{{InstanceID: "i-a", Lifecycle: "InService"}})
	if members[0].Held {
		t.Error("one in service counts as held")
	}
}

// held is a group whose only member a hook holds.
type held struct{ Groups }

func (held) Group(context.Context, string) (*snapshot.Group, error) {
	return &snapshot.Group{InstanceIDs: []string{"i-a"}, Members: []snapshot.Member{{InstanceID: "i-a", Lifecycle: "Terminating:Wait"}}}, nil
}

// TestATerminatingHookIsNamed: why a machine that was drained does not end.
func TestATerminatingHookIsNamed(t *testing.T) {
	var told notes
	leaving := leaving{groups: held{}, progress: &told, poll: time.Millisecond, timeout: 20 * time.Millisecond}
	err := leaving.await(t.Context(), "asg", []Victim{{InstanceID: "i-a"}})
	if err == nil || !strings.Contains(err.Error(), "has not ended all that was drained: a lifecycle hook holds 1 in Terminating:Wait; the same command goes on") {
		t.Error(err)
	}
}
