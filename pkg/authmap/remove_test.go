package authmap

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRemoveRole(t *testing.T) {
	head := "- rolearn: " + nodeRole + "\n  username: " + NodeUsername + "\n"
	tests := map[string]struct {
		before, after string
		action        Action
		notes         []string
	}{
		"first":  {ourItem + otherItem, otherItem, ActionRemoved, nil},
		"middle": {otherItem + ourItem + otherItem, otherItem + otherItem, ActionRemoved, nil},
		"comments around it stay": {"# ours\n" + ourItem + "\n# theirs\n" + otherItem,
			"# ours\n\n# theirs\n" + otherItem, ActionRemoved, nil},
		"written by others": {head + "  groups: [system:nodes, 'system:bootstrappers'] # stock\n" + otherItem, otherItem, ActionRemoved, nil},
		"twice":             {ourItem + otherItem + ourItem, otherItem, ActionRemoved, nil},
		"in flow, first":    {"[" + ourFlow + ", {rolearn: x}]", "[{rolearn: x}]", ActionRemoved, nil},
		"in flow, middle":   {"[{rolearn: x}," + ourFlow + ", {rolearn: x}]", "[{rolearn: x}, {rolearn: x}]", ActionRemoved, nil},
		"in json on lines":  {"[\n  {\"rolearn\": \"x\"},\n  " + ourFlow + "\n]\n", "[\n  {\"rolearn\": \"x\"}\n]\n", ActionRemoved, nil},
		"only one in flow":  {"[ " + ourFlow + " ]", "[  ]", ActionRemoved, nil},
		"further groups": {head + "  groups:\n  - system:nodes\n  - x # keep\n  - system:bootstrappers # b\n", head + "  groups:\n  - x # keep\n",
			ActionTrimmed, []string{"mapRoles line 1 has further groups: only system:nodes, system:bootstrappers taken out"}},
		"further groups in flow": {head + "  groups: [system:nodes, x, 'system:bootstrappers']\n", head + "  groups: [x]\n",
			ActionTrimmed, []string{"mapRoles line 1 has further groups: only system:nodes, system:bootstrappers taken out"}},
		"other username": {"- rolearn: " + nodeRole + "\n  username: x\n", "- rolearn: " + nodeRole + "\n  username: x\n",
			ActionNone, []string{`mapRoles line 1 maps the role, but its username is "x", not "system:node:{{EC2PrivateDNSName}}": left as it is`}},
		"fewer groups": {head + "  groups: [system:nodes]\n", head + "  groups: [system:nodes]\n",
			ActionNone, []string{"mapRoles line 1 maps the role, but it lacks system:bootstrappers: left as it is"}},
		"other groups": {head + "  groups: [x]\n", head + "  groups: [x]\n",
			ActionNone, []string{"mapRoles line 1 maps the role, but it has none of our groups: left as it is"}},
		"further keys": {ourItem + "  note: x\n", ourItem + "  note: x\n",
			ActionNone, []string{"mapRoles line 1 maps the role, but it has keys that ours does not have: left as it is"}},
		"not there": {otherItem, otherItem, ActionNone, nil},
		"with path": {"- rolearn: arn:aws:iam::111122223333:role/p/nodes\n", "- rolearn: arn:aws:iam::111122223333:role/p/nodes\n",
			ActionNone, []string{"mapRoles line 1 maps arn:aws:iam::111122223333:role/p/nodes with its path, which the authenticator never matches"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, ending := range []string{"\n", "\r\n"} {
				before, after := strings.ReplaceAll(test.before, "\n", ending), strings.ReplaceAll(test.after, "\n", ending)
				edit, err := RemoveRole(map[string]string{KeyRoles: before}, NodeEntry(nodeRole))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(map[string]string{KeyRoles: after}, edit.Data); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff(test.notes, edit.Notes); diff != "" || edit.Action != test.action {
					t.Errorf("action %q, notes %s", edit.Action, diff)
				}
			}
		})
	}
}

func TestRemoveRoleRefuses(t *testing.T) {
	tests := map[string]struct {
		text string
		want error
	}{
		"unreadable":    {"- a: b: c\n", &ParseError{KeyRoles, 1, "mapping values are not allowed in this context"}},
		"shared anchor": {strings.Replace(ourItem, "- ", "- &n\n  ", 1) + "- <<: *n\n  rolearn: y\n", &LayoutError{1, "the entry cannot be taken out without changing something else"}},
		"a second document would come first": {ourItem + "---\n" + otherItem,
			&LayoutError{1, "the entry cannot be taken out without changing something else"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := RemoveRole(map[string]string{KeyRoles: test.text}, NodeEntry(nodeRole))
			if diff := cmp.Diff(test.want, err); diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

// Groups that were merged into an entry that had none of ours go again.
func TestMergeAndTrimGiveTheSameBytes(t *testing.T) {
	head := "- rolearn: " + nodeRole + "\n  username: " + NodeUsername + "\n"
	for _, tail := range []string{
		"  groups:\n  - x\n", "  groups:\n    - x # c\n    - y", "  groups: [x]\n", "  groups: [ x, ]\n", "  groups: [\n    x\n    ]\n",
		"  groups: [\"a, b\", 'it''s']\n", "  Groups:\n  - x\n" + otherItem,
	} {
		for _, ending := range []string{"\n", "\r\n"} {
			text := strings.ReplaceAll(head+tail, "\n", ending)
			add, err := AddRole(map[string]string{KeyRoles: text}, WindowsNodeEntry(nodeRole))
			if err != nil || add.Action != ActionMerged {
				t.Fatalf("AddRole(%q): %v, %v", text, add.Action, err)
			}
			remove, err := RemoveRole(add.Data, WindowsNodeEntry(nodeRole))
			if err != nil || remove.Action != ActionTrimmed {
				t.Fatalf("RemoveRole(%q): %v, %v", add.Data, remove.Action, err)
			}
			if diff := cmp.Diff(text, remove.Data[KeyRoles]); diff != "" {
				t.Errorf("%q: %s", text, diff)
			}
		}
	}
}

func TestSeveralGroupsComeAndGoInAnyOrder(t *testing.T) {
	roles := []string{nodeRole, nodeRole + "-b", nodeRole + "-c"}
	orders := [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}
	for _, text := range []string{"", otherItem, crlf(otherItem) + "# end", "[]", "[\n]", "[{rolearn: x}]", "[{rolearn: x}, ]", "[\n  {\"rolearn\": \"x\"}\n]", "null"} {
		for _, order := range orders {
			data := map[string]string{KeyRoles: text}
			for _, role := range roles {
				edit, err := AddRole(data, NodeEntry(role))
				if err != nil {
					t.Fatal(err)
				}
				data = edit.Data
			}
			for _, i := range order {
				edit, err := RemoveRole(data, NodeEntry(roles[i]))
				if err != nil || edit.Action != ActionRemoved {
					t.Fatalf("RemoveRole(%q): %v, %v", data, edit.Action, err)
				}
				data = edit.Data
			}
			if diff := cmp.Diff(map[string]string{KeyRoles: text}, data); diff != "" {
				t.Errorf("order %v: %s", order, diff)
			}
		}
	}
}
