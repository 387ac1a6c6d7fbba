package authmap

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSettleRole(t *testing.T) {
	const path = "arn:aws:iam::111122223333:role/team/nodes"
	wrong := "- rolearn: " + nodeRole + "\n  username: worker\n  groups:\n  - view\n"
	right := "- rolearn: " + nodeRole + "\n  username: " + NodeUsername + "\n  groups:\n  - view\n  - system:bootstrappers\n  - system:nodes\n"
	anew := "- rolearn: " + nodeRole + "\n  username: " + NodeUsername + "\n  groups:\n    - system:bootstrappers\n    - system:nodes\n"
	for name, test := range map[string]struct{ before, instead, after string }{
		"no map yet":                 {"", "", anew},
		"not mapped":                 {otherItem, "", otherItem + anew},
		"right already":              {otherItem + ourItem, "", otherItem + ourItem},
		"user and groups":            {otherItem + wrong, "", otherItem + right},
		"twice, the last is wrong":   {ourItem + otherItem + wrong, "", otherItem + right},
		"three times":                {wrong + ourItem + otherItem + ourItem, "", otherItem + ourItem},
		"path":                       {strings.Replace(ourItem, nodeRole, path, 1) + otherItem, path, ourItem + otherItem},
		"path beside a right one":    {strings.Replace(ourItem, nodeRole, path, 1) + ourItem, path, strings.Replace(ourItem, nodeRole, path, 1) + ourItem},
		"what it meant is gone":      {otherItem, path, otherItem + anew},
		"no user at all":             {otherItem + "- rolearn: " + nodeRole + "\n", "", otherItem + anew},
		"groups are a word":          {"- rolearn: " + nodeRole + "\n  username: " + NodeUsername + "\n  groups: system:nodes\n" + otherItem, "", otherItem + anew},
		"a dead one in strange form": {otherItem + "- rolearn: >-\n    " + path + "\n  username: x\n", path, otherItem + anew},
		"a copy of itself":           {"- &a\n  rolearn: " + nodeRole + "\n  username: >-\n    x\n- *a\n", "", strings.TrimSuffix(anew, "\n")},
		"a dead one with other keys": {"- rolearn: " + path + "\n  note: mine\n", path, "- rolearn: " + path + "\n  note: mine\n" + anew},
	} {
		t.Run(name, func(t *testing.T) {
			data := map[string]string{KeyRoles: test.before, KeyUsers: "- userarn: x\n"}
			if test.before == "" {
				data = nil
			}
			edit, err := SettleRole(data, NodeEntry(path), test.instead)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.after, edit.Data[KeyRoles]); diff != "" {
				t.Error(diff)
			}
			if edit.Changed() != (test.before != test.after) || edit.Changed() == (edit.Diff() == "") {
				t.Errorf("action %s, diff %q", edit.Action, edit.Diff())
			}
			if data != nil && edit.Data[KeyUsers] != data[KeyUsers] {
				t.Errorf("mapUsers changed: %q", edit.Data[KeyUsers])
			}
			again, err := SettleRole(edit.Data, NodeEntry(path), test.instead)
			if err != nil || again.Changed() {
				t.Errorf("once more: %v, %s", err, again.Diff())
			}
		})
	}
}

func TestSettleRoleRefuses(t *testing.T) {
	var layout *LayoutError
	var parse *ParseError
	for name, test := range map[string]struct {
		text string
		want any
	}{
		"a text that cannot be read": {"- a: b: c", &parse},
		"keys that would be lost":    {"- rolearn: " + nodeRole + "\n  note: mine\n", &layout},
	} {
		if edit, err := SettleRole(map[string]string{KeyRoles: test.text}, NodeEntry(nodeRole), ""); !errors.As(err, test.want) {
			t.Errorf("%s: %v\n%s", name, err, edit.Diff())
		}
	}
}
