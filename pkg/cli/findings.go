package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// printFindings prints what a plan's checks found: what passes as a number,
// everything else with its reason and the way out.
func printFindings(s screen, w io.Writer, verdict report.Report) {
	counts := verdict.Counts
	summary := []string{fmt.Sprintf("%d passed", counts.Pass)}
	for _, more := range []struct {
		n    int
		word string
	}{{counts.Warn, "warn"}, {counts.Fail, "fail"}, {counts.Unknown, "unknown"}} {
		if more.n > 0 {
			summary = append(summary, fmt.Sprintf("%d %s", more.n, more.word))
		}
	}
	fmt.Fprintf(w, "checks: %s\n", strings.Join(summary, ", "))
	for _, finding := range verdict.Findings {
		if finding.Status == report.Pass {
			continue
		}
		colour := ""
		if finding.Status == report.Fail {
			colour = red
		}
		fmt.Fprintf(w, "  %s  %s\n", s.paint(colour, fmt.Sprintf("%-7s", finding.Status)),
			strings.TrimLeft(fill(finding.Summary+" ("+finding.Check+")", 11, s.width), " "))
		if finding.Fix.Summary != "" {
			fmt.Fprintf(w, "%*s%s\n", 11, "", strings.TrimLeft(fill("fix: "+finding.Fix.Summary, 11, s.width), " "))
		}
		for _, command := range finding.Fix.Commands {
			fmt.Fprintf(w, "%*s%s\n", 11, "", command)
		}
	}
}
