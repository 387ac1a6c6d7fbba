package access_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/access"
	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

const (
	account = "arn:aws:iam::111122223333:"
	opsItem = "- rolearn: " + account + "role/ops\n  username: ops\n  groups: [ops]\n"
)

func view(edits ...snapshottest.Edit) access.View {
	return access.View{Snap: snapshottest.Healthy(edits...)}
}

func mode(mode snapshot.AuthMode) snapshottest.Edit {
	return func(s *snapshot.Snapshot) { s.Cluster.AuthMode = mode }
}

func mapRoles(text string) snapshottest.Edit {
	return func(s *snapshot.Snapshot) { s.Access.AwsAuth.Data["mapRoles"] = text }
}

func entries(list ...snapshot.AccessEntry) snapshottest.Edit {
	return func(s *snapshot.Snapshot) { s.Access.Entries = list }
}

func denied(section snapshot.Section) snapshottest.Edit {
	return func(s *snapshot.Snapshot) {
		s.Gaps = append(s.Gaps, snapshot.Gap{Section: section, Reason: snapshot.GapDenied, Detail: "access denied"})
	}
}

// nodesEntry is the healthy group's, made after its role.
func nodesEntry() snapshot.AccessEntry {
	return snapshot.AccessEntry{PrincipalARN: snapshottest.RoleARN, Type: "EC2_LINUX", CreatedAt: snapshottest.Now()}
}

// TestStates breaks one mapping at a time and reads what is said of it.
func TestStates(t *testing.T) {
	nodes := snapshottest.AwsAuthRoles
	for name, test := range map[string]struct {
		view    access.View
		row     int // of aws-auth's rows follow the entries'
		state   access.State
		problem string
	}{
		"an entry":                  {view(), 0, access.StateOK, ""},
		"a map behind an entry":     {view(), 1, access.StateShadowed, "the access entry comes first"},
		"a map alone":               {view(mode(snapshot.AuthConfigMap), entries()), 0, access.StateOK, ""},
		"an entry nobody reads":     {view(mode(snapshot.AuthConfigMap)), 0, access.StateIgnored, "CONFIG_MAP does not read it"},
		"a map nobody reads":        {view(mode(snapshot.AuthAPI)), 1, access.StateIgnored, "API does not read it"},
		"an entry of STANDARD":      {view(entries(snapshot.AccessEntry{PrincipalARN: snapshottest.RoleARN, Type: "STANDARD"})), 0, access.StateWrong, "2 machines come with the role, and become"},
		"a role made again":         {view(entries(snapshot.AccessEntry{PrincipalARN: snapshottest.RoleARN, Type: "EC2_LINUX", CreatedAt: snapshottest.Now().AddDate(-1, 0, 0)})), 0, access.StateStale, "made again after it"},
		"a path in the map":         {view(entries(), mapRoles(strings.Replace(nodes, "role/", "role/nodes/", 1))), 0, access.StateDead, "write " + account + "role/workers-role"},
		"a session in the map":      {view(entries(), mapRoles("- rolearn: arn:aws:sts::111122223333:assumed-role/x/y\n  username: x\n")), 0, access.StateDead, "names a session"},
		"a profile in the map":      {view(entries(), mapRoles("- rolearn: "+account+"instance-profile/x\n  username: x\n")), 0, access.StateDead, "names no role"},
		"no ARN":                    {view(entries(), mapRoles("- role_arn: x\n  username: x\n")), 0, access.StateDropped, "neither rolearn nor sso"},
		"the first of two":          {view(entries(), mapRoles(nodes+nodes)), 0, access.StateShadowed, "mapRoles line 8 comes first"},
		"the last of two":           {view(entries(), mapRoles(nodes+nodes)), 1, access.StateOK, ""},
		"no group for nodes":        {view(entries(), mapRoles(strings.Replace(nodes, "system:nodes", "nodes", 1))), 0, access.StateWrong, "not in the group system:nodes"},
		"one name for all machines": {view(entries(), mapRoles(strings.Replace(nodes, "{{EC2PrivateDNSName}}", "a", 1))), 0, access.StateWrong, "a fixed one"},
		"a map that does not parse": {view(entries(), mapRoles("- a: b: c\n")), 0, access.StateDropped, "reads nothing of mapRoles"},
		"a permission set":          {view(entries(), mapRoles("- sso: {permissionSetName: a, accountID: \"111122223333\"}\n  username: x\n")), 0, access.StateDead, "off by default"},
		"an account":                {view(entries(), mapRoles(""), func(s *snapshot.Snapshot) { s.Access.AwsAuth.Data["mapAccounts"] = "['111122223333']" }), 0, access.StateOK, "bare ARN"},
		"entries that are not read": {view(entries(), denied(snapshot.SectionAccessEntries)), 0, access.StateUnknown, "access entries come first"},
		"a role that is gone": {access.View{Snap: snapshottest.Healthy(entries(), mapRoles(opsItem)), Gone: []string{"ops"}}, 0, access.StateGone,
			"there is no role ops"},
	} {
		rows := test.view.Rows()
		if len(rows) <= test.row {
			t.Errorf("%s: %d rows", name, len(rows))
			continue
		}
		row := rows[test.row]
		problems := strings.Join(row.Problems, "\n")
		if row.State != test.state || !strings.Contains(problems, test.problem) || test.problem == "" && problems != "" {
			t.Errorf("%s: %s, %q; want %s, %q", name, row.State, row.Problems, test.state, test.problem)
		}
	}
}

func TestFind(t *testing.T) {
	v := view()
	const machine = "arn:aws:sts::111122223333:assumed-role/workers-role/i-0000000000000000a"
	for who, want := range map[string]string{
		"i-0000000000000000a":                              machine,
		snapshottest.RoleARN:                               machine,
		account + "role/ops":                               "arn:aws:sts::111122223333:assumed-role/ops/SESSION",
		account + "role/a/ops":                             "arn:aws:sts::111122223333:assumed-role/ops/SESSION",
		account + "user/bob":                               account + "user/bob",
		account + "instance-profile/workers":               machine,
		"arn:aws:sts::111122223333:assumed-role/ops/alice": "arn:aws:sts::111122223333:assumed-role/ops/alice",
		"i-0ffffffffffffffff":                              "no instance or node",
		account + "instance-profile/other":                 "no role that is known",
		"arn:aws:s3:::bucket":                              "names no role",
		v.Snap.Nodes[1].Kube.Name:                          "arn:aws:sts::111122223333:assumed-role/workers-role/i-0000000000000000b",
	} {
		subject, err := v.Find(who, "")
		got := subject.Identity.ARN
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", who, got, want)
		}
	}
}

// TestLosses holds that machines which run are missed when their mapping goes,
// and not when another lets them in just the same.
func TestLosses(t *testing.T) {
	both := view(entries(nodesEntry()))
	if losses := access.Losses(both, both.WithoutEntry(snapshottest.RoleARN)); len(losses) != 0 {
		t.Errorf("aws-auth lets them in all the same: %+v", losses)
	}
	if losses := access.Losses(both, both.WithAwsAuth(nil)); len(losses) != 0 {
		t.Errorf("the entry lets them in all the same: %+v", losses)
	}
	losses := access.Losses(both, both.WithoutEntry(snapshottest.RoleARN).WithAwsAuth(nil))
	if len(losses) != 1 || losses[0].Machines != 2 || losses[0].After.In() {
		t.Errorf("losses %+v", losses)
	}
	if len(both.Snap.Access.Entries) != 1 || both.Snap.Access.AwsAuth == nil {
		t.Error("the view before has changed")
	}
	standard := both.WithEntry(snapshot.AccessEntry{PrincipalARN: snapshottest.RoleARN, Type: "STANDARD"})
	if losses := access.Losses(both, standard); len(losses) != 1 || !losses[0].After.In() {
		t.Errorf("they would be somebody else: %+v", losses)
	}
	alice := authmap.Identity{ARN: "arn:aws:sts::111122223333:assumed-role/ops/alice"}
	ops := view(mapRoles(snapshottest.AwsAuthRoles + opsItem))
	if losses := access.Losses(ops, ops.WithMode(snapshot.AuthAPI), alice); len(losses) != 1 || losses[0].Who != alice.ARN {
		t.Errorf("losses %+v", losses)
	}
}

func TestBlind(t *testing.T) {
	if got := view().Blind(); got != "" {
		t.Errorf("everything is known, said %q", got)
	}
	for _, edit := range []snapshottest.Edit{
		denied(snapshot.SectionInstances), denied(snapshot.SectionRoles), func(s *snapshot.Snapshot) { s.Roles = nil },
	} {
		if view(edit).Blind() == "" {
			t.Error("not known, said nothing")
		}
	}
}

// TestMigrationKeepsEverybody holds for a map with all there is in one: after
// the migration, whoever was let in is, as the same user.
func TestMigrationKeepsEverybody(t *testing.T) {
	text := snapshottest.AwsAuthRoles + opsItem +
		"- rolearn: " + account + "role/win\n  username: system:node:{{EC2PrivateDNSName}}\n  groups: [system:bootstrappers, system:nodes, eks:kube-proxy-windows]\n" +
		"- rolearn: " + account + "role/fargate\n  username: system:node:{{SessionName}}\n  groups: [system:bootstrappers, system:nodes, system:node-proxier]\n" +
		"- rolearn: " + account + "role/boss\n  username: boss\n  groups: [system:masters, boss]\n" +
		"- rolearn: " + account + "role/masked\n  username: system:x\n  groups: []\n" +
		"- rolearn: " + account + "role/tmpl\n  username: '{{AccessKeyID}}'\n  groups: []\n" +
		"- rolearn: " + account + "role/nocolon\n  username: '{{SessionName}}'\n  groups: []\n" +
		"- rolearn: " + account + "role/a/dead\n  username: dead\n  groups: []\n"
	v := view(entries(), mapRoles(text), mode(snapshot.AuthConfigMap))
	plan := v.PlanMigration(snapshot.AuthAPIAndConfigMap)
	var types, left []string
	after := v.WithMode(snapshot.AuthAPI)
	for _, step := range plan.Steps {
		if step.Entry == nil {
			types = append(types, "mode "+string(step.Mode))
			continue
		}
		types = append(types, step.Entry.Type)
		entry := *step.Entry
		entry.CreatedAt = snapshottest.Now()
		after = after.WithEntry(entry)
	}
	for _, one := range slices.Concat(plan.Left, plan.Idle) {
		left = append(left, one.Principal[strings.LastIndexByte(one.Principal, '/')+1:])
	}
	if diff := cmp.Diff([]string{"mode API_AND_CONFIG_MAP", "EC2_LINUX", "STANDARD", "EC2_WINDOWS", "FARGATE_LINUX", "STANDARD"}, types); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"masked", "tmpl", "nocolon", "dead"}, left); diff != "" {
		t.Error(diff)
	}
	if plan.Steps[1].Entry.PrincipalARN != snapshottest.RoleARN {
		t.Errorf("the path of the role is lost: %s", plan.Steps[1].Entry.PrincipalARN)
	}
	if policies := plan.Steps[5].Entry.Policies; !slices.Equal(policies, []string{access.ClusterAdmin}) {
		t.Errorf("policies %v", policies)
	}
	for _, name := range []string{"ops", "workers-role"} {
		subject, err := v.Find(account+"role/"+name, "")
		if err != nil {
			t.Fatal(err)
		}
		was, is := v.AskAbout(subject), after.AskAbout(subject)
		if !was.In() || !is.In() || was.Username != is.Username {
			t.Errorf("%s was %+v, is %+v", name, was, is)
		}
	}
	if again := after.WithMode(snapshot.AuthAPIAndConfigMap).PlanMigration(snapshot.AuthAPIAndConfigMap); len(again.Steps) != 0 {
		t.Errorf("a second migration would do %+v", again.Steps)
	}
}

func TestMigrationGivesALackingPolicy(t *testing.T) {
	boss := "- rolearn: " + account + "role/boss\n  username: boss\n  groups: [system:masters]\n"
	made := snapshot.AccessEntry{PrincipalARN: account + "role/boss", Type: "STANDARD", Username: "boss", CreatedAt: time.Now()}
	plan := view(entries(made), mapRoles(boss)).PlanMigration(snapshot.AuthAPI)
	if len(plan.Steps) != 2 || !plan.Steps[0].Made || plan.Steps[1].Mode != snapshot.AuthAPI || !plan.Steps[1].OneWay {
		t.Errorf("steps %+v", plan.Steps)
	}
	made.Policies = []string{access.ClusterAdmin}
	if plan := view(entries(made), mapRoles(boss)).PlanMigration(snapshot.AuthAPIAndConfigMap); len(plan.Steps) != 0 {
		t.Errorf("nothing is left to do, planned is %+v", plan.Steps)
	}
}
