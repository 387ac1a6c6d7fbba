package print

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// The elements of JUnit's XML that test viewers and CI systems read.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name      string      `xml:"name,attr"`
		Tests     int         `xml:"tests,attr"`
		Failures  int         `xml:"failures,attr"`
		Errors    int         `xml:"errors,attr"`
		Timestamp string      `xml:"timestamp,attr,omitempty"`
		Cases     []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Failure *junitProblem `xml:"failure"`
		Error   *junitProblem `xml:"error"`
		Out     *junitText    `xml:"system-out"`
	}
	junitProblem struct {
		Type    string `xml:"type,attr"`
		Message string `xml:"message,attr"`
		Text    string `xml:",cdata"`
	}
	junitText struct {
		Text string `xml:",cdata"`
	}
)

// JUnit writes a report as JUnit XML: a suite for each family of checks, a
// case for each finding. What could not be looked at is an error, a warning
// passes and says so.
func JUnit(w io.Writer, r report.Report) error {
	suites := junitSuites{Name: product.Command + " doctor"}
	at := map[string]int{}
	for i := range r.Findings {
		f := &r.Findings[i]
		family, _, _ := strings.Cut(f.Check, ".")
		n, have := at[family]
		if !have {
			n = len(suites.Suites)
			at[family] = n
			suite := junitSuite{Name: family}
			if !r.CollectedAt.IsZero() {
				suite.Timestamp = r.CollectedAt.UTC().Format(time.RFC3339)
			}
			suites.Suites = append(suites.Suites, suite)
		}
		suites.Suites[n].add(f)
	}
	for _, suite := range suites.Suites {
		suites.Tests += suite.Tests
		suites.Failures += suite.Failures
		suites.Errors += suite.Errors
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(suites); err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	return nil
}

func (s *junitSuite) add(f *report.Finding) {
	p := &printer{}
	text := p.clean(f.Title)
	if on := subjects(*f); on != "" {
		text += " " + p.clean(on)
	}
	out := junitCase{Class: p.clean(f.Check), Name: text}
	s.Tests++
	switch f.Status {
	case report.Fail:
		s.Failures++
		kind := "cause"
		if f.BlockedBy != "" {
			kind = "follows from " + f.BlockedBy
		}
		out.Failure = &junitProblem{Type: kind, Message: p.clean(f.Summary), Text: details(f)}
	case report.Unknown:
		s.Errors++
		out.Error = &junitProblem{Type: "unknown", Message: p.clean(f.Summary), Text: details(f)}
	case report.Warn:
		out.Out = &junitText{Text: "warning: " + p.clean(f.Summary) + "\n" + details(f)}
	}
	s.Cases = append(s.Cases, out)
}

// details are evidence, fix and references as plain lines.
func details(f *report.Finding) string {
	p := &printer{}
	var lines strings.Builder
	for _, evidence := range f.Evidence {
		fmt.Fprintf(&lines, "seen: %s (%s)\n", p.clean(evidence.Fact), p.clean(source(evidence)))
	}
	if f.Fix.Summary != "" {
		fmt.Fprintf(&lines, "fix: %s\n", p.clean(f.Fix.Summary))
	}
	for _, command := range f.Fix.Commands {
		fmt.Fprintf(&lines, "  %s\n", p.clean(command))
	}
	for _, ref := range f.Refs {
		fmt.Fprintf(&lines, "see: %s\n", p.clean(ref))
	}
	return lines.String()
}
