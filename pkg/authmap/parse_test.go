package authmap

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestProblemsNameTheLine(t *testing.T) {
	tests := map[string]struct {
		key, text string
		want      []Problem
	}{
		"wrong key": {KeyRoles, otherItem + "- role_arn: x\n",
			[]Problem{{KeyRoles, 1, 4, true, "entry has neither rolearn nor sso and is ignored"}}},
		"groups in words": {KeyRoles, otherItem + "- rolearn: x\n  username: y\n  groups: system:nodes\n",
			[]Problem{{KeyRoles, -1, 6, false, `"groups" is a string where a list of strings is due, and is not read`}}},
		"number as username": {KeyRoles, otherItem + "- rolearn: x\n  username: 5\n",
			[]Problem{{KeyRoles, -1, 5, false, `"username" is a number where a string is due, and is not read`}}},
		"unquoted account": {KeyRoles, "- sso:\n    permissionSetName: a\n    accountID: 111122223333\n",
			[]Problem{
				{KeyRoles, -1, 2, false, `"sso.accountID" is a number where a string is due, and is not read`},
				{KeyRoles, 0, 1, true, `sso.accountID "" is not an AWS account; the entry is ignored`},
			}},
		"user without ARN":  {KeyUsers, "- username: x\n", []Problem{{KeyUsers, 0, 1, true, "entry has no userarn and is ignored"}}},
		"accounts in words": {KeyAccounts, "x\n", []Problem{{KeyAccounts, -1, 1, true, "cannot unmarshal !!str `x` into []string"}}},
		"syntax":            {KeyUsers, "- a\n- b: c: d\n", []Problem{{KeyUsers, -1, 2, true, "mapping values are not allowed in this context"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Parse(map[string]string{test.key: test.text}).Problems); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestParseReadsWhatTheAuthenticatorReads has its expectations from the
// authenticator, which test/oracle asks about these and many more.
func TestParseReadsWhatTheAuthenticatorReads(t *testing.T) {
	role := func(arn, username string, groups ...string) Role {
		return Role{RoleARN: arn, Username: username, Groups: groups}
	}
	tests := map[string]struct {
		text    string
		want    []Role
		dropped int // problems that cost an entry or all
	}{
		"plain":                      {"- rolearn: a\n  username: b\n  groups: [c]\n", []Role{role("a", "b", "c")}, 0},
		"keys in any letter case":    {"- RoleARN: a\n  userNAME: b\n  GROUPS: [c]\n", []Role{role("a", "b", "c")}, 0},
		"of two keys the last":       {"- rolearn: a\n  rolearn: b\n", []Role{role("b", "")}, 0},
		"groups in words":            {"- rolearn: a\n  groups: system:nodes\n- rolearn: b\n  groups: [x]\n", []Role{role("a", ""), role("b", "", "x")}, 0},
		"groups of several types":    {"- rolearn: a\n  groups: [1, two, true]\n", []Role{role("a", "", "", "two", "")}, 0},
		"number as username":         {"- rolearn: a\n  username: 5\n", []Role{role("a", "")}, 0},
		"misspelt key":               {"- role_arn: a\n- rolearn: b\n", []Role{role("b", "")}, 1},
		"one tab drops all":          {"- rolearn: a\n- rolearn: b\n\tusername: c\n", []Role{}, 1},
		"a mapping for the list":     {"rolearn: a\n", []Role{}, 1},
		"entries under the key":      {"mapRoles:\n- rolearn: a\n", []Role{}, 1},
		"of two documents the first": {"- rolearn: a\n---\n- rolearn: b\n", []Role{role("a", "")}, 0},
		"the list ends at a dedent":  {"  - rolearn: a\n- rolearn: b\n", []Role{role("a", "")}, 0},
		"an alias and a merge":       {"- &x {rolearn: a}\n- *x\n- <<: *x\n  username: z\n", []Role{role("a", ""), role("a", ""), role("a", "z")}, 0},
		"JSON":                       {`[{"rolearn":"a","username":"b","groups":["c"]}]`, []Role{role("a", "b", "c")}, 0},
		"quotes are nothing":         {`""`, []Role{}, 0},
		"null is nothing":            {"null", []Role{}, 0},
		"both rolearn and sso":       {"- {rolearn: a, sso: {permissionSetName: Admin, accountID: '012345678901'}}\n", []Role{}, 1},
		"sso": {"- sso: {permissionSetName: Admin, accountID: '012345678901'}\n  username: u\n",
			[]Role{{SSO: &SSO{PermissionSetName: "Admin", AccountID: "012345678901"}, Username: "u"}}, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := Parse(map[string]string{KeyRoles: test.text})
			if diff := cmp.Diff(test.want, m.Roles); diff != "" {
				t.Error(diff)
			}
			dropped := 0
			for _, p := range m.Problems {
				if p.Dropped {
					dropped++
				}
			}
			if dropped != test.dropped {
				t.Errorf("%d dropped, want %d: %v", dropped, test.dropped, m.Problems)
			}
		})
	}
}

func TestParseAccountsAndUsers(t *testing.T) {
	m := Parse(map[string]string{
		KeyUsers:    "- userarn: u\n  username: b\n  groups: [c]\n- username: nobody\n",
		KeyAccounts: "- 555555555555\n- \"012345678901\"\n- 012345678901\n- 0777\n",
		"mapusers":  "- userarn: the letter case of the key counts\n",
	})
	if diff := cmp.Diff([]User{{UserARN: "u", Username: "b", Groups: []string{"c"}}}, m.Users); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"555555555555", "012345678901", "012345678901", "0777"}, m.Accounts); diff != "" {
		t.Error(diff)
	}
}
