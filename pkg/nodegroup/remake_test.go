package nodegroup

import (
	"context"
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/groupconfig"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

// labelled is a request for nodes of a team, with the config that says so.
func labelled(team string, edits ...func(*Request)) *Request {
	config := groupconfig.New(snapshottest.Group)
	config.Spec.Labels = map[string]string{"team": team}
	req := request(func(r *Request) {
		r.Name, r.Kubelet.Labels, r.Config = snapshottest.Group, config.Spec.Labels, config
	})
	for _, edit := range edits {
		edit(req)
	}
	return req
}

// launchOf is what machines of a plan are started from.
func launchOf(plan *Plan) snapshot.Launch {
	launch := plan.Proposed.Launch
	launch.UserData = plan.UserData
	return launch
}

// madeBy is the snapshot of a group that was made by the plan, two machines
// of which were started from each version; the plan's is the last of them.
func madeBy(plan *Plan, versions ...snapshot.TemplateVersion) *snapshot.Snapshot {
	var of []int
	for _, version := range versions {
		of = append(of, version.Number)
	}
	s := upgradable(versions, of...)
	s.Stacks[0].Parameters = maps.Clone(plan.Stack.Parameters)
	s.Stacks[0].Tags = plan.Stack.Tags
	for i := range s.Nodes {
		s.Nodes[i].Cloud.Zone = plan.Subnets[0].Zone
	}
	return s
}

// version is a version of the launch template, like others of the digest.
func version(number int, digest string, launch snapshot.Launch) snapshot.TemplateVersion {
	return snapshot.TemplateVersion{Number: number, Digest: digest, Rest: digest, Launch: launch}
}

func mustRemake(t *testing.T, s *snapshot.Snapshot, req, have *Request, body string) *Remade {
	t.Helper()
	req.ImageID = s.Groups[0].Launch.ImageID
	remade, err := Remake(s, req, KeptSettings{Now: have.Config}, body, "v1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	return remade
}

// TestUpgradeToOtherLabels: what no parameter sets changes with the template,
// and every machine goes; asked for again, nothing changes.
func TestUpgradeToOtherLabels(t *testing.T) {
	first := mustPlan(t, snapshottest.Healthy(), labelled("a"))
	versions := []snapshot.TemplateVersion{version(1, "a", launchOf(first))}
	s := madeBy(first, versions...)
	ask := func() *UpgradePlan {
		remade := mustRemake(t, s, labelled("b"), labelled("a"), first.Stack.TemplateBody)
		plan, err := MakeUpgradePlan(s, versions, nil, UpgradeRequest{Name: snapshottest.Group, Pace: Pace{Surge: 1}, Remade: remade})
		if err != nil {
			t.Fatal(err)
		}
		return plan
	}
	plan := ask()
	if diff := cmp.Diff([]Difference{{Setting: "labels", Have: "team=a", Want: "team=b"}}, plan.Changes); diff != "" {
		t.Error(diff)
	}
	if len(plan.Replace) != 1 || plan.Keep != 0 || !strings.Contains(plan.Proposed.Launch.UserData, "team=b") {
		t.Errorf("replaces %v and keeps %d, of user data\n%s", plan.Replace, plan.Keep, plan.Proposed.Launch.UserData)
	}
	if _, sized := plan.parameters[paramDesired]; sized {
		t.Error("the size changes with the template")
	}
	kept, err := ReadKeptSettings(metadataOf(t, plan.remade.Plan.Stack.TemplateBody), &s.Stacks[0], &s.Groups[0])
	if err != nil || kept.Now == nil || kept.Before == nil || kept.Now.Spec.Labels["team"] != "b" || kept.Before.Spec.Labels["team"] != "a" {
		t.Errorf("the template keeps %+v, error %v", kept, err)
	}

	// The stack is as it should be, a machine is not yet.
	second := plan.remade.Plan
	versions = append(versions, version(2, "b", launchOf(second)))
	first = second
	s = madeBy(second, versions...)
	again := ask()
	if len(again.Changes) > 0 || len(again.Replace) != 1 || again.Replace[0].InstanceID != "i-0" || again.Keep != 1 {
		t.Errorf("again it changes %v and replaces %v", again.Changes, again.Replace)
	}
}

// TestUpgradeBack: a rollback makes the template of before anew, and keeps the
// machines that were started from it.
func TestUpgradeBack(t *testing.T) {
	first := mustPlan(t, snapshottest.Healthy(), labelled("a"))
	second := mustPlan(t, snapshottest.Healthy(), labelled("b"))
	versions := []snapshot.TemplateVersion{version(1, "a", launchOf(first)), version(2, "b", launchOf(second))}
	s := madeBy(second, versions...)
	target, template, err := Rollback(&s.Groups[0], versions, nil)
	if err != nil || target == nil || target.Number != 1 || !template {
		t.Fatalf("back to %v, by the template: %t, error %v", target, template, err)
	}
	req := UpgradeRequest{Name: snapshottest.Group, Pace: Pace{Surge: 1}, Rollback: true}
	req.Remade = mustRemake(t, s, labelled("a"), labelled("b"), second.Stack.TemplateBody)
	plan, err := MakeUpgradePlan(s, versions, nil, req)
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Replace) != 1 || plan.Replace[0].InstanceID != "i-1" || plan.remade == nil || plan.Changes[0].Want != "team=a" {
		t.Errorf("changes %v, replaces %v", plan.Changes, plan.Replace)
	}

	for name, test := range map[string]struct {
		remade *Remade
		want   string
	}{
		"nothing is kept":         {nil, "the stack keeps no settings of then"},
		"something else was kept": {mustRemake(t, s, labelled("c"), labelled("b"), second.Stack.TemplateBody), "do not make version 1 of the launch template again"},
	} {
		req.Remade = test.remade
		if _, err := MakeUpgradePlan(s, versions, nil, req); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestWhatReplacesNobody: the group changes, its launch template does not.
func TestWhatReplacesNobody(t *testing.T) {
	first := mustPlan(t, snapshottest.Healthy(), labelled("a"))
	versions := []snapshot.TemplateVersion{version(1, "a", launchOf(first))}
	s := madeBy(first, versions...)
	spot := func(r *Request) {
		r.Mixed.Spot = true
		yes := true
		r.Config.Spec.Spot = &yes
	}
	remade := mustRemake(t, s, labelled("a", spot), labelled("a"), first.Stack.TemplateBody)
	plan, err := MakeUpgradePlan(s, versions, nil, UpgradeRequest{Name: snapshottest.Group, Pace: Pace{Surge: 1}, Remade: remade})
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Replace) != 0 || len(plan.Changes) != 1 || plan.Changes[0].Setting != "spot" {
		t.Errorf("changes %v, replaces %v", plan.Changes, plan.Replace)
	}
}

// TestAnotherWriter: a template that this version writes otherwise is named as
// that.
func TestAnotherWriter(t *testing.T) {
	first := mustPlan(t, snapshottest.Healthy(), labelled("a"))
	versions := []snapshot.TemplateVersion{version(1, "a", launchOf(first))}
	s := madeBy(first, versions...)
	older := strings.Replace(first.Stack.TemplateBody, "Description: A self-managed", "Description: An older", 1)
	plan, err := MakeUpgradePlan(s, versions, nil, UpgradeRequest{
		Name: snapshottest.Group, Pace: Pace{Surge: 1}, Remade: mustRemake(t, s, labelled("a"), labelled("a"), older),
	})
	if err != nil || len(plan.Changes) != 1 || plan.Changes[0].Have != "as version v1.0.0 writes it" {
		t.Errorf("changes %v, error %v", plan.Changes, err)
	}
}

func TestAdjust(t *testing.T) {
	number := func(n int) *int { return &n }
	have := groupconfig.New("blue")
	have.Spec.Min, have.Spec.Desired, have.Spec.AMIFamily, have.Spec.Role = number(1), number(3), "al2023", "nodes"
	for name, test := range map[string]struct {
		edit  func(*groupconfig.Config)
		notes int
		want  string
	}{
		"nothing":             {edit: func(*groupconfig.Config) {}},
		"left open":           {edit: func(c *groupconfig.Config) { c.Spec = groupconfig.Spec{Role: "nodes"} }},
		"another size":        {edit: func(c *groupconfig.Config) { c.Spec.Desired = number(5) }, notes: 1},
		"another name":        {edit: func(c *groupconfig.Config) { c.Metadata.Name = "green" }, want: `are of node group "green", not of "blue"`},
		"another role":        {edit: func(c *groupconfig.Config) { c.Spec.Role = "r" }, want: "another role takes another mapping"},
		"another family":      {edit: func(c *groupconfig.Config) { c.Spec.AMIFamily = "bottlerocket" }, want: "amiFamily cannot change"},
		"a key pair, made":    {edit: func(c *groupconfig.Config) { c.Spec.CreateKeyPair = "f" }, want: "makes no key pair"},
		"a role by its ARN":   {edit: func(c *groupconfig.Config) { c.Spec.Role = "arn:aws:iam::1:role/path/nodes" }},
		"several faults told": {edit: func(c *groupconfig.Config) { c.Spec.Template, c.Spec.Role = "aws", "r" }, want: "\n"},
	} {
		want := *have
		test.edit(&want)
		got, notes, err := Adjust(have, &want)
		if test.want != "" {
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: error %v", name, err)
			}
			continue
		}
		if err != nil || len(notes) != test.notes || *got.Spec.Desired != 3 {
			t.Errorf("%s: %v, error %v", name, notes, err)
		}
	}
}

// TestRunningMachinesKeepTheirRules: a template that takes away what they use
// is refused.
func TestRunningMachinesKeepTheirRules(t *testing.T) {
	isolated := labelled("a", func(r *Request) { r.Network.Isolated = true })
	first := mustPlan(t, snapshottest.Healthy(), isolated)
	s := madeBy(first, version(1, "a", launchOf(first)))
	_, err := Remake(s, labelled("a"), KeptSettings{Now: isolated.Config}, first.Stack.TemplateBody, "v1.0.0")
	if err == nil || !strings.Contains(err.Error(), "NodeSecurityGroupIngress") {
		t.Errorf("error %v", err)
	}
}

// TestBackToOtherThings: a version that differs in neither parameters nor user
// data, in the hop limit for instance, takes the template too.
func TestBackToOtherThings(t *testing.T) {
	versions := aged("a", "a")
	versions[1].Digest, versions[1].Rest = "another hop limit", "another"
	_, template, err := Rollback(&upgradable(versions, 2).Groups[0], versions, nil)
	if err != nil || !template {
		t.Errorf("by the template: %t, error %v", template, err)
	}
}

// upgradeTo plans the upgrade of a group that was made by one request to
// another.
func upgradeTo(t *testing.T, have, want *Request, edits ...func(*snapshot.Snapshot)) (*UpgradePlan, error) {
	t.Helper()
	first := mustPlan(t, snapshottest.Healthy(), have)
	versions := []snapshot.TemplateVersion{version(1, "a", launchOf(first))}
	s := madeBy(first, versions...)
	for _, edit := range edits {
		edit(s)
	}
	return MakeUpgradePlan(s, versions, nil, UpgradeRequest{
		Name: snapshottest.Group, Pace: Pace{Surge: 1}, Remade: mustRemake(t, s, want, have, first.Stack.TemplateBody),
	})
}

// keyed is a request with a key pair.
func keyed(name string) *Request {
	return labelled("a", func(r *Request) { r.Access.Name, r.Config.Spec.KeyPair = name, name })
}

// TestAnotherKeyPair: the template is the same, and machines are started
// otherwise all the same.
func TestAnotherKeyPair(t *testing.T) {
	plan, err := upgradeTo(t, keyed("k1"), keyed("k2"))
	if err != nil || len(plan.Replace) != 1 || len(plan.Changes) != 1 || plan.Changes[0].Want != "k2" {
		t.Errorf("changes %v, replaces %v, error %v", plan.Changes, plan.Replace, err)
	}
}

// TestTagsOfOthersStay: only tags that the group's own settings had go.
func TestTagsOfOthersStay(t *testing.T) {
	tagged := func(tags map[string]string) *Request {
		return labelled("a", func(r *Request) { r.Tags, r.Config.Spec.Tags = tags, tags })
	}
	plan, err := upgradeTo(t, tagged(map[string]string{"team": "a", "old": "x"}), tagged(map[string]string{"team": "b"}), func(s *snapshot.Snapshot) {
		s.Stacks[0].Tags["cost-center"] = "42"
	})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, key := range []string{"team", "old", "cost-center", TagRole} {
		if value, has := plan.tags[key]; has {
			got[key] = value
		}
	}
	if diff := cmp.Diff(map[string]string{"team": "b", "cost-center": "42", TagRole: roleOfStack}, got); diff != "" {
		t.Error(diff)
	}
}

// TestZonesWithMachinesStay: Auto Scaling would end machines of a zone that is
// left out, undrained.
func TestZonesWithMachinesStay(t *testing.T) {
	_, err := upgradeTo(t, labelled("a"), labelled("b"), func(s *snapshot.Snapshot) { s.Nodes[0].Cloud.Zone = "us-west-2z" })
	if err == nil || !strings.Contains(err.Error(), "leave out us-west-2z") {
		t.Errorf("error %v", err)
	}
}

// TestRoomForSettings: a template without room for the settings of before
// keeps those of now, and one without room for these is refused.
func TestRoomForSettings(t *testing.T) {
	scripted := func(team string, bytes int) *Request {
		return labelled(team, func(r *Request) {
			script := "#!/bin/sh\n" + strings.Repeat("# one of many lines of a script\n", bytes/32)
			r.Boot.UserData, r.Config.Spec.NodeConfig = []byte(script), script
		})
	}
	for bytes, want := range map[int]string{8000: "both", 13000: "now"} {
		plan, err := upgradeTo(t, scripted("a", bytes), scripted("b", bytes))
		if err != nil {
			t.Errorf("%d bytes: %v", bytes, err)
			continue
		}
		kept, err := ReadKeptSettings(metadataOf(t, plan.remade.Plan.Stack.TemplateBody), &plan.Stack, &plan.Proposed)
		noted := strings.Contains(strings.Join(plan.Notes, " "), "no room for the settings of before")
		if err != nil || kept.Now == nil || (kept.Before != nil) != (want == "both") || noted == (want == "both") {
			t.Errorf("%d bytes: keeps now %t and before %t, noted %t, error %v", bytes, kept.Now != nil, kept.Before != nil, noted, err)
		}
	}
}

// TestTheRoleKeepsItsPolicies: machines still act as it, whatever a new group
// would need.
func TestTheRoleKeepsItsPolicies(t *testing.T) {
	elsewhere := false
	plan, err := upgradeTo(t, labelled("a"), labelled("b"), func(s *snapshot.Snapshot) { s.Kube.CNIPolicyOnNode = &elsewhere })
	if err != nil || !strings.Contains(plan.remade.Plan.Stack.TemplateBody, "AmazonEKS_CNI_Policy") {
		t.Errorf("the CNI's policy goes, error %v", err)
	}
}

// TestSettingsOfBeforeAreOfTheLastMachines: a change that starts no machine
// otherwise does not take their place.
func TestSettingsOfBeforeAreOfTheLastMachines(t *testing.T) {
	first := mustPlan(t, snapshottest.Healthy(), labelled("b"))
	s := madeBy(first, version(1, "b", launchOf(first)))
	spot := labelled("b", func(r *Request) { r.Mixed.Spot = true })
	spot.ImageID = s.Groups[0].Launch.ImageID
	remade, err := Remake(s, spot, KeptSettings{Now: labelled("b").Config, Before: labelled("a").Config}, first.Stack.TemplateBody, "v1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	kept, err := ReadKeptSettings(metadataOf(t, remade.Plan.Stack.TemplateBody), &s.Stacks[0], &s.Groups[0])
	if err != nil || kept.Before == nil || kept.Before.Spec.Labels["team"] != "a" {
		t.Errorf("it keeps %+v of before, error %v", kept.Before, err)
	}
}

// TestRollbackThatWentWrongIsNotGoneOnWith: a version that is like none before
// is no way back.
func TestRollbackThatWentWrongIsNotGoneOnWith(t *testing.T) {
	versions := aged("a", "b", "c")
	_, _, err := Rollback(&upgradable(versions, 2).Groups[0], versions, []StackEvent{updated("rollback-1", "UPDATE_COMPLETE")})
	if err == nil || !strings.Contains(err.Error(), "like none before it") {
		t.Errorf("error %v", err)
	}
}

// templatesNow are the versions of a launch template as they are now, of a
// group that has no machine.
type templatesNow []snapshot.TemplateVersion

func (n templatesNow) TemplateVersions(context.Context, string, int, int) ([]snapshot.TemplateVersion, error) {
	return n, nil
}

func (n templatesNow) Group(context.Context, string) (*snapshot.Group, error) {
	return &snapshot.Group{Launch: snapshot.Launch{TemplateID: "lt-1", TemplateVersion: strconv.Itoa(len(n))}}, nil
}

func (n templatesNow) Activities(context.Context, string) ([]snapshot.Activity, error) {
	return nil, nil
}

func (n templatesNow) Instances(context.Context, []string) (map[string]snapshot.Instance, error) {
	return nil, nil
}

// TestRolledBackToSomethingElse: what the stack has made is compared with what
// was to come again, before a machine is replaced by it.
func TestRolledBackToSomethingElse(t *testing.T) {
	versions := aged("a", "b", "c")
	run := &upgradeRun{
		Upgrader: &Upgrader{Groups: templatesNow(versions), Templates: templatesNow(versions)},
		plan:     &UpgradePlan{target: &versions[0]}, result: &UpgradeResult{},
	}
	_, _, err := run.look(t.Context())
	if err == nil || !strings.Contains(err.Error(), "version 3 of the launch template is not again what version 1 was") {
		t.Errorf("error %v", err)
	}
}
