package authmap

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	yamlv3 "go.yaml.in/yaml/v3"
)

var yamlErrorPattern = regexp.MustCompile(`(?s)^(?:unmarshal errors:\s*)?line (\d+): (.*)$`)

// yamlErrorLine gives the line and the words of a YAML library's error. The
// library counts a parser's error from 0 and a scanner's from 1, and names no
// line at all for the first one or for an unknown anchor.
func yamlErrorLine(text string, err error) (int, string) {
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if m := yamlErrorPattern.FindStringSubmatch(msg); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
		msg = m[2]
	}
	switch {
	case strings.HasPrefix(msg, "did not find expected"):
		line++
	case strings.HasPrefix(msg, "unknown anchor"):
		if name := strings.Split(msg, "'"); len(name) > 1 {
			before, _, _ := strings.Cut(text, "*"+name[1])
			line = 1 + strings.Count(before, "\n")
		}
	}
	return min(max(line, 1), len(lineStarts(text))), strings.TrimSpace(msg)
}

// lazyDocument gives a text's layout, found when it is first asked for: only
// what is wrong has a line to be told.
type lazyDocument func() *document

func lazily(text string) lazyDocument {
	return sync.OnceValue(func() *document { return newDocument(text) })
}

func (d *document) rootLine() int {
	if d.root == nil {
		return 1
	}
	return d.root.Line
}

func (d *document) isList() bool { return d.root != nil && d.root.Kind == yamlv3.SequenceNode }

func (d *document) entryLine(i int) int {
	if d.root == nil || i >= len(d.root.Content) {
		return 1
	}
	return d.root.Content[i].Line
}

// fieldLine finds the first value of a key that is not of its type. A JSON
// error says which key, but not in which entry.
func (d *document) fieldLine(field string) int {
	if d.root == nil {
		return 1
	}
	first, _, _ := strings.Cut(field, ".")
	for _, item := range d.root.Content {
		value := mapValue(item, first)
		if value == nil {
			continue
		}
		wrong := value.Kind != yamlv3.ScalarNode
		if first == "groups" {
			wrong = value.Kind != yamlv3.SequenceNode || hasNonString(value)
		}
		if wrong || value.ShortTag() != "!!str" && first != "groups" {
			return value.Line
		}
	}
	return d.root.Line
}

func hasNonString(list *yamlv3.Node) bool {
	for _, n := range list.Content {
		if n.ShortTag() != "!!str" {
			return true
		}
	}
	return false
}

// mapValue finds the value of a key as encoding/json would: the exact key,
// else one that differs in letter case. It follows an alias.
func mapValue(item *yamlv3.Node, key string) *yamlv3.Node {
	if item.Kind == yamlv3.AliasNode {
		item = item.Alias
	}
	if item.Kind != yamlv3.MappingNode {
		return nil
	}
	var folded *yamlv3.Node
	for i := 0; i+1 < len(item.Content); i += 2 {
		switch name := item.Content[i].Value; {
		case name == key:
			return item.Content[i+1]
		case strings.EqualFold(name, key):
			folded = item.Content[i+1]
		}
	}
	return folded
}
