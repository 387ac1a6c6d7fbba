package authmap

import (
	"iter"
	"slices"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"
)

// order is the order in which closing brackets are tried.
type order bool

const (
	nearestFirst order = false
	lastFirst    order = true
)

// flowAdditions are the texts that may come of adding an item, given as JSON,
// to a flow sequence. The library does not tell where a sequence closes: each
// bracket is tried, and the wrong ones do not read right.
func (d *document) flowAdditions(list *yamlv3.Node, item string, o order) iter.Seq[string] {
	return func(yield func(string) bool) {
		start := d.offset(list)
		for _, at := range d.closers(start, "]", o) {
			for _, s := range d.flowPlaces(list, start, at, item) {
				if !yield(d.apply(s)) {
					return
				}
			}
		}
	}
}

// closers are the offsets of a closing bracket behind start.
func (d *document) closers(start int, bracket string, o order) []int {
	var out []int
	for i := start; i < d.end; i++ {
		if d.text[i:i+1] == bracket {
			out = append(out, i)
		}
	}
	if o == lastFirst {
		slices.Reverse(out)
	}
	return out
}

// flowPlaces are the ways to put an item before the bracket at an offset: on a
// line of its own where the bracket has one, else behind the last item. The
// comma goes first, so that no existing line changes; when the list ends in a
// comma ours does too.
func (d *document) flowPlaces(list *yamlv3.Node, start, at int, item string) []splice {
	line := d.lineAt(at)
	lineStart := d.starts[line]
	head := d.text[lineStart:at]
	var out []splice
	if isBlank(head) && lineStart > start {
		br, indent := d.lineBreak(lineStart), d.flowIndent(list, head)
		if len(list.Content) == 0 {
			out = append(out, splice{at: lineStart, insert: indent + item + br})
		} else {
			out = append(out,
				splice{at: lineStart, insert: indent + ", " + item + br},
				splice{at: lineStart, insert: indent + item + "," + br})
		}
	}
	if len(list.Content) == 0 {
		return append(out, splice{at: at, insert: item})
	}
	tail := at - (len(head) - len(strings.TrimRight(head, " \t")))
	return append(out,
		splice{at: tail, insert: ", " + item},
		splice{at: tail, insert: " " + item + ","})
}

// flowIndent is the indent of a flow sequence's items that stand on lines of
// their own.
func (d *document) flowIndent(list *yamlv3.Node, closing string) string {
	if len(list.Content) > 0 {
		first := d.offset(list.Content[0])
		if head := d.text[d.starts[d.lineAt(first)]:first]; isBlank(head) {
			return head
		}
	}
	return closing + "  "
}
