package authmap

import (
	"fmt"
	"testing"
)

// BenchmarkRemoveRole takes one of a hundred entries out: writers that lose a
// race compute their edit anew, so it must not take long.
func BenchmarkRemoveRole(b *testing.B) {
	data := map[string]string{}
	for i := range 100 {
		edit, err := AddRole(data, NodeEntry(fmt.Sprintf("%s-%d", nodeRole, i)))
		if err != nil {
			b.Fatal(err)
		}
		data = edit.Data
	}
	for b.Loop() {
		if edit, err := RemoveRole(data, NodeEntry(nodeRole+"-50")); err != nil || !edit.Changed() {
			b.Fatal(edit.Action, err)
		}
	}
}
