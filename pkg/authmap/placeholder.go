package authmap

import (
	"regexp"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"
)

// wasMark turns a placeholder into a comment when the first entry is added,
// and back when the last one goes.
const wasMark = "# was "

// placeholder finds a value that stands for an empty list without being one:
// a null in words, or one of the quotes that the authenticator skips.
func (d *document) placeholder() (int, bool) {
	if skippable(d.text) {
		trimmed := strings.TrimSpace(d.text)
		return strings.Index(d.text, trimmed), trimmed != ""
	}
	if d.root == nil || d.root.Kind != yamlv3.ScalarNode || d.root.Value == "" {
		return 0, false
	}
	return d.offset(d.root), true
}

// revived are the texts that come of making one comment a placeholder again.
func (d *document) revived() []string {
	var out []string
	mark := regexp.MustCompile("# was (?:''|\"\"|``|~|null|Null|NULL)(?:\\s|$)")
	for _, m := range mark.FindAllStringIndex(d.text, -1) {
		out = append(out, d.apply(splice{at: m[0], drop: len(wasMark)}))
	}
	return out
}
