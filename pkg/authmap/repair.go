package authmap

import (
	"fmt"
	"slices"

	yamlv3 "go.yaml.in/yaml/v3"
)

// ActionRepaired puts an entry right that does not do what it is there for.
const ActionRepaired Action = "repaired"

// RepairRole puts entry i of mapRoles right: its ARN and username become those
// of want, and groups that lack are added. Nothing else changes. A text that
// cannot be read is a *ParseError, an entry that is not written plainly a
// *LayoutError.
func RepairRole(data map[string]string, i int, want Entry) (Edit, error) {
	entry, err := want.forMap()
	if err != nil {
		return Edit{}, err
	}
	text := data[KeyRoles]
	before, parseErr := read(text)
	if parseErr != nil {
		return Edit{}, parseErr
	}
	d := before.doc()
	if i < 0 || i >= len(before.raw) || d.root == nil || len(d.root.Content) != len(before.raw) {
		return Edit{}, &LayoutError{Line: d.rootLine(), Reason: "the entry was not found in the text"}
	}
	line := d.root.Content[i].Line
	for _, change := range [][2]string{{"rolearn", entry.RoleARN}, {"username", entry.Username}} {
		after, ok := newDocument(text).withValue(i, change[0], change[1])
		if !ok {
			return Edit{}, &LayoutError{Line: line, Reason: fmt.Sprintf("the entry's %s is not written plainly", change[0])}
		}
		text = after
	}
	now, ok := before.again(text)
	if !ok {
		return Edit{}, &LayoutError{Line: line, Reason: "the entry cannot be changed without changing something else"}
	}
	wanted := slices.Clone(before.raw)
	wanted[i].RoleARN, wanted[i].Username = entry.RoleARN, entry.Username
	if !slices.EqualFunc(now.raw, wanted, sameRole) {
		return Edit{}, &LayoutError{Line: line, Reason: "the entry cannot be changed without changing something else"}
	}
	if now, err = now.withGroups(i, missing(entry.Groups, now.raw[i].Groups)); err != nil {
		return Edit{}, err
	}
	edit := unchanged(data)
	edit.Data, edit.Line = withRoles(data, now.text), line
	if now.text != data[KeyRoles] {
		edit.Action = ActionRepaired
	}
	return edit, nil
}

// withValue gives the text with another value for a key of entry i. Only a
// value that stands on its line as it is read, bare or in quotes, is replaced.
func (d *document) withValue(i int, key, value string) (string, bool) {
	if d.root == nil || i >= len(d.root.Content) {
		return "", false
	}
	node := mapValue(d.root.Content[i], key)
	if node == nil || node.Kind != yamlv3.ScalarNode {
		return "", false
	}
	if node.Value == value {
		return d.text, true
	}
	at, written := d.offset(node), scalar(value)
	if d.root.Style&yamlv3.FlowStyle != 0 || d.root.Content[i].Style&yamlv3.FlowStyle != 0 {
		written = quoted(value) // braces and commas mean something there, and JSON has nothing else
	}
	for _, quote := range []string{"", `"`, "'"} {
		have := quote + node.Value + quote
		if len(d.text) >= at+len(have) && d.text[at:at+len(have)] == have && node.Value != "" {
			return d.apply(splice{at: at, drop: len(have), insert: written}), true
		}
	}
	return "", false
}
