package authmap

import (
	"strings"
)

// Item is one mapping of mapRoles or mapUsers with its place, valid or not.
type Item struct {
	Role // of mapUsers: RoleARN is the userarn
	// Key is the text that it stands in: KeyRoles or KeyUsers.
	Key string
	// Index counts the list from 0, Line the lines of the text from 1.
	Index, Line int
	// Dropped says why the authenticator ignores it; "" when it does not.
	Dropped string
	// JSON is the mapping as it is written, unknown keys included.
	JSON string
}

// Items lists the mappings of mapRoles in the order of the text; nothing when
// the text cannot be read.
func Items(data map[string]string) []Item {
	s, err := read(data[KeyRoles])
	if err != nil {
		return nil
	}
	items := make([]Item, 0, len(s.raw))
	for i, role := range s.raw {
		item := Item{Role: role, Key: KeyRoles, Index: i, Line: s.doc().entryLine(i), Dropped: role.invalid()}
		if i < len(s.items) {
			item.JSON = s.items[i]
		}
		items = append(items, item)
	}
	return items
}

// Line is a line of a key's text, from 1, without the space around it; "" when
// there is none.
func Line(data map[string]string, key string, line int) string {
	lines := strings.Split(data[key], "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	return strings.TrimSpace(lines[line-1])
}

// Unread is the part of mapRoles that the authenticator never looks at,
// because the list has ended before, and the line, from 1, it begins on; 0
// when the whole text is read.
func Unread(data map[string]string) (line int, text string) {
	d := newDocument(data[KeyRoles])
	if line = d.unread(); line == 0 {
		return 0, ""
	}
	return line, d.text[d.starts[line-1]:]
}
