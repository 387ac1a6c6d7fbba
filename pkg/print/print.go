// Package print turns reports into bytes. The text form reads well in 80
// columns, without colour, and pasted into an issue.
package print

import (
	"encoding/json"
	"fmt"
	"io"

	"sigs.k8s.io/yaml"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// JSON writes a report, or any other document, indented.
func JSON(w io.Writer, document any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(document); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

// YAML writes a report, or any other document with json tags.
func YAML(w io.Writer, document any) error {
	data, err := yaml.Marshal(document)
	if err != nil {
		return fmt.Errorf("write YAML: %w", err)
	}
	if _, err := w.Write(data); err != nil {
		return fmt.Errorf("write YAML: %w", err)
	}
	return nil
}

// Options for the text form.
type Options struct {
	Width   int  // columns; zero: 80
	Color   bool // ANSI colours
	ASCII   bool // nothing else, not even in names
	Verbose bool // passes too, one line each
	Short   bool // one line for each cause, nothing else
}

// Text writes a report for people: worst first, each finding with its
// evidence and its fix as commands to paste, passes as a count.
func Text(w io.Writer, r report.Report, opts Options) error {
	if opts.Width <= 0 {
		opts.Width = 80
	}
	p := &printer{opts: opts, findings: r.Findings, causes: causesOf(r.Findings), gaps: gapsOf(r.Findings), told: map[string]bool{}}
	p.machines(r)
	for i := range r.Findings {
		finding := &r.Findings[i]
		switch {
		case p.explained(finding):
		case p.unread(finding):
		case finding.Status == report.Pass && !opts.Verbose:
		case opts.Short:
			p.short(finding)
		case finding.Status == report.Pass:
			p.head(*finding)
		default:
			p.finding(*finding)
		}
	}
	p.counts(r.Counts)
	if _, err := io.WriteString(w, p.out.String()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
