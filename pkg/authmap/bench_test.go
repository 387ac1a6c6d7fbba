package authmap

import (
	"fmt"
	"strings"
	"testing"
)

// sizes are numbers of entries: from a young cluster's to as many as a
// ConfigMap holds.
func sizes() []int { return []int{10, 100, 1_000, 5_000} }

// manyRoles is a map of n roles, all but one with a path that hides them.
func manyRoles(n int) map[string]string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "- rolearn: arn:aws:iam::111122223333:role/team/nodes-%d\n  username: system:node:{{EC2PrivateDNSName}}\n  groups: [system:nodes]\n", i)
	}
	return map[string]string{KeyRoles: b.String()}
}

func benchmark(b *testing.B, data func(n int) map[string]string, do func(map[string]string) error) {
	for _, n := range sizes() {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			d := data(n)
			b.SetBytes(int64(len(d[KeyRoles])))
			b.ReportAllocs()
			for b.Loop() {
				if err := do(d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	benchmark(b, manyRoles, func(data map[string]string) error {
		if m := Parse(data); len(m.Problems) > 0 {
			return fmt.Errorf("%v", m.Problems)
		}
		return nil
	})
}

// BenchmarkSimulate has a near miss on every line, each with a line to tell.
func BenchmarkSimulate(b *testing.B) {
	id := Identity{ARN: "arn:aws:sts::111122223333:assumed-role/nodes-7/i-0123456789abcdef0", PrivateDNSName: dnsName}
	benchmark(b, manyRoles, func(data map[string]string) error {
		if v := Simulate(id, ModeConfigMap, nil, data); len(v.Notes) == 0 {
			return fmt.Errorf("%+v", v)
		}
		return nil
	})
}

func BenchmarkAddRole(b *testing.B) {
	benchmark(b, manyRoles, func(data map[string]string) error {
		_, err := AddRole(data, NodeEntry(nodeRole))
		return err
	})
}

func BenchmarkRemoveRole(b *testing.B) {
	with := func(n int) map[string]string {
		edit, err := AddRole(manyRoles(n), NodeEntry(nodeRole))
		if err != nil {
			b.Fatal(err)
		}
		return edit.Data
	}
	benchmark(b, with, func(data map[string]string) error {
		_, err := RemoveRole(data, NodeEntry(nodeRole))
		return err
	})
}
