package authmap

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const dnsName = "ip-10-0-0-1.ec2.internal"

func node(t *testing.T, roleARN string) Identity {
	t.Helper()
	id, err := NodeIdentity(roleARN, "i-0123456789abcdef0", dnsName)
	if err != nil {
		t.Fatal(err)
	}
	id.UserID = "AROANEW"
	return id
}

func TestSimulateANode(t *testing.T) {
	mapped := func(source Source, line int, groups ...string) Verdict {
		return Verdict{
			Outcome: OutcomeMapped, Username: "system:node:" + dnsName, Groups: groups, Source: source, Line: line,
			Reason: string(source) + " maps " + nodeRole,
		}
	}
	refused := func(notes ...string) Verdict {
		return Verdict{Outcome: OutcomeNotMapped, Reason: nodeRole + " is not mapped", Notes: notes}
	}
	linux := AccessEntry{PrincipalARN: "arn:aws:iam::111122223333:role/team/nodes", Type: "EC2_LINUX"}
	stale := linux
	stale.PrincipalID = "AROAOLD"
	head := "- rolearn: " + nodeRole + "\n"
	tests := map[string]struct {
		mode    Mode
		entries []AccessEntry
		roles   string
		want    Verdict
	}{
		"entry with the role's path": {ModeAPI, []AccessEntry{linux}, "", mapped(SourceEntry, 0, "system:nodes")},
		"map":                        {ModeConfigMap, nil, otherItem + ourItem, mapped(SourceRoles, 4, "system:bootstrappers", "system:nodes")},
		"entry before map":           {ModeAPIAndConfigMap, []AccessEntry{linux}, ourItem, mapped(SourceEntry, 0, "system:nodes")},
		"map where no entry is":      {ModeAPIAndConfigMap, nil, ourItem, mapped(SourceRoles, 1, "system:bootstrappers", "system:nodes")},
		"map is not read": {ModeAPI, nil, ourItem,
			refused("mapRoles maps it, but the mode API does not read aws-auth")},
		"entries are not read": {ModeConfigMap, []AccessEntry{linux}, "",
			refused("an access entry maps it, but the mode CONFIG_MAP does not read access entries")},
		"stale entry": {ModeAPI, []AccessEntry{stale}, "", Verdict{
			Outcome: OutcomeStaleEntry,
			Reason:  "the access entry of " + nodeRole + " belongs to an earlier principal of that name: it was deleted and made again",
			Notes:   []string{"the access entry was made for the unique id AROAOLD, the principal now has AROANEW"},
		}},
		"letter case":    {ModeConfigMap, nil, strings.Replace(ourItem, "role/nodes", "role/NODES", 1), mapped(SourceRoles, 1, "system:bootstrappers", "system:nodes")},
		"last duplicate": {ModeConfigMap, nil, head + "  username: x\n" + ourItem, mapped(SourceRoles, 3, "system:bootstrappers", "system:nodes")},
		"groups no list": {ModeConfigMap, nil, head + "  username: " + NodeUsername + "\n  groups: system:nodes\n", mappedWithoutGroups()},
		"several in text": {ModeConfigMap, nil, "- rolearn: x\n---\n" + ourItem,
			refused("mapRoles line 3: the authenticator reads nothing from here on, the list has ended before")},
		"less indented": {ModeConfigMap, nil, "  - rolearn: x\n" + ourItem,
			refused("mapRoles line 2: the authenticator reads nothing from here on, the list has ended before")},
		"path in the map": {ModeConfigMap, nil, "- rolearn: arn:aws:iam::111122223333:role/team/nodes\n",
			refused("mapRoles line 1 maps arn:aws:iam::111122223333:role/team/nodes with its path, which the authenticator never matches")},
		"instance profile": {ModeConfigMap, nil, "- rolearn: arn:aws:iam::111122223333:instance-profile/nodes\n",
			refused("mapRoles line 1 maps arn:aws:iam::111122223333:instance-profile/nodes, which is no role")},
		"other account": {ModeConfigMap, nil, "- rolearn: arn:aws:iam::999999999999:role/nodes\n",
			refused("mapRoles line 1 maps a role of that name in the account \"999999999999\"")},
		"other partition": {ModeConfigMap, nil, "- rolearn: arn:aws-cn:iam::111122223333:role/nodes\n",
			refused("mapRoles line 1 maps a role of that name in the partition \"aws-cn\"")},
		"whole map dropped": {ModeConfigMap, nil, ourItem + "- a: b: c\n",
			refused("mapRoles line 6: mapping values are not allowed in this context")},
		"wrong key": {ModeConfigMap, nil, "- role_arn: " + nodeRole + "\n",
			refused("mapRoles line 1: entry has neither rolearn nor sso and is ignored")},
		"nothing": {ModeConfigMap, nil, "", refused()},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := Simulate(node(t, nodeRole), test.mode, test.entries, map[string]string{KeyRoles: test.roles})
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func mappedWithoutGroups() Verdict {
	return Verdict{
		Outcome: OutcomeMapped, Username: "system:node:" + dnsName, Groups: []string{}, Source: SourceRoles, Line: 1,
		Reason: "mapRoles maps " + nodeRole,
	}
}

func TestSimulateTemplates(t *testing.T) {
	role := func(username string) map[string]string {
		return map[string]string{KeyRoles: "- rolearn: " + nodeRole + "\n  username: '" + username + "'\n  groups: ['g:{{SessionName}}']\n"}
	}
	person := Identity{ARN: "arn:aws:sts::111122223333:assumed-role/nodes/ann@example.com", AccessKeyID: "ASIAX"}
	unknownDNS := node(t, nodeRole)
	unknownDNS.PrivateDNSName = ""
	tests := map[string]struct {
		id       Identity
		username string
		want     Verdict
	}{
		"person": {person, "{{AccountID}}/{{SessionName}}/{{SessionNameRaw}}/{{AccessKeyID}}", Verdict{
			Outcome: OutcomeMapped, Username: "111122223333/ann-example.com/ann@example.com/ASIAX", Groups: []string{"g:ann-example.com"},
		}},
		"person as node": {person, NodeUsername, Verdict{
			Outcome: OutcomeTemplate, Reason: `{{EC2PrivateDNSName}} needs an instance: the session name "ann@example.com" is no instance id`,
		}},
		"name not known": {unknownDNS, NodeUsername, Verdict{
			Outcome: OutcomeMapped, Username: NodeUsername, Groups: []string{"g:i-0123456789abcdef0"},
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := Simulate(test.id, ModeConfigMap, nil, role(test.username))
			test.want.Source, test.want.Line = SourceRoles, 1
			if test.want.Reason == "" {
				test.want.Reason = "mapRoles maps " + nodeRole
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSimulateUsersAccountsAndOtherPrincipals(t *testing.T) {
	data := map[string]string{
		KeyUsers:    "- userarn: arn:aws:iam::111122223333:user/a/Ann\n  username: ann\n- userarn: " + nodeRole + "\n  username: by-user\n",
		KeyAccounts: "- 444455556666\n",
	}
	tests := map[string]Verdict{
		"arn:aws:iam::111122223333:user/a/Ann": {Outcome: OutcomeMapped, Username: "ann", Groups: []string{}, Source: SourceUsers, Line: 1,
			Reason: "mapUsers maps arn:aws:iam::111122223333:user/a/Ann"},
		nodeRole: {Outcome: OutcomeMapped, Username: "by-user", Groups: []string{}, Source: SourceUsers, Line: 3, Reason: "mapUsers maps " + nodeRole},
		"arn:aws:sts::444455556666:assumed-role/Any/s": {Outcome: OutcomeMapped, Username: "arn:aws:iam::444455556666:role/Any", Groups: []string{}, Source: SourceAccounts,
			Reason: "mapAccounts maps arn:aws:iam::444455556666:role/Any", Notes: []string{"only mapAccounts maps it: the user is the bare ARN and in no group"}},
		"arn:aws:ec2::1:instance/i-1": {Outcome: OutcomeBadARN, Reason: `ARN "arn:aws:ec2::1:instance/i-1" names no role, user, root, assumed role or federated user`},
	}
	for arn, want := range tests {
		if diff := cmp.Diff(want, Simulate(Identity{ARN: arn}, ModeConfigMap, nil, data)); diff != "" {
			t.Errorf("%s: %s", arn, diff)
		}
	}
}

// TestSimulateTellsOfLots: the authenticator keeps mappings of users by their
// ARN as it is written, looks for them in no order, and compares without
// regard to letter case.
func TestSimulateTellsOfLots(t *testing.T) {
	const ann = "arn:aws:iam::111122223333:user/Ann"
	item := func(arn, username string) string { return "- userarn: " + arn + "\n  username: " + username + "\n" }
	tests := map[string]struct {
		users     string
		username  string
		ambiguous bool
	}{
		"same letters, the last counts": {item(ann, "first") + item(ann, "last"), "last", false},
		"other letters":                 {item(ann, "first") + item(strings.ToLower(ann), "last"), "last", true},
		"other letters behind a twin":   {item(strings.ToUpper(ann), "a") + item(ann, "b") + item(ann, "c"), "c", true},
		"somebody else":                 {item(ann, "ann") + item(ann+"a", "anna"), "ann", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			v := Simulate(Identity{ARN: ann}, ModeConfigMap, nil, map[string]string{KeyUsers: test.users})
			if v.Username != test.username || v.Ambiguous != test.ambiguous || (len(v.Notes) > 0) != test.ambiguous {
				t.Errorf("%+v", v)
			}
		})
	}
}
