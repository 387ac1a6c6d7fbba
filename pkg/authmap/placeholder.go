package authmap

import (
	"iter"
	"regexp"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"
)

// wasMark turns a placeholder into a comment when the first entry is added,
// and back when the last one goes.
const wasMark = "# was "

var wasPattern = regexp.MustCompile("# was (?:(?:''|\"\"|``|~|null|Null|NULL)(?:\\s|$)|\t)")

// placeholders are splices that comment out what stands for an empty list
// without being one: a null in words, or what the authenticator skips, which
// are bare quotes and lines of blanks with a tab in them.
func (d *document) placeholders() []splice {
	switch trimmed := strings.TrimSpace(d.text); {
	case skippable(d.text) && trimmed != "":
		return []splice{{at: strings.Index(d.text, trimmed), insert: wasMark}}
	case skippable(d.text):
		var out []splice
		for i, start := range d.starts {
			if tab := strings.Index(d.line(i), "\t"); tab >= 0 {
				out = append(out, splice{at: start + tab, insert: wasMark})
			}
		}
		return out
	case d.root != nil && d.root.Kind == yamlv3.ScalarNode && d.root.Value != "":
		return []splice{{at: d.offset(d.root), insert: wasMark}}
	}
	return nil
}

// revived are the texts that come of making comments placeholders again: each
// one alone, and all together.
func revived(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		d := &document{text: text}
		var all []splice
		for _, m := range wasPattern.FindAllStringIndex(d.text, -1) {
			s := splice{at: m[0], drop: len(wasMark)}
			if !yield(d.apply(s)) {
				return
			}
			all = append(all, s)
		}
		if len(all) > 1 {
			yield(d.apply(all...))
		}
	}
}
