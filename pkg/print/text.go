package print

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// printer builds the text form.
type printer struct {
	opts     Options
	findings []report.Finding
	causes   map[string]bool // checks that fail and follow from nothing
	gaps     map[gap][]*report.Finding
	told     map[string]bool // causes whose followers are named
	out      strings.Builder
}

// label is the word in front of a finding, with its ANSI colour.
type label struct{ word, color string }

func labelOf(status report.Status) label {
	switch status {
	case report.Fail:
		return label{"FAIL", "31"}
	case report.Warn:
		return label{"WARN", "33"}
	case report.Unknown:
		return label{"UNKNOWN", "36"}
	default:
		return label{"ok", "32"}
	}
}

func (p *printer) finding(f report.Finding) {
	p.head(f)
	if f.BlockedBy != "" {
		p.block("  follows from ", f.BlockedBy)
		p.out.WriteByte('\n')
		return
	}
	if f.Status != report.Unknown && f.Confidence != "" && f.Confidence != report.Certain {
		p.block("  confidence: ", string(f.Confidence))
	}
	for _, evidence := range f.Evidence {
		p.block("  seen: ", p.clean(evidence.Fact)+" ("+p.clean(source(evidence))+")")
	}
	if f.Fix.Summary != "" {
		p.block("  fix:  ", p.clean(f.Fix.Summary))
	}
	for line := range strings.Lines(f.Fix.Diff) {
		p.out.WriteString("    " + p.clean(strings.TrimSuffix(line, "\n")) + "\n")
	}
	if f.Fix.Summary == "" && len(f.Fix.Commands) > 0 {
		p.out.WriteString("  try:\n")
	}
	for _, command := range f.Fix.Commands { // never wrapped: it is to be pasted
		p.out.WriteString("    " + p.clean(command) + "\n")
	}
	for _, ref := range f.Refs {
		p.out.WriteString("  see:  " + p.clean(ref) + "\n")
	}
	p.followers(f.Check)
	p.out.WriteByte('\n')
}

// source is where a fact was read, and of what a machine says of itself by
// which road that came.
func source(evidence report.Evidence) string {
	if evidence.Road == "" {
		return evidence.Source
	}
	return evidence.Source + ", by " + evidence.Road
}

// head is "FAIL  summary" and, under it, check and subjects.
func (p *printer) head(f report.Finding) {
	l := labelOf(f.Status)
	word := l.word
	if p.opts.Color {
		word = "\x1b[" + l.color + ";1m" + word + "\x1b[0m"
	}
	pad := strings.Repeat(" ", max(9-len(l.word), 1))
	summary := p.clean(f.Summary)
	if f.Status == report.Pass || f.Status == report.Unknown {
		summary = p.clean(f.Title) + ": " + summary
	}
	lines := wrap(summary, p.opts.Width-len(l.word)-len(pad))
	p.out.WriteString(word + pad + lines[0] + "\n")
	for _, line := range lines[1:] {
		p.out.WriteString(strings.Repeat(" ", len(l.word)+len(pad)) + line + "\n")
	}
	if f.Status == report.Pass {
		return
	}
	p.block("  ", p.clean(f.Check+" "+subjects(f)))
}

// maxSubjects are named; of more, some and the number.
const maxSubjects = 4

// subjects names what a finding is about: "on workers", "on 38 of 40
// machines: i-1, i-2, i-3 and 35 more".
func subjects(f report.Finding) string {
	names := f.Subjects
	switch {
	case len(names) == 0:
		return ""
	case len(names) == 1 || len(names) <= maxSubjects && f.Of == 0:
		return "on " + strings.Join(names, ", ")
	}
	number := strconv.Itoa(len(names))
	if f.Of > 0 {
		number = fmt.Sprintf("%d of %d %ss", len(names), f.Of, f.Kind)
	}
	if len(names) <= maxSubjects {
		return "on " + number + ": " + strings.Join(names, ", ")
	}
	return fmt.Sprintf("on %s: %s and %d more", number, strings.Join(names[:maxSubjects-1], ", "), len(names)-maxSubjects+1)
}

// block writes text behind a prefix, wrapped, later lines under the first.
func (p *printer) block(prefix, text string) {
	lines := wrap(text, p.opts.Width-len(prefix))
	p.out.WriteString(prefix + lines[0] + "\n")
	for _, line := range lines[1:] {
		p.out.WriteString(strings.Repeat(" ", len(prefix)) + line + "\n")
	}
}

func (p *printer) counts(c report.Counts) {
	var parts []string
	for _, part := range []struct {
		n    int
		word string
	}{{c.Fail, "failed"}, {c.Warn, "warned"}, {c.Unknown, "unknown"}, {c.Pass, "passed"}} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.word))
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing to check"}
	}
	p.out.WriteString("checks: " + strings.Join(parts, ", ") + "\n")
}

// wrap breaks text at spaces into lines of at most width columns. A word that
// is longer stands alone, unbroken: it may be something to copy.
func wrap(text string, width int) []string {
	width = max(width, 20)
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}

// clean makes foreign text fit for a terminal: no control characters, and
// with Options.ASCII nothing but ASCII.
func (p *printer) clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return -1
		case r < 0x7f || !p.opts.ASCII:
			return r
		case r == '‘', r == '’':
			return '\''
		case r == '“', r == '”':
			return '"'
		case r == '–', r == '—':
			return '-'
		}
		return '?'
	}, s)
}
