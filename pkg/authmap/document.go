package authmap

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	yamlv3 "go.yaml.in/yaml/v3"
)

// document is a mapRoles text with what an edit must know of its shape.
type document struct {
	text string
	// starts are the byte offsets of the lines. Lines end as YAML 1.1 says.
	starts []int
	// root is the value of the first YAML document; nil when there is none.
	root *yamlv3.Node
	// end is where the authenticator stops reading: behind the list, at the
	// marker of the document's end, or with the text.
	end int
}

const byteOrderMark = "\ufeff"

func newDocument(text string) *document {
	d := &document{text: text, starts: lineStarts(text)}
	d.end = d.documentEnd()
	if cut := d.dedent(); cut < d.end && readsAlike(text, text[:cut]) {
		d.end = cut
	}
	// The authenticator never looks at a second document; this library would
	// trip over a fault at its start.
	var doc yamlv3.Node
	if err := yamlv3.Unmarshal([]byte(text[:d.end]), &doc); err == nil && len(doc.Content) > 0 {
		d.root = doc.Content[0]
	}
	return d
}

func lineStarts(text string) []int {
	first := 0
	if strings.HasPrefix(text, byteOrderMark) {
		first = len(byteOrderMark)
	}
	starts := []int{first}
	for i := first; i < len(text); {
		n := breakLen(text[i:])
		if n == 0 {
			_, n = utf8.DecodeRuneInString(text[i:])
			i += n
			continue
		}
		i += n
		starts = append(starts, i)
	}
	return starts
}

// breakLen is the length of the line break that s starts with, or 0. Besides
// the usual ones YAML 1.1 has NEL, LS and PS.
func breakLen(s string) int {
	switch {
	case s == "":
		return 0
	case s[0] == '\n':
		return 1
	case s[0] == '\r':
		return 1 + len(s[1:]) - len(strings.TrimPrefix(s[1:], "\n"))
	case strings.HasPrefix(s, "\u0085"):
		return len("\u0085")
	case strings.HasPrefix(s, "\u2028"), strings.HasPrefix(s, "\u2029"):
		return len("\u2028")
	}
	return 0
}

// line is the text of line i (from 0) with its break.
func (d *document) line(i int) string {
	return d.text[d.starts[i]:d.lineEnd(i)]
}

func (d *document) lineEnd(i int) int {
	if i+1 < len(d.starts) {
		return d.starts[i+1]
	}
	return len(d.text)
}

// lineAt is the line (from 0) that holds the byte offset.
func (d *document) lineAt(offset int) int {
	i, found := slices.BinarySearch(d.starts, offset)
	if found || i == 0 {
		return i
	}
	return i - 1
}

// offset is where a node starts. The library counts columns in characters.
func (d *document) offset(n *yamlv3.Node) int {
	if n.Line < 1 || n.Line > len(d.starts) {
		return len(d.text)
	}
	at := d.starts[n.Line-1]
	for range n.Column - 1 {
		_, size := utf8.DecodeRuneInString(d.text[at:])
		at += size
	}
	return min(at, len(d.text))
}

// documentEnd finds the first marker line ("---" or "...") behind the start of
// the first document.
func (d *document) documentEnd() int {
	started := false
	for i := range d.starts {
		line := d.line(i)
		marker := isMarker(line)
		switch {
		case marker && started:
			return d.starts[i]
		case marker, !isQuiet(line) && !strings.HasPrefix(line, "%"):
			started = true
		}
	}
	return len(d.text)
}

// dedent finds the first line that is indented less than the list's first
// dash. Such a line ends the list, and the authenticator's parser silently
// stops there: it never looks at what follows the first value.
func (d *document) dedent() int {
	indent := -1
	for i, start := range d.starts {
		line := d.line(i)
		if start >= d.end {
			break
		}
		if isQuiet(line) || indent < 0 && (isMarker(line) || strings.HasPrefix(line, "%")) {
			continue
		}
		depth := len(line) - len(strings.TrimLeft(line, " "))
		switch {
		case indent < 0 && line[depth] != '-':
			return d.end
		case indent < 0:
			indent = depth
		case depth < indent:
			return start
		}
	}
	return d.end
}

// readsAlike tells whether two texts are the same to the authenticator.
func readsAlike(a, b string) bool {
	jsonA, errA := toJSON(a)
	jsonB, errB := toJSON(b)
	return errA == nil && errB == nil && bytes.Equal(jsonA, jsonB)
}

// unread is the line, from 1, from which on the authenticator reads nothing: a
// second document or a dedent. 0 means that it reads the whole text.
func (d *document) unread() int {
	for i, start := range d.starts {
		if line := d.line(i); start >= d.end && !isQuiet(line) && strings.Trim(line, blanks+"-.") != "" {
			return i + 1
		}
	}
	return 0
}

func isMarker(line string) bool {
	if !strings.HasPrefix(line, "---") && !strings.HasPrefix(line, "...") {
		return false
	}
	return len(line) == 3 || strings.ContainsAny(line[3:4], " \t\r\n") || breakLen(line[3:]) > 0
}

const blanks = " \t\r\n\u0085\u2028\u2029"

func isBlank(line string) bool { return strings.Trim(line, blanks) == "" }

// isQuiet tells whether a line is blank or a comment.
func isQuiet(line string) bool {
	return isBlank(line) || strings.HasPrefix(strings.TrimLeft(line, " \t"), "#")
}

// lastLine is the last line before the document's end that is not blank; -1
// when there is none.
func (d *document) lastLine() int {
	for i := len(d.starts) - 1; i >= 0; i-- {
		if d.starts[i] < d.end && !isBlank(d.line(i)) {
			return i
		}
	}
	return -1
}

// lineBreak is the break to write at an offset: that of the line before, else
// the text's first one, else a newline.
func (d *document) lineBreak(at int) string {
	i := d.lineAt(at)
	if at == d.starts[i] && i > 0 {
		i--
	}
	for _, n := range []int{i, i - 1, 0} {
		if n < 0 {
			continue
		}
		line := d.line(n)
		for _, b := range []string{"\r\n", "\n", "\r", "\u0085", "\u2028", "\u2029"} {
			if strings.HasSuffix(line, b) {
				return b
			}
		}
	}
	return "\n"
}

// splice replaces drop bytes at an offset.
type splice struct {
	at, drop int
	insert   string
}

// apply makes the splices, which are in rising order and do not overlap.
func (d *document) apply(splices ...splice) string {
	var b strings.Builder
	at := 0
	for _, s := range splices {
		b.WriteString(d.text[at:s.at])
		b.WriteString(s.insert)
		at = s.at + s.drop
	}
	b.WriteString(d.text[at:])
	return b.String()
}

// insertLines puts whole lines after line i (-1: at the document's end). A
// text that ends without a line break still ends without one afterwards.
func (d *document) insertLines(i int, lines []string) splice {
	at := d.end
	if i >= 0 {
		at = d.lineEnd(i)
	}
	br := d.lineBreak(at)
	body := strings.Join(lines, br)
	switch {
	case at == 0 && d.text == "" || at == d.starts[0] && len(d.text) == at:
		return splice{at: at, insert: body}
	case at == len(d.text) && d.starts[len(d.starts)-1] != at:
		return splice{at: at, insert: br + body}
	}
	return splice{at: at, insert: body + br}
}
