package authmap

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"
)

// RemoveRole takes out of mapRoles what AddRole would put in: an entry that is
// exactly e goes; one with further groups loses only those of e. Anything
// else that maps the role is left as it is, and a note says so. Text that the
// authenticator cannot read is a *ParseError.
func RemoveRole(data map[string]string, e Entry) (Edit, error) {
	entry, err := e.forMap()
	if err != nil {
		return Edit{}, err
	}
	before, parseErr := read(data[KeyRoles])
	if parseErr != nil {
		return Edit{}, parseErr
	}
	return removeRole(data, before, entry)
}

func removeRole(data map[string]string, before state, e Entry) (Edit, error) {
	edit := unchanged(data)
	edit.Notes = notes(before, e)
	ours := before.all(e.maps)
	for n, i := range slices.Backward(ours) { // those that are left keep their places
		step, err := removeOne(edit.Data, before, i, e)
		if err != nil {
			return Edit{}, err
		}
		edit.take(step)
		if n == 0 || !step.Changed() {
			continue
		}
		var ok bool
		if before, ok = before.again(step.Data[KeyRoles]); !ok {
			return Edit{}, &LayoutError{Line: step.Line, Reason: "too many entries map the role"}
		}
	}
	return edit, nil
}

// take adds one step (one of several entries for the same role) to the edit.
func (e *Edit) take(step Edit) {
	e.Notes = append(e.Notes, step.Notes...)
	if !step.Changed() {
		return
	}
	e.Data, e.Line = step.Data, step.Line
	if e.Action != ActionRemoved {
		e.Action = step.Action
	}
	for _, g := range step.Groups {
		if !slices.Contains(e.Groups, g) {
			e.Groups = append(e.Groups, g)
		}
	}
}

// removeOne deals with entry i, which maps the role.
func removeOne(data map[string]string, before state, i int, e Entry) (Edit, error) {
	have := before.raw[i]
	step := unchanged(data)
	line := before.doc().entryLine(i)
	leave := func(reason string) (Edit, error) {
		step.Notes = []string{fmt.Sprintf("%s line %d maps the role, but %s: left as it is", KeyRoles, line, reason)}
		return step, nil
	}
	extra := missing(have.Groups, e.Groups)
	ours := missing(have.Groups, extra)
	switch {
	case have.Username != e.Username:
		return leave(fmt.Sprintf("its username is %q, not %q", have.Username, e.Username))
	case len(extra) > 0 && len(ours) == 0:
		return leave("it has none of our groups")
	case len(extra) > 0:
		return trim(step, before, i, e)
	case len(missing(e.Groups, have.Groups)) > 0:
		return leave("it lacks " + strings.Join(missing(e.Groups, have.Groups), ", "))
	case have.UserID != "" || !onlyKeys(before.items[i]):
		return leave("it has keys that ours does not have")
	}
	after, present, ok := removeText(before, i, e)
	if !ok {
		return Edit{}, &LayoutError{Line: line, Reason: "the entry cannot be taken out without changing something else"}
	}
	step.Data = withRoles(data, after)
	if !present {
		delete(step.Data, KeyRoles)
	}
	step.Action, step.Line = ActionRemoved, line
	return step, nil
}

// trim takes our groups out of entry i, which has others as well.
func trim(step Edit, before state, i int, e Entry) (Edit, error) {
	step.Line = before.doc().entryLine(i)
	for n := len(before.raw[i].Groups) - 1; n >= 0; n-- {
		group := before.raw[i].Groups[n]
		if !slices.Contains(e.Groups, group) {
			continue
		}
		after, err := before.withoutGroup(i, n)
		if err != nil {
			return Edit{}, err
		}
		before = after
		step.Groups = append(step.Groups, group)
	}
	slices.Reverse(step.Groups)
	step.Data = withRoles(step.Data, before.text)
	step.Action = ActionTrimmed
	step.Notes = append(step.Notes, fmt.Sprintf("%s line %d has further groups: only %s taken out",
		KeyRoles, step.Line, strings.Join(step.Groups, ", ")))
	return step, nil
}

func (s state) withoutGroup(i, n int) (state, error) {
	d := s.doc()
	if d.root == nil || i >= len(d.root.Content) {
		return state{}, &LayoutError{Line: 1, Reason: "the entry was not found in the text"}
	}
	item := d.root.Content[i]
	groups := mapValue(item, "groups")
	if reason := uneditable(item, groups); reason != "" {
		return state{}, &LayoutError{Line: item.Line, Reason: reason}
	}
	if groups == nil || n >= len(groups.Content) {
		return state{}, &LayoutError{Line: item.Line, Reason: "the entry's groups were not found in the text"}
	}
	accept := s.regrouped(i, slices.Delete(slices.Clone(s.raw[i].Groups), n, n+1))
	if next, ok := s.first(d.removals(groups, n), accept); ok {
		return next, nil
	}
	return state{}, &LayoutError{
		Line:   item.Line,
		Reason: fmt.Sprintf("group %q cannot be taken out without changing something else", s.raw[i].Groups[n]),
	}
}

// removeText gives the text without entry i, and whether the key stays. Of
// several right ways it takes the one that AddRole leads back from.
func removeText(before state, i int, e Entry) (after string, present, ok bool) {
	d := before.doc()
	if d.root == nil || d.root.Kind != yamlv3.SequenceNode || i >= len(d.root.Content) {
		return "", true, false
	}
	accept := before.without(i)
	var fallback *string
	for candidate := range d.removals(d.root, i) {
		if before.spent() {
			break
		}
		for was := range revived(candidate) {
			if accept(was) && before.comesBackFrom(was, true, e) {
				return was, true, true
			}
			if before.spent() {
				break
			}
		}
		if !accept(candidate) {
			continue
		}
		if before.comesBackFrom(candidate, true, e) {
			return candidate, true, true
		}
		if candidate == "" && before.comesBackFrom("", false, e) {
			return "", false, true
		}
		if fallback == nil {
			fallback = &candidate
		}
	}
	if fallback == nil {
		return "", true, false
	}
	return *fallback, true, true
}

// comesBackFrom tells whether adding the entry to a text gives the one at hand.
func (s state) comesBackFrom(was string, present bool, e Entry) bool {
	earlier, ok := s.again(was)
	if !ok || earlier.find(e.maps) >= 0 {
		return false
	}
	again, _, ok := addText(earlier, present, e)
	return ok && again == s.text
}

// removals are the texts that may come of taking out item n of a sequence.
func (d *document) removals(list *yamlv3.Node, n int) iter.Seq[string] {
	if list.Style&yamlv3.FlowStyle != 0 {
		return d.flowRemovals(list, n)
	}
	return d.blockRemovals(list, n)
}

// blockRemovals take out the item's lines. Comments and blank lines behind it
// stay. In a text without a final line break the one before the item goes.
func (d *document) blockRemovals(list *yamlv3.Node, n int) iter.Seq[string] {
	return func(yield func(string) bool) {
		at, ok := d.dash(list.Content[n])
		if !ok {
			return
		}
		first := d.lineAt(at)
		for _, last := range d.itemEnds(list, n, first) {
			start, end := d.starts[first], d.lineEnd(last)
			if end == len(d.text) && d.starts[len(d.starts)-1] != end && first > 0 {
				start -= len(d.lineBreak(start))
			}
			if !yield(d.apply(splice{at: start, drop: end - start})) {
				return
			}
		}
	}
}

// itemEnds are the lines that may be an item's last one: that of its last
// node, and the last one before the next item that is no comment.
func (d *document) itemEnds(list *yamlv3.Node, n, first int) []int {
	limit := d.endLine()
	if n+1 < len(list.Content) {
		if next, ok := d.dash(list.Content[n+1]); ok {
			limit = d.lineAt(next) - 1
		}
	}
	quiet := limit
	for quiet > first && isQuiet(d.line(quiet)) {
		quiet--
	}
	return slices.Compact([]int{min(lastNodeLine(list.Content[n])-1, limit), quiet, limit})
}

func lastNodeLine(n *yamlv3.Node) int {
	if n.Kind == yamlv3.AliasNode || len(n.Content) == 0 {
		return n.Line
	}
	return lastNodeLine(n.Content[len(n.Content)-1])
}
