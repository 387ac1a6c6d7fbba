package check

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

const (
	mappedRole = "arn:aws:iam::111122223333:role/workers-role"
	nodeUser   = "  username: system:node:{{EC2PrivateDNSName}}\n"
	nodeGroups = "  groups:\n  - system:bootstrappers\n  - system:nodes\n"
)

// authMode sets the mode; CONFIG_MAP has no entries.
func authMode(mode snapshot.AuthMode) snapshottest.Edit {
	return func(s *snapshot.Snapshot) {
		s.Cluster.AuthMode = mode
		if mode == snapshot.AuthConfigMap {
			s.Access.Entries = nil
		}
	}
}

func mapRoles(text string) snapshottest.Edit {
	return func(s *snapshot.Snapshot) { s.Access.AwsAuth.Data["mapRoles"] = text }
}

// mapARN writes another ARN for the role.
func mapARN(arn string) snapshottest.Edit {
	return mapRoles(strings.Replace(snapshottest.AwsAuthRoles, mappedRole, arn, 1))
}

func entry(edit func(*snapshot.AccessEntry)) snapshottest.Edit {
	return func(s *snapshot.Snapshot) { edit(&s.Access.Entries[0]) }
}

func noEntries(s *snapshot.Snapshot) { s.Access.Entries = nil }
func noAwsAuth(s *snapshot.Snapshot) { s.Access.AwsAuth = nil }

func authRuleRows() []ruleRow {
	var rows []ruleRow
	for _, check := range authChecks() {
		rows = append(rows, ruleRow{check.ID, "healthy", nil, report.Pass, "access entry lets the role in"},
			ruleRow{check.ID, "healthy by aws-auth", []snapshottest.Edit{authMode(snapshot.AuthConfigMap)}, report.Pass, "mapRoles lets the role in"})
	}
	add := func(check, name, summary string, edits ...snapshottest.Edit) {
		rows = append(rows, ruleRow{check, name, edits, report.Fail, summary})
	}
	warns := func(check, name, summary string, edits ...snapshottest.Edit) {
		rows = append(rows, ruleRow{check, name, edits, report.Warn, summary})
	}
	configMap, api := authMode(snapshot.AuthConfigMap), authMode(snapshot.AuthAPI)
	other := strings.Replace(snapshottest.AwsAuthRoles, "workers-role", "others-role", 1)

	add("auth.role-not-mapped", "aws-auth has other roles", "aws-auth does not map it", configMap, mapRoles(other))
	add("auth.role-not-mapped", "neither here nor there", "neither an access entry nor", noEntries, mapRoles(other))
	add("auth.role-not-mapped", "no aws-auth beside entries", "neither an access entry nor", noEntries, noAwsAuth)
	add("auth.entry-missing", "mode API", "it has no access entry", api, noEntries, mapRoles(other))
	add("auth.awsauth-missing", "nothing else is read", "there is no ConfigMap aws-auth", configMap, noAwsAuth)
	add("auth.awsauth-parse", "a tab", "drops every role", configMap, mapRoles(snapshottest.AwsAuthRoles+"\t- rolearn: x\n"))
	add("auth.awsauth-parse", "no entry either", "drops every role", noEntries, mapRoles(snapshottest.AwsAuthRoles+"- a: b: c\n"))
	warns("auth.awsauth-parse", "an entry lets it in", "entries that the authenticator drops", mapRoles(snapshottest.AwsAuthRoles+"- a: b: c\n"))
	add("auth.awsauth-indentation", "dedent", "ends before line 5", configMap, mapRoles("  - rolearn: arn:aws:iam::111122223333:role/x\n    username: x\n    groups: []\n"+snapshottest.AwsAuthRoles))
	add("auth.arn-path", "with its path", "with its path", configMap, mapARN(snapshottest.RoleARN))
	add("auth.arn-instance-profile", "the role's profile", "not the role in it", configMap, mapARN("arn:aws:iam::111122223333:instance-profile/workers"))
	add("auth.arn-assumed-role", "a session", "a session of the role", configMap, mapARN("arn:aws:sts::111122223333:assumed-role/workers-role/i-0123456789abcdef0"))
	add("auth.arn-wrong-account", "account", "aws 999999999999", configMap, mapARN("arn:aws:iam::999999999999:role/workers-role"))
	add("auth.arn-wrong-account", "partition", "aws-cn 111122223333", configMap, mapARN("arn:aws-cn:iam::111122223333:role/workers-role"))
	add("auth.arn-malformed", "no account", "no role's ARN", configMap, mapARN("arn:aws:iam:::role/workers-role"))
	add("auth.arn-malformed", "trailing blank", "no role's ARN", configMap, mapARN(`"`+mappedRole+` "`))
	add("auth.arn-malformed", "the name alone", "no role's ARN", configMap, mapARN("workers-role"))
	add("auth.arn-malformed", "another key", "another key than rolearn", configMap, mapRoles("- role_arn: "+mappedRole+"\n"+nodeUser+nodeGroups))
	add("auth.duplicate", "the last is wrong", "2 times; the last entry counts, and is wrong", configMap, mapRoles(snapshottest.AwsAuthRoles+"- rolearn: "+mappedRole+"\n  username: x\n"))
	warns("auth.duplicate", "the last is right", "and is right", configMap, mapRoles("- rolearn: "+mappedRole+"\n  username: x\n"+snapshottest.AwsAuthRoles))
	add("auth.groups-wrong", "not among them", "not in the group system:nodes", configMap, mapRoles("- rolearn: "+mappedRole+"\n"+nodeUser+"  groups: [system:bootstrappers]\n"))
	add("auth.groups-wrong", "no list", "not in the group system:nodes", configMap, mapRoles("- rolearn: "+mappedRole+"\n"+nodeUser+"  groups: system:nodes\n"))
	add("auth.groups-wrong", "entry with groups of its own", "not in the group system:nodes", entry(func(e *snapshot.AccessEntry) { e.Groups = []string{"admins"} }))
	add("auth.username-template", "fixed", `become the user "worker"`, configMap, mapRoles("- rolearn: "+mappedRole+"\n  username: worker\n"+nodeGroups))
	add("auth.username-template", "session without prefix", `become the user "{{SessionName}}"`, configMap, mapRoles("- rolearn: "+mappedRole+"\n  username: '{{SessionName}}'\n"+nodeGroups))
	add("auth.via-mapaccounts", "the account only", "only mapAccounts", configMap, mapRoles(other), func(s *snapshot.Snapshot) { s.Access.AwsAuth.Data["mapAccounts"] = "- \"111122223333\"\n" })
	warns("auth.user-not-role", "right otherwise", "under mapUsers", configMap, mapRoles(""), func(s *snapshot.Snapshot) {
		s.Access.AwsAuth.Data["mapUsers"] = "- userarn: " + mappedRole + "\n" + nodeUser + nodeGroups
	})
	add("auth.mode-api", "aws-auth alone", "does not read aws-auth", api, noEntries)
	add("auth.mode-configmap", "entry alone", "does not read entries", mapRoles(other), func(s *snapshot.Snapshot) { s.Cluster.AuthMode = snapshot.AuthConfigMap })
	add("auth.entry-type", "STANDARD", "of type STANDARD", api, entry(func(e *snapshot.AccessEntry) { e.Type, e.Username, e.Groups = "STANDARD", "", nil }))
	add("auth.entry-type", "Auto Mode's", "of type EC2,", api, entry(func(e *snapshot.AccessEntry) { e.Type = "EC2" }))
	add("auth.entry-shadows", "STANDARD before aws-auth", "hides its right mapping", entry(func(e *snapshot.AccessEntry) { e.Type, e.Username, e.Groups = "STANDARD", "", nil }))
	add("auth.entry-stale-role", "role made again", "made after its access entry", api, staleRole)
	warns("auth.entry-stale-role", "aws-auth maps it", "aws-auth maps the role", staleRole)
	add("auth.entry-other-account", "same name", "in the account 999999999999", api, noAwsAuth, entry(func(e *snapshot.AccessEntry) { e.PrincipalARN = "arn:aws:iam::999999999999:role/nodes/workers-role" }))
	add("auth.awsauth-json-flow", "others are in it", "is not in it", configMap, mapRoles(`[{"rolearn":"arn:aws:iam::111122223333:role/others-role","username":"x","groups":["system:nodes"]}]`))
	windows := func(s *snapshot.Snapshot) {
		s.Catalog.Images[0].Name = "Windows_Server-2022-English-Core-EKS_Optimized-1.34-2026.05.20"
	}
	rows = append(rows,
		ruleRow{"auth.windows-group", "Linux", nil, report.Pass, "no Windows image"},
		ruleRow{"auth.windows-group", "in the group", []snapshottest.Edit{windows, entry(func(e *snapshot.AccessEntry) {
			e.Type, e.Groups = "EC2_WINDOWS", []string{"system:nodes", "eks:kube-proxy-windows"}
		})}, report.Pass, "its user is in eks:kube-proxy-windows"},
		ruleRow{"auth.windows-group", "entry for Linux", []snapshottest.Edit{windows}, report.Fail, "not in the group eks:kube-proxy-windows"})
	rows = append(rows, ruleRow{"auth.rbac-broken", "as EKS makes it", nil, report.Pass, "nodes are bound"})
	warns("auth.rbac-broken", "gone", "is gone", func(s *snapshot.Snapshot) { s.Kube.Bindings = nil })
	warns("auth.rbac-broken", "others only", "does not bind nodes", func(s *snapshot.Snapshot) { s.Kube.Bindings[0].Subjects = []string{"Group/system:bootstrappers"} })
	warns("auth.rbac-broken", "another role", "does not bind nodes", func(s *snapshot.Snapshot) { s.Kube.Bindings[0].Role = "view" })
	return rows
}

func staleRole(s *snapshot.Snapshot) { s.Roles[0].CreatedAt = snapshottest.Now().Add(-time.Hour) }

// TestOneMistakeOneRow holds that a mistake in the mapping is named by one
// row: the others of the family neither fail nor pass beside it.
func TestOneMistakeOneRow(t *testing.T) {
	for _, row := range authRuleRows() {
		if row.want != report.Fail {
			continue
		}
		for _, finding := range Run(snapshottest.Healthy(row.edits...), authChecks()).Findings {
			if row.check == "auth.windows-group" || finding.Check == "auth.windows-group" {
				continue
			}
			alone := finding.Check == row.check || finding.Check == "auth.entry-missing" && row.check == "auth.entry-other-account"
			if !alone {
				t.Errorf("%s/%s: %s %s %s", row.check, row.name, finding.Check, finding.Status, finding.Summary)
			}
		}
	}
}

// TestRepairsAreShown holds that a wrong line of aws-auth comes with the diff
// that puts it right, and with the line itself.
func TestRepairsAreShown(t *testing.T) {
	for id, edits := range map[string][]snapshottest.Edit{
		"auth.arn-path":      {mapARN(snapshottest.RoleARN)},
		"auth.groups-wrong":  {mapRoles("- rolearn: " + mappedRole + "\n" + nodeUser + "  groups:\n  - system:bootstrappers\n")},
		"auth.arn-malformed": {mapARN("workers-role")},
	} {
		got := findings(Run(snapshottest.Healthy(append(edits, authMode(snapshot.AuthConfigMap))...), authChecks()), id)
		if len(got) != 1 {
			t.Fatalf("%s: %+v", id, got)
		}
		if !strings.Contains(got[0].Fix.Diff, "\n+") || !strings.Contains(got[0].Evidence[0].Fact, "mapRoles line ") {
			t.Errorf("%s: %+v", id, got[0])
		}
	}
}

// TestUnreadMapping withholds what the answer depends on: where it could
// change the answer every row is unknown, where it could not none is.
func TestUnreadMapping(t *testing.T) {
	denied := func(section snapshot.Section) snapshottest.Edit {
		return func(s *snapshot.Snapshot) {
			s.Gaps = append(s.Gaps, snapshot.Gap{Section: section, Reason: snapshot.GapDenied, Detail: "access denied"})
			switch section {
			case snapshot.SectionAccessEntries:
				noEntries(s)
			case snapshot.SectionAwsAuth:
				noAwsAuth(s)
			case snapshot.SectionRoles:
				s.Roles, s.Groups[0].Launch.RoleARN = nil, ""
			}
		}
	}
	both := authMode(snapshot.AuthAPIAndConfigMap)
	for name, test := range map[string]struct {
		edits []snapshottest.Edit
		want  report.Status
	}{
		"entries, both count":        {[]snapshottest.Edit{both, denied(snapshot.SectionAccessEntries)}, report.Unknown},
		"entries, mode CONFIG_MAP":   {[]snapshottest.Edit{authMode(snapshot.AuthConfigMap), denied(snapshot.SectionAccessEntries)}, report.Pass},
		"aws-auth, an entry decides": {[]snapshottest.Edit{both, denied(snapshot.SectionAwsAuth)}, report.Pass},
		"aws-auth, no entry":         {[]snapshottest.Edit{both, noEntries, denied(snapshot.SectionAwsAuth)}, report.Unknown},
		"aws-auth, mode API":         {[]snapshottest.Edit{authMode(snapshot.AuthAPI), denied(snapshot.SectionAwsAuth)}, report.Pass},
		"the role":                   {[]snapshottest.Edit{denied(snapshot.SectionRoles)}, report.Unknown},
		"the role, the template knows": {[]snapshottest.Edit{func(s *snapshot.Snapshot) {
			s.Gaps = []snapshot.Gap{{Section: snapshot.SectionRoles, Reason: snapshot.GapDenied}}
		}}, report.Pass},
	} {
		got := Run(snapshottest.Healthy(test.edits...), slices.DeleteFunc(authChecks(), func(c Check) bool { return c.Join == nil })).Findings
		if len(got) == 0 {
			t.Errorf("%s: no findings", name)
		}
		for _, finding := range got {
			if finding.Status != test.want {
				t.Errorf("%s: %s %s %s, want %s", name, finding.Check, finding.Status, finding.Summary, test.want)
			}
		}
	}
}
