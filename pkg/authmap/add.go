package authmap

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"
)

// AddRole maps a role in the data of an aws-auth ConfigMap (which may be nil).
// Nothing but the new lines changes. A role that is mapped already keeps its
// entry: groups that lack are appended to it, and another username is a
// *ConflictError. A text that the authenticator cannot read is a *ParseError
// and stays as it is; one whose shape leaves no place is a *LayoutError.
func AddRole(data map[string]string, e Entry) (Edit, error) {
	entry, err := e.forMap()
	if err != nil {
		return Edit{}, err
	}
	before, parseErr := read(data[KeyRoles])
	if parseErr != nil {
		return Edit{}, parseErr
	}
	return addRole(data, before, entry)
}

func addRole(data map[string]string, before state, entry Entry) (Edit, error) {
	_, present := data[KeyRoles]
	edit := unchanged(data)
	edit.Notes = notes(before, entry)
	if i := before.find(entry.maps); i >= 0 {
		return mergeRole(edit, before, i, entry)
	}
	after, at, ok := addText(before, present, entry)
	if !ok {
		return Edit{}, &LayoutError{Line: before.doc().rootLine(), Reason: "no place for another entry was found that leaves the others as they are"}
	}
	edit.Data = withRoles(data, after)
	edit.Action = ActionAdded
	edit.Line = newDocument(after).entryLine(at)
	return edit, nil
}

// notes points at what a user would trip over: entries for the same role that
// are written with its path, and text that is never read.
func notes(s state, e Entry) []string {
	notes := s.doc().unreadNotes()
	for i, r := range s.raw {
		stripped, err := StripPath(r.RoleARN)
		if err == nil && !e.maps(r) && strings.EqualFold(stripped, e.RoleARN) {
			notes = append(notes, fmt.Sprintf(
				"%s line %d maps %s with its path, which the authenticator never matches", KeyRoles, s.doc().entryLine(i), r.RoleARN))
		}
	}
	return notes
}

func (d *document) unreadNotes() []string {
	if line := d.unread(); line > 0 {
		return []string{fmt.Sprintf("%s line %d: the authenticator reads nothing from here on, the list has ended before", KeyRoles, line)}
	}
	return nil
}

// addText gives the text with the entry, and the entry's place in the list.
func addText(before state, present bool, e Entry) (after string, at int, ok bool) {
	if !present {
		// The final line break tells an absent key from an empty text, so that
		// RemoveRole gives back what there was.
		after := strings.Join(e.blockLines(""), "\n") + "\n"
		return after, 0, before.inserted(0, e)(after)
	}
	d := before.doc()
	if len(before.items) > 0 && (d.root == nil || len(d.root.Content) != len(before.items)) {
		return "", 0, false // the two YAML libraries disagree about this text
	}
	for after, at := range d.additions(len(before.items), e) {
		if before.inserted(at, e)(after) {
			return after, at, true
		}
		if before.spent() {
			break
		}
	}
	return "", 0, false
}

// additions are the texts that may come of adding the entry to a list of n,
// each with the entry's place in it, the best first. Which of them mean the
// right thing is for the caller to read.
func (d *document) additions(n int, e Entry) iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		if d.root != nil && d.root.Kind == yamlv3.SequenceNode && d.root.Style&yamlv3.FlowStyle != 0 {
			for after := range d.flowAdditions(d.root, e.flow(), lastFirst) {
				if !yield(after, n) {
					return
				}
			}
			return
		}
		prefix, indent := d.blockPlace()
		lines := e.blockLines(indent)
		for _, after := range []int{d.lastLine(), d.endLine()} {
			splices := append(slices.Clone(prefix), d.insertLines(after, lines))
			if !yield(d.apply(splices...), n) {
				return
			}
		}
		// A block scalar at the end takes in every line break behind it, and no
		// item can follow a tab.
		start, at := d.starts[0], 0
		if n > 0 {
			dash, ok := d.dash(d.root.Content[n-1])
			if !ok {
				return
			}
			start, at = d.starts[d.lineAt(dash)], n-1
		}
		br := d.lineBreak(start)
		yield(d.apply(splice{at: start, insert: strings.Join(lines, br) + br}), at)
	}
}

// endLine is the last line of the document, blank or not.
func (d *document) endLine() int {
	if d.end == 0 {
		return -1
	}
	return d.lineAt(d.end - 1)
}

// blockPlace tells what a block sequence's next dash stands behind, and what
// must be put elsewhere to make room: a text that says "nothing" in words
// becomes a comment.
func (d *document) blockPlace() ([]splice, string) {
	if d.root != nil && d.root.Kind == yamlv3.SequenceNode && len(d.root.Content) > 0 {
		if at, ok := d.dash(d.root.Content[0]); ok {
			return nil, d.text[d.starts[d.lineAt(at)]:at]
		}
	}
	if marks := d.placeholders(); len(marks) > 0 {
		return marks, ""
	}
	if wasPattern.MatchString(d.text) {
		return nil, "  "
	}
	return nil, ""
}

// dash finds the dash of an item of a block sequence: before the item on its
// line, or alone on a line above.
func (d *document) dash(item *yamlv3.Node) (int, bool) {
	i := item.Line - 1
	if i < 0 || i >= len(d.starts) {
		return 0, false
	}
	head := d.text[d.starts[i]:d.offset(item)]
	for ; ; i-- {
		dashed := strings.TrimLeft(head, " ")
		if strings.HasPrefix(dashed, "-") && isBlank(dashed[1:min(2, len(dashed))]) {
			return d.starts[i] + len(head) - len(dashed), true
		}
		if i == 0 || !isQuiet(head) {
			return 0, false
		}
		head = d.line(i - 1)
	}
}
