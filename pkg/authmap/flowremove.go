package authmap

import (
	"iter"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"
)

// flowRemovals are the texts that may come of taking item n out of a flow
// sequence. Each place where the item may end is tried, the nearest first.
func (d *document) flowRemovals(list *yamlv3.Node, n int) iter.Seq[string] {
	return func(yield func(string) bool) {
		start := d.offset(list.Content[n])
		for _, end := range d.flowEnds(list.Content[n], start) {
			for _, s := range d.flowCuts(list, n, start, end) {
				if !yield(d.apply(s)) {
					return
				}
			}
		}
	}
}

// flowEnds are the offsets at which a flow item may end.
func (d *document) flowEnds(item *yamlv3.Node, start int) []int {
	if item.Kind == yamlv3.MappingNode {
		ends := d.closers(start, "}", nearestFirst)
		for i := range ends {
			ends[i]++
		}
		return ends
	}
	var ends []int
	for i := start + 1; i <= d.end; i++ {
		if i == d.end || strings.ContainsAny(d.text[i:i+1], ",] \t\r\n#") {
			ends = append(ends, i)
		}
	}
	return ends
}

// flowCuts are the ways to cut out [start, end) with its comma, the inverse of
// flowPlaces first.
func (d *document) flowCuts(list *yamlv3.Node, n, start, end int) []splice {
	var out []splice
	if s, ok := d.flowLine(list, start, end); ok {
		out = append(out, s)
	}
	before := strings.TrimRight(d.text[:start], blanks)
	after := strings.TrimLeft(d.text[end:], blanks)
	comma := len(d.text) - len(after) + 1 // behind the comma that follows
	last := n == len(list.Content)-1
	if last && strings.HasPrefix(after, ",") {
		from := start
		if strings.HasSuffix(d.text[:start], " ") {
			from--
		}
		out = append(out, splice{at: from, drop: comma - from})
	}
	if strings.HasSuffix(before, ",") {
		from := len(before) - 1
		out = append(out, splice{at: from, drop: end - from})
	}
	if strings.HasPrefix(after, ",") {
		next := strings.TrimLeft(d.text[comma:], blanks)
		out = append(out, splice{at: start, drop: len(d.text) - len(next) - start})
	}
	return append(out, splice{at: start, drop: end - start})
}

// flowLine cuts the whole lines of an item that stands on lines of its own
// with one comma, or with none as the only item.
func (d *document) flowLine(list *yamlv3.Node, start, end int) (splice, bool) {
	first, last := d.lineAt(start), d.lineAt(max(end-1, start))
	head := strings.Trim(d.text[d.starts[first]:start], blanks)
	tail := strings.Trim(d.text[end:d.lineEnd(last)], blanks)
	sole := len(list.Content) == 1 && head == "" && tail == ""
	if sole || head == "," && tail == "" || head == "" && tail == "," {
		return splice{at: d.starts[first], drop: d.lineEnd(last) - d.starts[first]}, true
	}
	return splice{}, false
}
