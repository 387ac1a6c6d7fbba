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

// TestSettleOnGeneratedMaps settles every role that generated maps have. By
// the authenticator's reading the role is then mapped once and right, and all
// others are mapped as before.
func TestSettleOnGeneratedMaps(t *testing.T) {
	settled, refused := 0, 0
	for seed := range uint64(500) {
		data := generate.New(seed).AWSAuth()
		for _, role := range authmap.Parse(data).Roles {
			arn, err := authmap.MappingARN(role.RoleARN)
			if err != nil || arn != role.RoleARN {
				continue
			}
			edit, err := authmap.SettleRole(data, authmap.NodeEntry(arn), "")
			var layout *authmap.LayoutError
			if errors.As(err, &layout) {
				refused++
				continue
			}
			if err != nil {
				t.Fatalf("seed %d: SettleRole(%q, %s): %v", seed, data[authmap.KeyRoles], arn, err)
			}
			settled++
			checkSettled(t, oracle(data), oracle(edit.Data), arn)
			if t.Failed() {
				t.Fatalf("seed %d, role %s\nbefore %q\n after %q", seed, arn, data[authmap.KeyRoles], edit.Data[authmap.KeyRoles])
			}
		}
	}
	t.Logf("%d settled, %d refused for aliases, keys of others and the like", settled, refused)
	if refused > settled/2 {
		t.Errorf("%d settled, but %d refused", settled, refused)
	}
}

func checkSettled(t *testing.T, before, after oracleMap, arn string) {
	t.Helper()
	ours := func(r config.RoleMapping) bool { return strings.EqualFold(r.RoleARN, arn) }
	others := func(roles []config.RoleMapping) []config.RoleMapping {
		return slices.DeleteFunc(slices.Clone(roles), ours)
	}
	if !slices.EqualFunc(others(before.Roles), others(after.Roles), func(a, b config.RoleMapping) bool { return reflect.DeepEqual(a, b) }) {
		t.Errorf("other roles were %+v, are %+v", others(before.Roles), others(after.Roles))
	}
	var now []config.RoleMapping
	for _, role := range after.Roles {
		if ours(role) {
			now = append(now, role)
		}
	}
	if len(now) != 1 || now[0].Username != authmap.NodeUsername || !slices.Contains(now[0].Groups, "system:nodes") || !slices.Contains(now[0].Groups, "system:bootstrappers") {
		t.Errorf("the role is mapped by %+v", now)
	}
}
