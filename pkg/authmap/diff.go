package authmap

import (
	"fmt"
	"strings"
)

// diffContext is the number of equal lines shown around a change.
const diffContext = 3

// Diff shows what an edit changes as a unified diff of one hunk, for reading.
// Equal texts give nothing. A line whose break differs is shown as changed.
func Diff(before, after string) string {
	if before == after {
		return ""
	}
	a, b := splitLines(before), splitLines(after)
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	from := max(head-diffContext, 0)
	context := min(tail, diffContext)
	var out strings.Builder
	fmt.Fprintf(&out, "@@ -%s +%s @@\n", span(from, len(a)-tail+context), span(from, len(b)-tail+context))
	show := func(sign string, lines []string) {
		for _, l := range lines {
			out.WriteString(sign + strings.TrimRight(l, "\r\n") + "\n")
		}
	}
	show(" ", a[from:head])
	show("-", a[head:len(a)-tail])
	show("+", b[head:len(b)-tail])
	show(" ", a[len(a)-tail:len(a)-tail+context])
	return out.String()
}

func span(from, to int) string {
	if to == from {
		return fmt.Sprintf("%d,0", from)
	}
	return fmt.Sprintf("%d,%d", from+1, to-from)
}

// splitLines keeps the breaks, but a final line without one equals the same
// line with one: adding behind it does not change it.
func splitLines(text string) []string {
	if text == "" {
		return nil
	}
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	if last := len(lines) - 1; !strings.HasSuffix(lines[last], "\n") {
		lines[last] += "\n"
	}
	return lines
}
