package authmap_test

import (
	"reflect"
	"testing"

	"sigs.k8s.io/aws-iam-authenticator/pkg/config"
	"sigs.k8s.io/aws-iam-authenticator/pkg/mapper/configmap"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/test/oracle/generate"
)

// The authenticator's own reading is the oracle of these tests.

type oracleMap struct {
	Roles    []config.RoleMapping
	Users    []config.UserMapping
	Accounts []string
	Failed   bool
}

func oracle(data map[string]string) oracleMap {
	users, roles, accounts, err := configmap.ParseMap(data)
	return oracleMap{Roles: roles, Users: users, Accounts: accounts, Failed: err != nil}
}

// asOracle puts our reading into the authenticator's types.
func asOracle(m authmap.Map) oracleMap {
	o := oracleMap{
		Roles: []config.RoleMapping{}, Users: []config.UserMapping{}, Accounts: m.Accounts,
		Failed: len(m.Problems) > 0,
	}
	for _, r := range m.Roles {
		o.Roles = append(o.Roles, roleMapping(r))
	}
	for _, u := range m.Users {
		o.Users = append(o.Users, config.UserMapping{
			UserARN: u.UserARN, Username: u.Username, Groups: u.Groups, UserId: u.UserID,
		})
	}
	return o
}

func roleMapping(r authmap.Role) config.RoleMapping {
	m := config.RoleMapping{RoleARN: r.RoleARN, Username: r.Username, Groups: r.Groups, UserId: r.UserID}
	if r.SSO != nil {
		m.SSO = &config.SSOARNMatcher{
			PermissionSetName: r.SSO.PermissionSetName, AccountID: r.SSO.AccountID, Partition: r.SSO.Partition,
		}
	}
	return m
}

func checkParse(t *testing.T, data map[string]string) {
	t.Helper()
	want := oracle(data)
	if got := asOracle(authmap.Parse(data)); !reflect.DeepEqual(got, want) {
		t.Fatalf("authmap.Parse(%q)\n got %+v\nwant %+v", data, got, want)
	}
}

func TestParseReadsAsTheAuthenticatorDoes(t *testing.T) {
	texts := []string{
		"", " \n\t", "''", `""`, "``", "null", "~", "[]", "{}", "[ ]", "---", "...", "foo", "1", "- foo", "- null", "-",
		"- rolearn: a\n  username: b\n  groups:\n  - c\n",
		"- RoleARN: a\n  userNAME: b\n  GROUPS: [c]\n",
		"- rolearn: a\n  rolearn: b\n",
		"- rolearn: a\n  groups: system:nodes\n- rolearn: b\n  groups: [x]\n",
		"- rolearn: a\n  groups: [1, two, true]\n",
		"- rolearn: 1\n", "- rolearn: a\n  username: 5\n", "- role_arn: a\n",
		"- rolearn: a\n\tusername: b\n", "- rolearn: a\n username: b\n",
		"- rolearn: a\n- sso: {permissionSetName: Admin, accountID: '012345678901'}\n  username: x\n",
		"- sso: {permissionSetName: Admin, accountID: 012345678901}\n",
		"- sso: {permissionSetName: 'a b', accountID: '012345678901'}\n",
		"- sso: {permissionSetName: Admin, accountID: '012345678901', partition: aws-moon}\n",
		"- sso: {permissionSetName: Admin, accountID: '012345678901', partition: aws-cn}\n",
		"- {rolearn: a, sso: {permissionSetName: Admin, accountID: '012345678901'}}\n",
		"- rolearn: a\n---\n- rolearn: b\n", "- rolearn: a\n---\n: [\n", "- &x {rolearn: a}\n- *x\n- <<: *x\n  username: z\n",
		`[{"rolearn":"a","username":"b","groups":["c"]}]`, `{"rolearn":"a"}`, `  {"rolearn":`, "{a: b}",
		"- userarn: u\n  username: b\n  groups: [c]\n- username: nobody\n",
		"- 555555555555\n- \"012345678901\"\n- 012345678901\n- 0777\n- abc\n", "- [a]\n- b\n", "123", "a: b",
		"- rolearn: .nan\n", "- rolearn: !!binary aGk=\n", "- ? [a]\n  : b\n", "- rolearn: \"\\ud800\"\n", "\ufeff- rolearn: a\n",
	}
	for _, text := range texts {
		for _, key := range []string{authmap.KeyRoles, authmap.KeyUsers, authmap.KeyAccounts, "maproles"} {
			checkParse(t, map[string]string{key: text})
		}
	}
	checkParse(t, nil)
}

func FuzzParse(f *testing.F) {
	for _, s := range generate.MapRolesSeeds() {
		f.Add(s, s, s)
	}
	f.Fuzz(func(t *testing.T, roles, users, accounts string) {
		checkParse(t, map[string]string{authmap.KeyRoles: roles, authmap.KeyUsers: users, authmap.KeyAccounts: accounts})
	})
}
