package authmap_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/aws-iam-authenticator/pkg/config"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/test/oracle/generate"
)

// TestMergeOnGeneratedMaps gives roles that are mapped already further groups
// and takes them away again: by the authenticator's reading nothing but the
// groups of that one entry changes, and in the end the bytes are the same.
func TestMergeOnGeneratedMaps(t *testing.T) {
	merged, refused := 0, 0
	for seed := range uint64(500) {
		data := generate.New(seed).AWSAuth()
		for _, e := range mappedRoles(data) {
			add, err := authmap.AddRole(data, e)
			var layout *authmap.LayoutError
			if errors.As(err, &layout) {
				refused++
				continue
			}
			if err != nil || add.Action != authmap.ActionMerged {
				t.Fatalf("seed %d: authmap.AddRole(%q, %v) gives %q, %v", seed, data[authmap.KeyRoles], e, add.Action, err)
			}
			merged++
			checkMerged(t, oracle(data), oracle(add.Data), e)
			remove, err := authmap.RemoveRole(add.Data, e)
			if err != nil || remove.Data[authmap.KeyRoles] != data[authmap.KeyRoles] {
				t.Errorf("merge and trim do not give the same bytes: %v\nbefore %q\nmerged %q\n after %q", err, data[authmap.KeyRoles], add.Data[authmap.KeyRoles], remove.Data[authmap.KeyRoles])
			}
			if t.Failed() {
				t.Fatalf("seed %d, entry %+v", seed, e)
			}
		}
	}
	t.Logf("%d merges, %d refused for aliases, null groups and the like", merged, refused)
	if refused > merged/2 {
		t.Errorf("%d merges, but %d refused", merged, refused)
	}
}

// mappedRoles are entries for the roles of a map, with two groups that none of
// them has. A role that is mapped twice, or has no groups of its own left when
// ours go, is left out: of it authmap.RemoveRole takes more than authmap.AddRole brings.
func mappedRoles(data map[string]string) []authmap.Entry {
	roles := authmap.Parse(data).Roles
	var out []authmap.Entry
	for _, r := range roles {
		arn, err := authmap.MappingARN(r.RoleARN)
		twice := func(o authmap.Role) bool { return strings.EqualFold(o.RoleARN, r.RoleARN) }
		if err != nil || arn != r.RoleARN || len(r.Groups) == 0 ||
			slices.IndexFunc(roles, twice) != len(roles)-1-slices.IndexFunc(reversed(roles), twice) {
			continue
		}
		out = append(out, authmap.Entry{RoleARN: arn, Username: r.Username, Groups: []string{"team:new", "it's, new"}})
	}
	return out
}

func reversed(roles []authmap.Role) []authmap.Role {
	out := slices.Clone(roles)
	slices.Reverse(out)
	return out
}

func checkMerged(t *testing.T, before, after oracleMap, e authmap.Entry) {
	t.Helper()
	i := slices.IndexFunc(before.Roles, func(r config.RoleMapping) bool { return r.RoleARN == e.RoleARN })
	before.Roles = slices.Clone(before.Roles)
	before.Roles[i].Groups = append(slices.Clone(before.Roles[i].Groups), e.Groups...)
	if !reflect.DeepEqual(before, after) {
		t.Errorf("the authenticator reads more than two groups changed\nwant %+v\n got %+v", before, after)
	}
}
