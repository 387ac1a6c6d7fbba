package authmap

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/aws-iam-authenticator/pkg/config"
)

// TestMergeOnGeneratedMaps gives roles that are mapped already further groups
// and takes them away again: by the authenticator's reading nothing but the
// groups of that one entry changes, and in the end the bytes are the same.
func TestMergeOnGeneratedMaps(t *testing.T) {
	merged, refused := 0, 0
	for seed := range uint64(500) {
		data := newGen(seed).data()
		for _, e := range mappedRoles(data) {
			add, err := AddRole(data, e)
			var layout *LayoutError
			if errors.As(err, &layout) {
				refused++
				continue
			}
			if err != nil || add.Action != ActionMerged {
				t.Fatalf("seed %d: AddRole(%q, %v) gives %q, %v", seed, data[KeyRoles], e, add.Action, err)
			}
			merged++
			checkMerged(t, oracle(data), oracle(add.Data), e)
			remove, err := RemoveRole(add.Data, e)
			if err != nil || remove.Data[KeyRoles] != data[KeyRoles] {
				t.Errorf("merge and trim do not give the same bytes: %v\nbefore %q\nmerged %q\n after %q", err, data[KeyRoles], add.Data[KeyRoles], remove.Data[KeyRoles])
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
// ours go, is left out: of it RemoveRole takes more than AddRole brings.
func mappedRoles(data map[string]string) []Entry {
	roles := Parse(data).Roles
	var out []Entry
	for _, r := range roles {
		arn, err := MappingARN(r.RoleARN)
		twice := func(o Role) bool { return strings.EqualFold(o.RoleARN, r.RoleARN) }
		if err != nil || arn != r.RoleARN || len(r.Groups) == 0 ||
			slices.IndexFunc(roles, twice) != len(roles)-1-slices.IndexFunc(reversed(roles), twice) {
			continue
		}
		out = append(out, Entry{RoleARN: arn, Username: r.Username, Groups: []string{"team:new", "it's, new"}})
	}
	return out
}

func reversed(roles []Role) []Role {
	out := slices.Clone(roles)
	slices.Reverse(out)
	return out
}

func checkMerged(t *testing.T, before, after oracleMap, e Entry) {
	t.Helper()
	i := slices.IndexFunc(before.Roles, func(r config.RoleMapping) bool { return r.RoleARN == e.RoleARN })
	before.Roles = slices.Clone(before.Roles)
	before.Roles[i].Groups = append(slices.Clone(before.Roles[i].Groups), e.Groups...)
	if !reflect.DeepEqual(before, after) {
		t.Errorf("the authenticator reads more than two groups changed\nwant %+v\n got %+v", before, after)
	}
}
