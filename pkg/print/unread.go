package print

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// gap is what unknown findings lack: the section and why it could not be
// read. Many checks may lack the same, on many machines; it is told once.
type gap struct{ section, reason string }

// gapOf returns the gap behind an unknown finding; ok is false when the
// finding is unknown for a reason of its own.
func gapOf(f *report.Finding) (g gap, ok bool) {
	if f.Status != report.Unknown || len(f.Evidence) != 1 || !strings.HasPrefix(f.Evidence[0].Fact, "not read: ") {
		return gap{}, false
	}
	return gap{section: f.Evidence[0].Source, reason: f.Evidence[0].Fact}, true
}

// gapsOf collects the unknown findings by what they lack.
func gapsOf(findings []report.Finding) map[gap][]*report.Finding {
	gaps := map[gap][]*report.Finding{}
	for i := range findings {
		if g, ok := gapOf(&findings[i]); ok {
			gaps[g] = append(gaps[g], &findings[i])
		}
	}
	return gaps
}

// unread tells an unknown finding together with all others that lack the
// same, where the first of them stands. It reports whether the finding is
// told by it, here or before.
func (p *printer) unread(f *report.Finding) bool {
	g, ok := gapOf(f)
	if !ok || p.opts.Verbose || len(p.gaps[g]) < 2 {
		return false
	}
	together := p.gaps[g]
	if f != together[0] {
		return true
	}
	one := merged(together)
	if p.opts.Short {
		p.short(&one)
	} else {
		p.finding(one)
	}
	return true
}

// maxChecks is how many checks with the same gap are named.
const maxChecks = 6

// merged is one finding that stands for many with the same gap.
func merged(findings []*report.Finding) report.Finding {
	var checks, reasons []string
	one := *findings[0]
	one.Subjects, one.Fix, one.Refs = nil, report.Fix{}, nil
	for _, f := range findings {
		checks = append(checks, f.Check)
		reasons = append(reasons, f.Summary)
		one.Subjects = append(one.Subjects, f.Subjects...)
		one.Fix.Commands = append(one.Fix.Commands, f.Fix.Commands...)
		if f.Kind != one.Kind {
			one.Of = 0 // machines and groups are not so many of one thing
		}
	}
	for _, list := range []*[]string{&checks, &reasons, &one.Subjects, &one.Fix.Commands} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	one.Title = fmt.Sprintf("%d checks could not look", len(checks))
	if len(checks) == 1 {
		one.Title = "1 check could not look"
	}
	one.Summary = reasons[0]
	if more := len(reasons) - 1; more > 0 {
		one.Summary += fmt.Sprintf(" (and %d more like it)", more)
	}
	if more := len(checks) - maxChecks; more > 1 {
		checks = append(checks[:maxChecks:maxChecks], fmt.Sprintf("%d more (-v names them)", more))
	}
	one.Check = strings.Join(checks, ", ")
	if more := len(one.Fix.Commands) - maxSubjects; more > 0 {
		one.Fix.Commands = append(one.Fix.Commands[:maxSubjects:maxSubjects], fmt.Sprintf("# and %d more like it", more))
	}
	return one
}
