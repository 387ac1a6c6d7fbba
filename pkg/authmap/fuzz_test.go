package authmap

import (
	"slices"
	"strings"
	"testing"
)

const ourRole = "arn:aws:iam::111122223333:role/eksnodes/OurOwnNodeRole"

// The fuzz targets that hold these parsers to the authenticator's own are in
// test/oracle; these find crashes, and what can be told without it.

func addTexts(f *testing.F) {
	for _, text := range []string{
		"", "''", "null", "[]", otherItem, deep(otherItem), crlf(otherItem), otherItem + ourItem, "[" + ourFlow + "]",
		"# was null\n" + ourItem, otherItem + "---\n- rolearn: x\n", "- &a {rolearn: x}\n- *a\n- <<: *a\n", "{", "- a: b: c\n", "- groups: x\n- rolearn: 1\n",
	} {
		f.Add(text)
	}
}

// FuzzRemoveRole checks that a removal takes nothing but entries for our role
// and never adds any.
func FuzzRemoveRole(f *testing.F) {
	addTexts(f)
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
		others := func(m Map) []Role { return slices.DeleteFunc(m.Roles, entry.maps) }
		before, after := others(Parse(data)), others(Parse(edit.Data))
		if !slices.EqualFunc(before, after, sameRole) {
			t.Errorf("other entries were %+v, are %+v", before, after)
		}
	})
}

// FuzzRepairRole checks that a repair changes one entry and no other.
func FuzzRepairRole(f *testing.F) {
	addTexts(f)
	f.Fuzz(func(t *testing.T, roles string) {
		data := map[string]string{KeyRoles: roles}
		for i := range Items(data) {
			edit, err := RepairRole(data, i, NodeEntry(ourRole))
			if err != nil {
				continue
			}
			before, after := Items(data), Items(edit.Data)
			if len(before) != len(after) || after[i].RoleARN != "arn:aws:iam::111122223333:role/OurOwnNodeRole" {
				t.Fatalf("entry %d of %q became %q", i, roles, edit.Data[KeyRoles])
			}
			for n := range before {
				if n != i && before[n].JSON != after[n].JSON {
					t.Errorf("entry %d of %q was touched: %q", n, roles, edit.Data[KeyRoles])
				}
			}
		}
	})
}

// FuzzProblems checks that whatever is said of a text has a line of it.
func FuzzProblems(f *testing.F) {
	for _, text := range []string{"", otherItem, "- a: b: c\n", "- *nobody\n", "x", "- userarn: 1\n- username: x\n", "\tx", "{", "- !!binary x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		data := map[string]string{KeyRoles: text, KeyUsers: text, KeyAccounts: text}
		lines := len(lineStarts(text)) + strings.Count(text, "\n")
		for _, p := range Parse(data).Problems {
			if p.Line < 1 || p.Line > lines || p.Reason == "" {
				t.Errorf("%+v in a text of %d lines", p, lines)
			}
		}
		if line, rest := Unread(data); line > 0 && !strings.HasSuffix(text, rest) {
			t.Errorf("line %d is said not to be read: %q", line, rest)
		}
		id := Identity{ARN: "arn:aws:sts::111122223333:assumed-role/nodes/i-0123456789abcdef0"}
		if v := Simulate(id, ModeConfigMap, nil, data); v.Outcome == "" || v.Reason == "" {
			t.Errorf("%+v", v)
		}
	})
}
