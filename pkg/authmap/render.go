package authmap

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

// blockLines writes the entry as an item of a block sequence whose dash stands
// behind indent.
func (e Entry) blockLines(indent string) []string {
	lines := []string{
		indent + "- rolearn: " + scalar(e.RoleARN),
		indent + "  username: " + scalar(e.Username),
	}
	if len(e.Groups) == 0 {
		return append(lines, indent+"  groups: []")
	}
	lines = append(lines, indent+"  groups:")
	for _, g := range e.Groups {
		lines = append(lines, indent+"    - "+scalar(g))
	}
	return lines
}

// flow writes the entry as a JSON object on one line, which is YAML as well.
func (e Entry) flow() string {
	groups := make([]string, len(e.Groups))
	for i, g := range e.Groups {
		groups[i] = quoted(g)
	}
	return `{"rolearn": ` + quoted(e.RoleARN) +
		`, "username": ` + quoted(e.Username) +
		`, "groups": [` + strings.Join(groups, ", ") + `]}`
}

// plainPattern is met by ARNs, system:nodes and templates: no YAML version
// reads anything else into such a string.
var plainPattern = regexp.MustCompile(`^[A-Za-z][\w./@+=,-]*(:+[\w./@+=,{}-]+)+$`)

// scalar writes a string for block style.
func scalar(s string) string {
	if plainPattern.MatchString(s) {
		return s
	}
	return quoted(s)
}

func quoted(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}
