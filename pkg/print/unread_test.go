package print

import (
	"fmt"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// Thirty checks that lack the same file are one block, and do not fill the
// screen with their names.
func TestManyChecksLackTheSame(t *testing.T) {
	for _, test := range []struct {
		checks  int
		options Options
		want    string
	}{
		{maxChecks + 1, Options{}, "test.check-07 on i-1"},
		{maxChecks + 2, Options{}, "test.check-06, 2 more (-v names them) on i-1"},
		{30, Options{Short: true}, "test.check-06, 24 more (-v names them) on i-1"},
		{30, Options{Verbose: true}, "test.check-30"},
	} {
		var verdict report.Report
		for i := range test.checks {
			verdict.Findings = append(verdict.Findings, report.Finding{
				Check: fmt.Sprintf("test.check-%02d", i+1), Status: report.Unknown, Summary: "no console", Subjects: []string{"i-1"},
				Evidence: []report.Evidence{{Source: "ec2/console-output", Fact: "not read: no-file"}},
			})
		}
		verdict.Count()
		var out strings.Builder
		test.options.Width = 200
		if err := Text(&out, verdict, test.options); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), test.want) {
			t.Errorf("%d checks, %+v: no %q in\n%s", test.checks, test.options, test.want, out.String())
		}
	}
}

// Machines and groups that lack the same are not so many of one thing.
func TestDifferentThingsLackTheSame(t *testing.T) {
	verdict := report.Report{Findings: []report.Finding{
		{Check: "test.a", Kind: "machine", Of: 1, Subjects: []string{"i-1"}},
		{Check: "test.b", Kind: "group", Of: 1, Subjects: []string{"workers"}},
	}}
	for i := range verdict.Findings {
		f := &verdict.Findings[i]
		f.Status, f.Summary = report.Unknown, "denied"
		f.Evidence = []report.Evidence{{Source: "ec2/launch-templates", Fact: "not read: denied"}}
	}
	verdict.Count()
	var out strings.Builder
	if err := Text(&out, verdict, Options{Width: 80}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "test.a, test.b on i-1, workers\n") {
		t.Error(out.String())
	}
}
