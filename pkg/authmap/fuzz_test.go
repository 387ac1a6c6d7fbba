package authmap

import (
	"testing"
)

// FuzzAddRole checks that adding and removing our entry gives the same bytes
// back on any text, and changes nothing else by the authenticator's reading.
func FuzzAddRole(f *testing.F) {
	for _, s := range seedTexts() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, roles string) {
		data := map[string]string{KeyRoles: roles}
		edit, err := AddRole(data, NodeEntry(ourRole))
		if err != nil {
			return // refused: nothing is written
		}
		if edit.Action == ActionAdded {
			checkOnlyOurs(t, oracle(data), oracle(edit.Data))
			checkOnlyInserted(t, roles, edit.Data[KeyRoles])
		}
		again, err := AddRole(edit.Data, NodeEntry(ourRole))
		if err != nil || again.Changed() {
			t.Errorf("a second AddRole gives %q, %v", again.Action, err)
		}
		remove, err := RemoveRole(edit.Data, NodeEntry(ourRole))
		if edit.Action == ActionAdded && (err != nil || remove.Data[KeyRoles] != roles) {
			t.Errorf("add and remove give %q, %v", remove.Data, err)
		}
	})
}

// FuzzRemoveRole checks that a removal takes nothing but entries for our role
// and never adds any.
func FuzzRemoveRole(f *testing.F) {
	for _, s := range seedTexts() {
		f.Add(s)
		if edit, err := AddRole(map[string]string{KeyRoles: s}, NodeEntry(ourRole)); err == nil {
			f.Add(edit.Data[KeyRoles])
		}
	}
	f.Fuzz(func(t *testing.T, roles string) {
		data := map[string]string{KeyRoles: roles}
		entry, err := NodeEntry(ourRole).forMap()
		if err != nil {
			t.Fatal(err)
		}
		edit, err := RemoveRole(data, entry)
		if err != nil || !edit.Changed() {
			return
		}
		others := func(m Map) []Role {
			var out []Role
			for _, r := range m.Roles {
				if !entry.maps(r) {
					out = append(out, r)
				}
			}
			return out
		}
		before, after := others(Parse(data)), others(Parse(edit.Data))
		if len(before) != len(after) {
			t.Fatalf("entries before %+v, after %+v", before, after)
		}
		for i := range before {
			if !sameRole(before[i], after[i]) {
				t.Errorf("entry %d was %+v, is %+v", i, before[i], after[i])
			}
		}
	})
}
