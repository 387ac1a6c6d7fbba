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
