package authmap

import (
	"errors"
	"slices"
	"strings"
)

// SettleRole makes mapRoles say of a role what want says, once. Of the entries
// that map the role the last one counts: it is put right as RepairRole does,
// and the others, which nobody reads, are taken out. When there is none, the
// entry whose ARN is written as instead is put right; when there is none
// either, or instead is "", the role is added as AddRole does.
//
// An entry that cannot be put right in place is taken out and written anew,
// with all groups that it had, unless it has keys that would be lost. A text
// that cannot be read is a *ParseError, one that leaves no way a *LayoutError.
func SettleRole(data map[string]string, want Entry, instead string) (Edit, error) {
	entry, err := want.forMap()
	if err != nil {
		return Edit{}, err
	}
	text := data[KeyRoles]
	before, parseErr := read(text)
	if parseErr != nil {
		return Edit{}, parseErr
	}
	i := before.find(entry.maps)
	dead := i < 0
	if dead && instead != "" {
		i = lastWritten(before, instead)
	}
	if i < 0 {
		return AddRole(data, want)
	}
	edit, err := putRight(data, before, i, entry)
	var layout *LayoutError
	if dead && errors.As(err, &layout) {
		return AddRole(data, want) // what maps nobody may stay
	}
	if err != nil {
		return Edit{}, err
	}
	settled, err := withoutOthers(edit.Data, entry, true)
	if err != nil {
		return Edit{}, err
	}
	if settled[KeyRoles] != edit.Data[KeyRoles] {
		edit.Data, edit.Action = settled, ActionRepaired
	}
	return edit, nil
}

// lastWritten is the index of the last entry with the ARN as it is written, or
// -1.
func lastWritten(s state, arn string) int {
	for i, role := range slices.Backward(s.raw) {
		if role.RoleARN == arn {
			return i
		}
	}
	return -1
}

// putRight repairs entry i in place, or writes it anew.
func putRight(data map[string]string, before state, i int, entry Entry) (Edit, error) {
	edit, err := RepairRole(data, i, entry)
	var layout *LayoutError
	if !errors.As(err, &layout) {
		return edit, err
	}
	if before.raw[i].UserID != "" || !onlyKeys(before.items[i]) {
		return Edit{}, layout
	}
	text, err := takenOut(before, i)
	if err != nil {
		return Edit{}, err
	}
	without, err := withoutOthers(withRoles(data, text), entry, false)
	if err != nil {
		return Edit{}, err
	}
	anew := entry
	anew.Groups = slices.Concat(entry.Groups, missing(before.raw[i].Groups, entry.Groups))
	added, err := AddRole(without, anew)
	if err != nil {
		return Edit{}, err
	}
	edit = unchanged(data)
	edit.Data, edit.Line, edit.Action = added.Data, added.Line, ActionRepaired
	return edit, nil
}

// withoutOthers takes out all entries for the role, or all but the last.
func withoutOthers(data map[string]string, entry Entry, keepLast bool) (map[string]string, error) {
	for {
		now, parseErr := read(data[KeyRoles])
		if parseErr != nil {
			return nil, parseErr
		}
		end := len(now.raw)
		if keepLast {
			end = max(now.find(entry.maps), 0)
		}
		other := slices.IndexFunc(now.raw[:end], func(r Role) bool { return strings.EqualFold(r.RoleARN, entry.RoleARN) })
		if other < 0 {
			return data, nil
		}
		text, err := takenOut(now, other)
		if err != nil {
			return nil, err
		}
		data = withRoles(data, text)
	}
}

// takenOut is the text without entry i.
func takenOut(s state, i int) (string, error) {
	d := s.doc()
	if d.root != nil && i < len(d.root.Content) {
		if after, ok := s.first(d.removals(d.root, i), s.without(i)); ok {
			return after.text, nil
		}
	}
	return "", &LayoutError{Line: d.entryLine(i), Reason: "the entry cannot be taken out without changing something else"}
}
