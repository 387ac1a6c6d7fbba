package nodegroup

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

// aged are versions of a launch template, of these images in turn.
func aged(images ...string) []snapshot.TemplateVersion {
	var versions []snapshot.TemplateVersion
	for i, image := range images {
		versions = append(versions, snapshot.TemplateVersion{Number: i + 1, Digest: image, Launch: snapshot.Launch{
			ImageID: image, InstanceTypes: []string{"m5.large"}, VolumeSizeGiB: 80, VolumeType: "gp3",
		}})
	}
	return versions
}

// upgradable is a group whose machines i-0, i-1 and so on were started from
// the versions, the last of which is the group's.
func upgradable(versions []snapshot.TemplateVersion, of ...int) *snapshot.Snapshot {
	machines := make([]machine, len(of))
	for i := range machines {
		machines[i] = machine{zone: "a", age: len(of) - i}
	}
	s := grown(machines...)
	group, now := &s.Groups[0], versions[len(versions)-1]
	group.Launch = now.Launch
	group.Launch.TemplateID, group.Launch.TemplateVersion = "lt-1", strconv.Itoa(now.Number)
	for i := range of {
		group.Members[i].Template = of[i]
	}
	maps.Copy(s.Stacks[0].Parameters, settingsOf(&now.Launch))
	group.Max = len(of)
	s.Stacks[0].Parameters[paramMax] = strconv.Itoa(len(of))
	return s
}

// updated is the end of a stack update with the token.
func updated(token, status string) StackEvent {
	return StackEvent{Resource: "s", ResourceType: stackResourceType, PhysicalID: "arn:aws:cloudformation:x:1:stack/s/1", Status: status, Token: token}
}

func TestUpgradePlan(t *testing.T) {
	mark := func(s *snapshot.Snapshot) {
		s.Groups[0].Tags = map[string]string{TagUpgrade: "desired=2 max=2 rebalance=true"}
		s.Groups[0].Desired, s.Groups[0].Max = 3, 3
	}
	for name, test := range map[string]struct {
		images  []string
		of      []int
		change  func(*snapshot.Snapshot)
		req     UpgradeRequest
		history []StackEvent
		changes string
		replace string
		size    Bounds
		nothing bool
	}{
		"nothing to do":               {images: []string{"a"}, of: []int{1, 1}, req: UpgradeRequest{ImageID: "a"}, size: Bounds{0, 2, 2}, nothing: true},
		"another image":               {images: []string{"a"}, of: []int{1, 1}, req: UpgradeRequest{ImageID: "b"}, changes: "image a b", replace: "i-0 i-1", size: Bounds{0, 2, 2}},
		"type and volume":             {images: []string{"a"}, of: []int{1}, req: UpgradeRequest{InstanceType: "m6i.large", VolumeSize: 100, VolumeType: "gp3"}, changes: "type m5.large m6i.large, volume GiB 80 100", replace: "i-0", size: Bounds{0, 1, 1}},
		"the stack is changed":        {images: []string{"a", "b"}, of: []int{1, 2, 1}, change: mark, req: UpgradeRequest{ImageID: "b"}, replace: "i-0 i-2", size: Bounds{0, 2, 2}},
		"only the mark is left":       {images: []string{"a", "b"}, of: []int{2, 2}, change: mark, size: Bounds{0, 2, 2}},
		"back to an older version":    {images: []string{"a", "b"}, of: []int{1, 2, 1}, req: UpgradeRequest{ImageID: "a"}, changes: "image b a", replace: "i-1", size: Bounds{0, 3, 3}},
		"alike, by another number":    {images: []string{"a", "b", "a"}, of: []int{1, 3}, req: UpgradeRequest{ImageID: "a"}, size: Bounds{0, 2, 2}, nothing: true},
		"of no version":               {images: []string{"a"}, of: []int{0, 1}, size: Bounds{0, 2, 2}, replace: "i-0"},
		"rollback":                    {images: []string{"a", "b"}, of: []int{1, 2}, req: UpgradeRequest{Rollback: true}, history: []StackEvent{updated("upgrade-1", "UPDATE_COMPLETE")}, changes: "image b a", replace: "i-1", size: Bounds{0, 2, 2}},
		"rollback gone on with":       {images: []string{"a", "b", "a"}, of: []int{1, 2}, req: UpgradeRequest{Rollback: true}, history: []StackEvent{updated("upgrade-1", "UPDATE_COMPLETE"), updated("rollback-1", "UPDATE_COMPLETE"), updated("scale-1", "UPDATE_COMPLETE")}, replace: "i-1", size: Bounds{0, 2, 2}},
		"rollback after a third":      {images: []string{"a", "b", "a"}, of: []int{3, 3}, req: UpgradeRequest{Rollback: true}, history: []StackEvent{updated("upgrade-1", "UPDATE_COMPLETE"), updated("upgrade-2", "UPDATE_COMPLETE")}, changes: "image a b", replace: "i-0 i-1", size: Bounds{0, 2, 2}},
		"rollback that failed":        {images: []string{"a", "b"}, of: []int{2}, req: UpgradeRequest{Rollback: true}, history: []StackEvent{updated("upgrade-1", "UPDATE_COMPLETE"), updated("rollback-1", "UPDATE_ROLLBACK_COMPLETE")}, changes: "image b a", replace: "i-0", size: Bounds{0, 1, 1}},
		"over a version that is like": {images: []string{"a", "b", "b"}, of: []int{3}, req: UpgradeRequest{Rollback: true}, changes: "image b a", replace: "i-0", size: Bounds{0, 1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			versions := aged(test.images...)
			s := upgradable(versions, test.of...)
			if test.change != nil {
				test.change(s)
			}
			test.req.Name, test.req.Pace = snapshottest.Group, Pace{Surge: 1}
			plan, err := MakeUpgradePlan(s, versions, test.history, test.req)
			if err != nil {
				t.Fatal(err)
			}
			var changes, replace []string
			for _, change := range plan.Changes {
				changes = append(changes, change.Setting+" "+change.Have+" "+change.Want)
			}
			for _, victim := range plan.Replace {
				replace = append(replace, victim.InstanceID)
			}
			if got := strings.Join(changes, ", "); got != test.changes {
				t.Errorf("changes %q, want %q", got, test.changes)
			}
			if got := strings.Join(replace, " "); got != test.replace {
				t.Errorf("replaces %q, want %q", got, test.replace)
			}
			if plan.Size != test.size || plan.Nothing() != test.nothing || plan.Keep+len(plan.Replace) != len(test.of) {
				t.Errorf("size %v, nothing %t, keeps %d", plan.Size, plan.Nothing(), plan.Keep)
			}
			prefix := map[bool]string{true: tokenRollback, false: tokenUpgrade}[test.req.Rollback]
			if !strings.HasPrefix(plan.Token, prefix) {
				t.Errorf("token %s", plan.Token)
			}
		})
	}
}

func TestUpgradeRefused(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*snapshot.Snapshot)
		req    UpgradeRequest
		pace   Pace
		want   string
	}{
		"no pace":            {want: "let nothing be replaced"},
		"a pace below zero":  {pace: Pace{Surge: -1, Unavailable: 2}, want: "cannot be less than 0"},
		"nothing before":     {pace: Pace{Surge: 1}, req: UpgradeRequest{Rollback: true}, want: "nothing to go back to"},
		"no such parameter":  {pace: Pace{Surge: 1}, req: UpgradeRequest{VolumeType: "io2"}, change: func(s *snapshot.Snapshot) { delete(s.Stacks[0].Parameters, paramVolumeType) }, want: "no parameter NodeVolumeType"},
		"a stack that fails": {pace: Pace{Surge: 1}, change: func(s *snapshot.Snapshot) { s.Stacks[0].Status = "UPDATE_ROLLBACK_FAILED" }, want: "cannot be updated"},
		"of another tool":    {pace: Pace{Surge: 1}, change: func(s *snapshot.Snapshot) { s.Stacks = nil }, want: "upgrade it with what made it"},
		"version unread":     {pace: Pace{Surge: 1}, change: func(s *snapshot.Snapshot) { s.Groups[0].Launch.TemplateVersion = "9" }, want: "version 9 of launch template lt-1 was not read"},
		"somebody's mark":    {pace: Pace{Surge: 1}, change: func(s *snapshot.Snapshot) { s.Groups[0].Tags = map[string]string{TagUpgrade: "x"} }, want: "no upgrade has written"},
	} {
		versions := aged("a")
		s := upgradable(versions, 1, 1)
		if test.change != nil {
			test.change(s)
		}
		test.req.Name, test.req.Pace = snapshottest.Group, test.pace
		if _, err := MakeUpgradePlan(s, versions, nil, test.req); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestNextBatch(t *testing.T) {
	victims := func(whys ...string) []Victim {
		out := make([]Victim, 0, len(whys))
		for i, why := range whys {
			out = append(out, Victim{InstanceID: fmt.Sprint(i), Why: why})
		}
		return out
	}
	const serves = "started from version 1"
	for name, test := range map[string]struct {
		old   []Victim
		pace  Pace
		batch int
		surge int
	}{
		"one before one":              {victims(serves, serves), Pace{Surge: 1}, 1, 1},
		"no more than there are":      {victims(serves), Pace{Surge: 3}, 1, 1},
		"some before as many":         {victims(serves, serves, serves), Pace{Unavailable: 2}, 2, 0},
		"both":                        {victims(serves, serves, serves), Pace{Surge: 1, Unavailable: 1}, 2, 1},
		"without a node, all at once": {victims(whyNoNode, whyNoNode, whyCordoned), Pace{Surge: 1}, 2, 0},
		"not Ready may serve":         {victims(whyNotReady, serves), Pace{Surge: 1}, 1, 1},
	} {
		batch, surge := nextBatch(test.old, test.pace)
		if len(batch) != test.batch || surge != test.surge || batch[0].InstanceID != "0" {
			t.Errorf("%s: %v and %d", name, batch, surge)
		}
	}
}

// TestWhoIsReplacedFirst: what serves nobody, then what an earlier run has
// left, then by zone and age.
func TestWhoIsReplacedFirst(t *testing.T) {
	versions := aged("a", "b")
	s := grown(machine{zone: "a", age: 1}, machine{zone: "b", age: 9}, machine{zone: "b", age: 3}, machine{zone: "a", state: "cordoned"}, machine{zone: "a", state: "absent"}, machine{zone: "b", state: "terminating"})
	for i := range s.Groups[0].Members {
		s.Groups[0].Members[i].Template = 1
	}
	right := func(v *snapshot.TemplateVersion) bool { return v.Number == 2 }
	known := func(m snapshot.Member) candidate { one, _ := candidateIn(s, m); return one }
	var got []string
	for _, victim := range outdated(&s.Groups[0], versions, right, known) {
		got = append(got, victim.InstanceID+" "+victim.Why)
	}
	want := []string{"i-4 it has no Node object", "i-3 it is cordoned", "i-1 started from version 1", "i-2 started from version 1", "i-0 started from version 1"}
	if strings.Join(got, "; ") != strings.Join(want, "; ") {
		t.Errorf("order\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestMark(t *testing.T) {
	mark := upgradeMark{set: true, desired: 3, max: 4, rebalanced: true}
	group := &snapshot.Group{Min: 1, Desired: 5, Max: 5, Tags: map[string]string{TagUpgrade: mark.String()}}
	got, err := markOf(group)
	if err != nil || got != mark || got.size(group) != (Bounds{1, 3, 4}) {
		t.Errorf("%+v, error %v, size %v", got, err, got.size(group))
	}
	group.Tags = nil
	if got, err := markOf(group); err != nil || got.set || got.size(group) != (Bounds{1, 5, 5}) {
		t.Errorf("%+v, error %v", got, err)
	}
}

func TestVersionsToRead(t *testing.T) {
	group := &snapshot.Group{Launch: snapshot.Launch{TemplateID: "lt-1", TemplateVersion: "40"}, Members: []snapshot.Member{{Template: 0}, {Template: 7}, {Template: 40}}}
	if oldest, newest, err := VersionsToRead(group); err != nil || oldest != 7 || newest != 40 {
		t.Errorf("%d to %d, error %v", oldest, newest, err)
	}
	group.Members = nil
	if oldest, _, err := VersionsToRead(group); err != nil || oldest != 40-historyDepth {
		t.Errorf("from %d, error %v", oldest, err)
	}
	group.Launch.TemplateVersion = "$Latest"
	if _, _, err := VersionsToRead(group); err == nil {
		t.Error("a version without a number was read")
	}
}
