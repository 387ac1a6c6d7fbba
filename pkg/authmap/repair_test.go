package authmap

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRepairRole(t *testing.T) {
	const path = "arn:aws:iam::111122223333:role/team/nodes"
	tests := map[string]struct{ before, after string }{
		"path":     {strings.Replace(otherItem+ourItem, nodeRole, path, 1), otherItem + ourItem},
		"quotes":   {strings.Replace(otherItem+ourItem, nodeRole, `"`+path+`"`, 1), otherItem + ourItem},
		"username": {strings.Replace(otherItem+ourItem, NodeUsername, "'{{SessionName}}'", 1), otherItem + ourItem},
		"groups": {
			otherItem + "- rolearn: " + nodeRole + "\n  username: " + NodeUsername + "\n  groups:\n  - system:bootstrappers\n",
			otherItem + "- rolearn: " + nodeRole + "\n  username: " + NodeUsername + "\n  groups:\n  - system:bootstrappers\n  - system:nodes\n",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			edit, err := RepairRole(map[string]string{KeyRoles: test.before}, 1, NodeEntry(path))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.after, edit.Data[KeyRoles]); diff != "" {
				t.Error(diff)
			}
			if edit.Action != ActionRepaired || edit.Diff() == "" {
				t.Errorf("action %s, diff %q", edit.Action, edit.Diff())
			}
		})
	}
}

func TestRepairRoleRefuses(t *testing.T) {
	var layout *LayoutError
	for name, text := range map[string]string{
		"no such entry": otherItem,
		"no username":   otherItem + "- rolearn: " + nodeRole + "\n",
		"an alias":      "- &a\n  rolearn: x\n  username: y\n- *a\n",
		"folded":        otherItem + "- rolearn: >-\n    " + nodeRole + "x\n  username: y\n",
	} {
		if edit, err := RepairRole(map[string]string{KeyRoles: text}, 1, NodeEntry(nodeRole)); !errors.As(err, &layout) {
			t.Errorf("%s: %v\n%s", name, err, edit.Diff())
		}
	}
	var parse *ParseError
	if _, err := RepairRole(map[string]string{KeyRoles: "- a: b: c"}, 0, NodeEntry(nodeRole)); !errors.As(err, &parse) {
		t.Errorf("got %v", err)
	}
}

func TestItemsAndUnread(t *testing.T) {
	data := map[string]string{KeyRoles: "  - role_arn: x\n  - rolearn: z\n" + ourItem}
	items := Items(data)
	if len(items) != 2 || items[0].Dropped == "" || items[0].JSON != `{"role_arn":"x"}` || items[1].Line != 2 || items[1].RoleARN != "z" {
		t.Errorf("items %+v", items)
	}
	line, text := Unread(data)
	if line != 3 || text != ourItem {
		t.Errorf("line %d: %q", line, text)
	}
	if line, text := Unread(map[string]string{KeyRoles: ourItem}); line != 0 || text != "" {
		t.Errorf("line %d: %q", line, text)
	}
	if got := Line(data, KeyRoles, 2); got != "- rolearn: z" || Line(data, KeyRoles, 99) != "" {
		t.Errorf("line 2 is %q", got)
	}
}
