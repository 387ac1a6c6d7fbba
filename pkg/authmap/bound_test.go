package authmap

import (
	"errors"
	"strings"
	"testing"
)

// work is how many bytes an edit of a text reads.
func work(t *testing.T, text string, edit func(state) bool) int {
	t.Helper()
	s, err := read(text)
	if err != nil {
		t.Fatal(err)
	}
	edit(s)
	return maxEditWork - *s.left
}

// TestWorkGrowsWithTheText: ten times the entries, ten times the work.
func TestWorkGrowsWithTheText(t *testing.T) {
	entry, err := NodeEntry(nodeRole).forMap()
	if err != nil {
		t.Fatal(err)
	}
	add := func(s state) bool { _, _, ok := addText(s, true, entry); return ok }
	remove := func(s state) bool { _, _, ok := removeText(s, len(s.raw)-1, entry); return ok }
	flow := func(n int) string {
		return "[" + strings.Repeat(`{rolearn: "x", username: "{{SessionName}}", groups: ["a"]},`+"\n", n) + ourFlow + "]"
	}
	for name, test := range map[string]struct {
		text func(n int) string
		edit func(state) bool
	}{
		"add to a block list":      {func(n int) string { return manyRoles(n)[KeyRoles] }, add},
		"add to a flow list":       {flow, add},
		"remove from a block list": {func(n int) string { return manyRoles(n)[KeyRoles] + ourItem }, remove},
		"remove from a flow list":  {flow, remove},
	} {
		t.Run(name, func(t *testing.T) {
			small, large := test.text(100), test.text(1_000)
			// how often the text is read
			few, many := work(t, small, test.edit)/len(small), work(t, large, test.edit)/len(large)
			if many > few+1 || many > 16 {
				t.Errorf("100 entries are read %d times, 1000 entries %d times", few, many)
			}
		})
	}
}

// TestHostileTextsTakeBoundedWork: what offers an edit more and more places to
// try is refused in the end, and is never tried for ever.
func TestHostileTextsTakeBoundedWork(t *testing.T) {
	const kilobytes = 40
	fill := func(piece string) string { return strings.Repeat(piece, kilobytes<<10/len(piece)) }
	ours := Entry{RoleARN: nodeRole, Username: NodeUsername, Groups: []string{"system:bootstrappers", "system:nodes"}}
	head := "- rolearn: " + nodeRole + "\n  username: " + NodeUsername + "\n"
	for name, text := range map[string]string{
		"brackets behind the list": "[{rolearn: x}] # " + fill("]"),
		"braces behind the entry":  "[" + ourFlow + ", {rolearn: x}] # " + fill("}"),
		"placeholders":             fill("# was null\n") + ourItem,
		"our entry over and over":  fill(ourItem),
		"our groups over and over": head + "  groups:\n  - mine\n" + fill("  - system:nodes\n"),
		"deep nesting":             "- x: " + strings.Repeat("[", 5_000) + strings.Repeat("]", 5_000) + "\n" + ourItem,
	} {
		t.Run(name, func(t *testing.T) {
			const limit = 2 << 20
			left := limit
			s, err := readWithin(text, &left)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := addRole(map[string]string{KeyRoles: text}, s, ours); err != nil {
				t.Log(err)
			}
			if _, err := removeRole(map[string]string{KeyRoles: text}, s, ours); err != nil {
				t.Log(err)
			}
			if over := -left; over > 2*len(text) {
				t.Errorf("%d bytes over the limit of %d", over, limit)
			}
		})
	}
}

func TestWhatNoConfigMapCanBeIsNotRead(t *testing.T) {
	bomb := "- &a " + strings.Repeat("x", 10_000) + "\n- [" + strings.Repeat("*a,", 10_000) + "]\n"
	nested := "- &a [x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		nested += "- &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+",", 8) + "]\n"
	}
	for name, text := range map[string]string{
		"longer than a ConfigMap": strings.Repeat("#\n", maxText/2+1),
		"a long alias":            bomb,
		"aliases of aliases":      nested,
	} {
		t.Run(name, func(t *testing.T) {
			data := map[string]string{KeyRoles: text, KeyUsers: text, KeyAccounts: text}
			m := Parse(data)
			if len(m.Roles)+len(m.Users)+len(m.Accounts) > 0 || len(m.Problems) != 3 {
				t.Errorf("%d problems: %v", len(m.Problems), m.Problems)
			}
			for _, p := range m.Problems {
				if !p.Dropped {
					t.Errorf("%s", p)
				}
			}
			var parse *ParseError
			if _, err := AddRole(data, NodeEntry(nodeRole)); !errors.As(err, &parse) {
				t.Errorf("AddRole gives %v", err)
			}
		})
	}
}
