package authmap

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"
)

func equalKey(a, b string) bool { return strings.EqualFold(a, b) }

// mergeRole brings the groups that lack into the entry that maps the role.
func mergeRole(edit Edit, before state, i int, e Entry) (Edit, error) {
	have := before.raw[i]
	line := before.doc().entryLine(i)
	if have.Username != e.Username {
		return Edit{}, &ConflictError{
			RoleARN: e.RoleARN, Line: line,
			Reason: fmt.Sprintf("its username is %q, not %q", have.Username, e.Username),
		}
	}
	edit.Line = line
	lacking := missing(e.Groups, have.Groups)
	if len(lacking) == 0 {
		return edit, nil
	}
	after, err := before.withGroups(i, lacking)
	if err != nil {
		return Edit{}, err
	}
	edit.Data = withRoles(edit.Data, after.text)
	edit.Action = ActionMerged
	edit.Groups = lacking
	edit.Notes = append(edit.Notes, fmt.Sprintf("%s line %d maps the role already: adding %s to its groups",
		KeyRoles, line, strings.Join(lacking, ", ")))
	return edit, nil
}

// withGroups appends groups to entry i, one after the other.
func (s state) withGroups(i int, groups []string) (state, error) {
	for _, group := range groups {
		next, err := s.withGroup(i, group)
		if err != nil {
			return state{}, err
		}
		s = next
	}
	return s, nil
}

func (s state) withGroup(i int, group string) (state, error) {
	d := s.doc()
	if d.root == nil || i >= len(d.root.Content) {
		return state{}, &LayoutError{Line: 1, Reason: "the entry was not found in the text"}
	}
	item := d.root.Content[i]
	groups := mapValue(item, "groups")
	if reason := uneditable(item, groups); reason != "" {
		return state{}, &LayoutError{Line: item.Line, Reason: reason}
	}
	accept := s.regrouped(i, append(slices.Clip(s.raw[i].Groups), group))
	if next, ok := s.first(d.groupAdditions(item, groups, group), accept); ok {
		return next, nil
	}
	return state{}, &LayoutError{Line: item.Line, Reason: fmt.Sprintf("group %q cannot be added without changing something else", group)}
}

func uneditable(item, groups *yamlv3.Node) string {
	switch {
	case item.Kind == yamlv3.AliasNode:
		return "the entry is an alias of another one"
	case groups == nil:
		return ""
	case groups.Kind == yamlv3.AliasNode:
		return "the entry's groups are an alias of another list"
	case groups.Kind != yamlv3.SequenceNode:
		return "the entry's groups are not a list"
	}
	return ""
}

func (d *document) groupAdditions(item, groups *yamlv3.Node, group string) iter.Seq[string] {
	switch {
	case groups == nil:
		return d.keyAdditions(item, group)
	case groups.Style&yamlv3.FlowStyle != 0:
		return d.flowAdditions(groups, quoted(group), nearestFirst)
	}
	return func(yield func(string) bool) {
		last := groups.Content[len(groups.Content)-1]
		at, ok := d.dash(last)
		if !ok {
			return
		}
		indent := d.text[d.starts[d.lineAt(at)]:at]
		yield(d.apply(d.insertLines(last.Line-1, []string{indent + "- " + scalar(group)})))
	}
}

// keyAdditions give an entry without groups a key for them.
func (d *document) keyAdditions(item *yamlv3.Node, group string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if len(item.Content) == 0 {
			return
		}
		if item.Style&yamlv3.FlowStyle != 0 {
			first := d.offset(item.Content[0])
			yield(d.apply(splice{at: first, insert: `"groups": [` + quoted(group) + `], `}))
			return
		}
		indent := strings.Repeat(" ", item.Content[0].Column-1)
		lines := []string{indent + "groups:", indent + "  - " + scalar(group)}
		for i := len(item.Content) - 1; i > 0; i -= 2 {
			if !yield(d.apply(d.insertLines(item.Content[i].Line-1, lines))) {
				return
			}
		}
	}
}
