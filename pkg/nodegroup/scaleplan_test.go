package nodegroup

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

// machine is one of a group that is to be scaled.
type machine struct {
	zone      string
	age       int    // hours
	state     string // "", cordoned, notready, absent, terminating
	protected bool
	ours      bool // marked by an earlier scaling
}

// grown is a group of the machines, named i-0, i-1 and so on.
func grown(machines ...machine) *snapshot.Snapshot {
	s := snapshottest.Healthy()
	group := &s.Groups[0]
	name, err := StackName(snapshottest.Cluster, snapshottest.Group)
	if err != nil {
		panic(err)
	}
	group.Min, group.Desired, group.Max = 0, len(machines), 10
	s.Stacks = []snapshot.Stack{{Name: name, ID: "arn:stack", Status: "CREATE_COMPLETE", Parameters: map[string]string{
		paramMin: "0", paramDesired: fmt.Sprint(len(machines)), paramMax: "10", "NodeImageId": "ami-1", "Other": "x",
	}}}
	group.InstanceIDs, group.Members, s.Nodes = nil, nil, nil
	for i, m := range machines {
		id := fmt.Sprintf("i-%d", i)
		member := snapshot.Member{InstanceID: id, Lifecycle: "InService", Protected: m.protected}
		node := snapshot.Node{InstanceID: id, Group: group.Name, Cloud: &snapshot.Instance{
			State: "running", Zone: m.zone, LaunchedAt: snapshottest.Now().Add(-time.Duration(m.age) * time.Hour), Tags: map[string]string{},
		}}
		if m.ours {
			node.Cloud.Tags[TagProtected] = "true"
		}
		status := "True"
		if m.state == "notready" {
			status = "False"
		}
		if m.state != "absent" {
			node.Kube = &snapshot.KubeNode{Name: "node-" + id, Unschedulable: m.state == "cordoned", Conditions: []snapshot.Condition{{Type: "Ready", Status: status}}}
		}
		if m.state == "terminating" {
			member.Lifecycle = "Terminating:Wait"
		}
		group.InstanceIDs = append(group.InstanceIDs, id)
		group.Members = append(group.Members, member)
		s.Nodes = append(s.Nodes, node)
	}
	return s
}

func desired(n int) Size { return Size{Desired: &n} }

func TestWhoGoes(t *testing.T) {
	for name, test := range map[string]struct {
		machines []machine
		desired  int
		want     string
		protect  string
	}{
		"the oldest of the fullest zone":          {[]machine{{zone: "a", age: 9}, {zone: "b", age: 1}, {zone: "b", age: 2}}, 2, "i-2", "i-0 i-1"},
		"balanced as it goes":                     {[]machine{{zone: "a", age: 1}, {zone: "a", age: 2}, {zone: "b", age: 3}, {zone: "b", age: 4}}, 2, "i-3 i-1", "i-0 i-2"},
		"cordoned before healthy":                 {[]machine{{zone: "a", age: 9}, {zone: "a", age: 8}, {zone: "b", state: "cordoned"}}, 2, "i-2", "i-0 i-1"},
		"not Ready before healthy":                {[]machine{{zone: "a", age: 9}, {zone: "b", state: "notready"}}, 1, "i-1", "i-0"},
		"not joined before healthy":               {[]machine{{zone: "a", age: 9}, {zone: "b", state: "absent"}}, 1, "i-1", "i-0"},
		"what is ending already counts":           {[]machine{{zone: "a"}, {zone: "a", state: "terminating"}}, 1, "", ""},
		"not what somebody protects":              {[]machine{{zone: "a", age: 9, protected: true}, {zone: "a", age: 1}}, 1, "i-1", ""},
		"what an earlier scaling protects may go": {[]machine{{zone: "a", age: 9, protected: true, ours: true}, {zone: "a", age: 1}}, 1, "i-0", "i-1"},
		"all of them":                             {[]machine{{zone: "a", age: 2}, {zone: "b", age: 1}}, 0, "i-0 i-1", ""},
	} {
		plan, err := MakeScalePlan(grown(test.machines...), snapshottest.Group, desired(test.desired))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var ids []string
		for _, victim := range plan.Remove {
			ids = append(ids, victim.InstanceID)
			if victim.Why == "" {
				t.Errorf("%s: nothing says why %s goes", name, victim.InstanceID)
			}
		}
		if got := strings.Join(ids, " "); got != test.want || strings.Join(plan.Protect, " ") != test.protect {
			t.Errorf("%s: %q goes and %q is protected, want %q and %q", name, got, plan.Protect, test.want, test.protect)
		}
	}
}

func TestScaleRefuses(t *testing.T) {
	two := []machine{{zone: "a"}, {zone: "b"}}
	for name, test := range map[string]struct {
		edit func(*snapshot.Snapshot)
		size Size
		want string
	}{
		"too many protected": {func(s *snapshot.Snapshot) {
			s.Groups[0].Members[0].Protected, s.Groups[0].Members[1].Protected = true, true
		}, desired(1), "are protected from scale-in"},
		"more than max":           {func(*snapshot.Snapshot) {}, desired(11), "add --max 11"},
		"another tool's":          {func(s *snapshot.Snapshot) { s.Stacks = nil }, desired(1), "scale it with what made it"},
		"a stack that failed":     {func(s *snapshot.Snapshot) { s.Stacks[0].Status = "ROLLBACK_COMPLETE" }, desired(1), "cannot be updated"},
		"a template without size": {func(s *snapshot.Snapshot) { delete(s.Stacks[0].Parameters, paramMax) }, desired(1), "has no parameter " + paramMax},
		"an image looked up anew": {func(s *snapshot.Snapshot) {
			s.Stacks[0].Parameters["NodeImageIdSSMParam"], s.Stacks[0].Parameters["NodeImageId"] = "/aws/x", ""
		}, desired(1), "could replace every node"},
		"no such group": {func(s *snapshot.Snapshot) { s.Groups = nil }, desired(1), "has no node group"},
	} {
		s := grown(two...)
		test.edit(s)
		if _, err := MakeScalePlan(s, snapshottest.Group, test.size); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

// TestOnlyBoundsAreChanged: what is not asked for is what the Auto Scaling
// group has, not what its stack says.
func TestOnlyBoundsAreChanged(t *testing.T) {
	s := grown(machine{zone: "a"}, machine{zone: "b"}, machine{zone: "c"})
	s.Stacks[0].Parameters[paramDesired] = "1" // an autoscaler has grown the group since
	most := 20
	plan, err := MakeScalePlan(s, snapshottest.Group, Size{Max: &most})
	if err != nil || plan.To != (Bounds{0, 3, 20}) || len(plan.Remove) != 0 || len(plan.Notes) != 1 {
		t.Fatalf("%+v, %v", plan, err)
	}
	update := newUpdate(&plan.Stack, sizeParameters(plan.To), plan.ServiceRole, plan.Token)
	if update.Parameters[paramDesired] != "3" || !slices.Equal(update.Keep, []string{"NodeImageId", "Other"}) {
		t.Errorf("update %+v", update)
	}
}

// TestChoiceHolds holds for any group: as many go as must, none twice, none
// that somebody protects, and what has no reason to go first leaves the zones
// no more uneven than they were. Cordoned, the chosen ones are chosen again.
func TestChoiceHolds(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		machines := make([]machine, 1+random.IntN(10))
		for i := range machines {
			machines[i] = machine{zone: string(rune('a' + random.IntN(3))), age: random.IntN(5), protected: random.IntN(6) == 0}
		}
		free := 0
		for _, m := range machines {
			if !m.protected {
				free++
			}
		}
		n := random.IntN(free + 1)
		plan, err := MakeScalePlan(grown(machines...), snapshottest.Group, desired(len(machines)-n))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, victim := range plan.Remove {
			var i int
			if _, err := fmt.Sscanf(victim.InstanceID, "i-%d", &i); err != nil {
				t.Fatal(err)
			}
			if seen[victim.InstanceID] || machines[i].protected {
				t.Fatalf("%s: twice, or protected: %+v", victim.InstanceID, machines)
			}
			seen[victim.InstanceID] = true
			machines[i].state = "cordoned"
		}
		if len(seen) != n {
			t.Fatalf("%d go, want %d", len(seen), n)
		}
		again, err := MakeScalePlan(grown(machines...), snapshottest.Group, desired(len(machines)-n))
		if err != nil {
			t.Fatal(err)
		}
		for _, victim := range again.Remove {
			if !seen[victim.InstanceID] {
				t.Fatalf("after an interruption %s goes, which was not chosen before", victim.InstanceID)
			}
		}
	}
}
