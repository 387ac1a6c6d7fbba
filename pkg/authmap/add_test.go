package authmap

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	nodeRole  = "arn:aws:iam::111122223333:role/nodes"
	otherItem = "- rolearn: arn:aws:iam::111122223333:role/Admin\n  username: admin\n  groups: [system:masters]\n"
	ourItem   = "- rolearn: arn:aws:iam::111122223333:role/nodes\n  username: system:node:{{EC2PrivateDNSName}}\n" +
		"  groups:\n    - system:bootstrappers\n    - system:nodes\n"
	ourFlow = `{"rolearn": "arn:aws:iam::111122223333:role/nodes", "username": "system:node:{{EC2PrivateDNSName}}", ` +
		`"groups": ["system:bootstrappers", "system:nodes"]}`
)

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
func deep(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n  ") + "\n"
}

func TestAddRoleWritesInTheMapsOwnStyle(t *testing.T) {
	tests := map[string]struct{ before, after string }{
		"block":                    {otherItem, otherItem + ourItem},
		"indented block":           {deep(otherItem), deep(otherItem) + deep(ourItem)},
		"no final newline":         {strings.TrimSpace(otherItem), strings.TrimSpace(otherItem + ourItem)},
		"windows line endings":     {crlf(otherItem), crlf(otherItem + ourItem)},
		"comment at the end":       {otherItem + "# end\n", otherItem + "# end\n" + ourItem},
		"blank lines at the end":   {otherItem + "\n\n", otherItem + ourItem + "\n\n"},
		"document markers":         {"---\n" + otherItem + "...\n", "---\n" + otherItem + ourItem + "...\n"},
		"second document":          {otherItem + "---\n- rolearn: x\n", otherItem + ourItem + "---\n- rolearn: x\n"},
		"list ended by a dedent":   {deep(otherItem) + otherItem, deep(otherItem) + deep(ourItem) + otherItem},
		"empty text":               {"", strings.TrimSpace(ourItem)},
		"quotes":                   {"''\n", "# was ''\n" + ourItem},
		"null":                     {"null # none\n", "# was null # none\n" + ourItem},
		"only comments":            {"# none yet\n", "# none yet\n" + ourItem},
		"empty list":               {"[]\n", "[" + ourFlow + "]\n"},
		"empty list on two lines":  {"[\n]\n", "[\n  " + ourFlow + "\n]\n"},
		"flow":                     {"[{rolearn: x}]\n", "[{rolearn: x}, " + ourFlow + "]\n"},
		"flow with a final comma":  {"[{rolearn: x},]\n", "[{rolearn: x}, " + ourFlow + ",]\n"},
		"flow with brackets after": {"[{rolearn: x}] # ]\n", "[{rolearn: x}, " + ourFlow + "] # ]\n"},
		"flow on lines":            {"[\n  {rolearn: x}\n]\n", "[\n  {rolearn: x}\n  , " + ourFlow + "\n]\n"},
		"flow on lines with comma": {"[\n  {rolearn: x}, # }]\n]\n", "[\n  {rolearn: x}, # }]\n  " + ourFlow + ",\n]\n"},
		"json":                     {`[{"rolearn":"x"}]`, `[{"rolearn":"x"}, ` + ourFlow + `]`},
		"block scalar at the end":  {"- rolearn: x\n  username: |+\n    a\n\n", "- rolearn: x\n  username: |+\n    a\n\n" + ourItem},
		"open block scalar":        {"- rolearn: x\n  username: |\n    a", ourItem + "- rolearn: x\n  username: |\n    a"},
		"entry that is ignored":    {"- role_arn: typo\n", "- role_arn: typo\n" + ourItem},
		"groups that are no list":  {"- rolearn: x\n  groups: a\n", "- rolearn: x\n  groups: a\n" + ourItem},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			edit, err := AddRole(map[string]string{KeyRoles: test.before, "other": "kept"}, NodeEntry(nodeRole))
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{KeyRoles: test.after, "other": "kept"}
			if diff := cmp.Diff(want, edit.Data); diff != "" {
				t.Error(diff)
			}
			if line := strings.Split(edit.Data[KeyRoles], "\n")[edit.Line-1]; !strings.Contains(line, "/nodes") {
				t.Errorf("Line is %d, which is %q", edit.Line, line)
			}
		})
	}
}

func TestAddRoleToAnAbsentMap(t *testing.T) {
	for _, data := range []map[string]string{nil, {}} {
		edit, err := AddRole(data, NodeEntry(nodeRole))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]string{KeyRoles: ourItem}, edit.Data); diff != "" {
			t.Error(diff)
		}
	}
}

func TestAddRoleLeavesARightEntryAlone(t *testing.T) {
	for name, text := range map[string]string{
		"as written by us":     ourItem,
		"other letter case":    strings.ToUpper(ourItem[:50]) + ourItem[50:],
		"further groups":       ourItem + "    - more\n",
		"last duplicate right": "- rolearn: " + nodeRole + "\n  username: other\n" + ourItem,
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(text, "- ROLEARN: ARN", "- rolearn: ARN", 1)
			edit, err := AddRole(map[string]string{KeyRoles: text}, NodeEntry("arn:aws:iam::111122223333:role/some/path/nodes"))
			if err != nil {
				t.Fatal(err)
			}
			if edit.Changed() || edit.Data[KeyRoles] != text || edit.Diff() != "" {
				t.Errorf("changed: %q", edit.Data[KeyRoles])
			}
		})
	}
}

func TestAddRoleMergesGroups(t *testing.T) {
	head := "- rolearn: " + nodeRole + "\n  username: " + NodeUsername + "\n"
	flowHead := "{rolearn: '" + nodeRole + "', username: '" + NodeUsername + "'"
	tests := map[string]struct{ before, after string }{
		"block":          {head + "  groups:\n  - x # c\n" + otherItem, head + "  groups:\n  - x # c\n  - system:bootstrappers\n  - system:nodes\n" + otherItem},
		"one lacks":      {head + "  groups:\n  - system:nodes\n", head + "  groups:\n  - system:nodes\n  - system:bootstrappers\n"},
		"flow":           {head + "  groups: [x] # ]\n", head + "  groups: [x, \"system:bootstrappers\", \"system:nodes\"] # ]\n"},
		"empty flow":     {head + "  groups: []\n", head + "  groups: [\"system:bootstrappers\", \"system:nodes\"]\n"},
		"no key":         {head + otherItem, head + "  groups:\n    - system:bootstrappers\n    - system:nodes\n" + otherItem},
		"flow entry":     {"[" + flowHead + ", groups: [x]}]", "[" + flowHead + ", groups: [x, \"system:bootstrappers\", \"system:nodes\"]}]"},
		"letter case":    {head + "  Groups:\n  - x", head + "  Groups:\n  - x\n  - system:bootstrappers\n  - system:nodes"},
		"last duplicate": {head + head + "  groups: [system:nodes]\n", head + head + "  groups: [system:nodes, \"system:bootstrappers\"]\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			edit, err := AddRole(map[string]string{KeyRoles: test.before}, NodeEntry(nodeRole))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.after, edit.Data[KeyRoles]); diff != "" {
				t.Error(diff)
			}
			if edit.Action != ActionMerged || len(edit.Groups) == 0 || len(edit.Notes) == 0 {
				t.Errorf("edit %+v does not say what was merged", edit)
			}
		})
	}
}

func TestAddRoleRefuses(t *testing.T) {
	head := "- rolearn: " + nodeRole + "\n  username: " + NodeUsername + "\n"
	tests := map[string]struct {
		text string
		want error
	}{
		"other username": {otherItem + "- rolearn: " + nodeRole + "\n  username: kubelet\n",
			&ConflictError{RoleARN: nodeRole, Line: 4, Reason: `its username is "kubelet", not "system:node:{{EC2PrivateDNSName}}"`}},
		"tab":             {"- rolearn: x\n\tusername: y\n", &ParseError{KeyRoles, 2, "found a tab character that violates indentation"}},
		"dedent":          {otherItem + " x: y\n", &ParseError{KeyRoles, 4, "did not find expected '-' indicator"}},
		"colon in value":  {otherItem + "- rolearn: a: b\n", &ParseError{KeyRoles, 4, "mapping values are not allowed in this context"}},
		"first line":      {"- rolearn: a: b\n", &ParseError{KeyRoles, 1, "mapping values are not allowed in this context"}},
		"unknown anchor":  {otherItem + "- *nobody\n", &ParseError{KeyRoles, 4, "unknown anchor 'nobody' referenced"}},
		"mapping":         {"# c\nrolearn: x\n", &ParseError{KeyRoles, 2, "a list of mappings is due, not a mapping"}},
		"string":          {"nodes\n", &ParseError{KeyRoles, 1, "a list of mappings is due, not a string"}},
		"whole map's key": {"mapRoles:\n- rolearn: x\n", &ParseError{KeyRoles, 1, "a list of mappings is due, not a mapping"}},
		"shared groups": {"- rolearn: x\n  groups: &g [a]\n" + head + "  groups: *g\n",
			&LayoutError{3, "the entry's groups are an alias of another list"}},
		"alias": {"- &e\n  rolearn: " + nodeRole + "\n  username: " + NodeUsername + "\n- *e\n",
			&LayoutError{4, "the entry is an alias of another one"}},
		"groups in words": {head + "  groups: system:nodes\n", &LayoutError{1, "the entry's groups are not a list"}},
		"null groups":     {head + "  groups:\n", &LayoutError{1, "the entry's groups are not a list"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			edit, err := AddRole(map[string]string{KeyRoles: test.text}, NodeEntry(nodeRole))
			if diff := cmp.Diff(test.want, err); diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
			if edit.Data != nil {
				t.Errorf("refused, yet there is an edit: %+v", edit)
			}
		})
	}
}

func TestAddRoleRefusesWhatIsNoRole(t *testing.T) {
	for _, arn := range []string{
		"", "nodes", "arn:aws:iam::111122223333:instance-profile/nodes", "arn:aws:iam::111122223333:user/ann",
		"arn:moon:iam::111122223333:role/nodes", "arn:aws:iam::111122223333:role/",
	} {
		if _, err := AddRole(nil, NodeEntry(arn)); err == nil {
			t.Errorf("AddRole accepts %q", arn)
		}
	}
}

func TestAddRoleIsNotFooledByAnEntryWithAPath(t *testing.T) {
	withPath := "- rolearn: arn:aws:iam::111122223333:role/a/nodes\n  username: " + NodeUsername + "\n  groups: [system:bootstrappers, system:nodes]\n"
	edit, err := AddRole(map[string]string{KeyRoles: withPath}, NodeEntry("arn:aws:iam::111122223333:role/a/nodes"))
	if err != nil {
		t.Fatal(err)
	}
	if edit.Action != ActionAdded || edit.Data[KeyRoles] != withPath+ourItem {
		t.Errorf("got %+v", edit)
	}
	want := []string{"mapRoles line 1 maps arn:aws:iam::111122223333:role/a/nodes with its path, which the authenticator never matches"}
	if diff := cmp.Diff(want, edit.Notes); diff != "" {
		t.Error(diff)
	}
}

func TestErrorsTellWhatToDo(t *testing.T) {
	_, err := AddRole(map[string]string{KeyRoles: "- a: b: c"}, NodeEntry(nodeRole))
	var parse *ParseError
	if !errors.As(err, &parse) {
		t.Fatalf("got %v", err)
	}
	want := "mapRoles line 1: mapping values are not allowed in this context: the authenticator reads nothing of it; repair it first"
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}
