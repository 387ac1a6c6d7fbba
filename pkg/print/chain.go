package print

import (
	"fmt"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// causesOf are the checks that fail and follow from nothing.
func causesOf(findings []report.Finding) map[string]bool {
	causes := map[string]bool{}
	for i := range findings {
		if f := &findings[i]; f.Status == report.Fail && f.BlockedBy == "" {
			causes[f.Check] = true
		}
	}
	return causes
}

// explained reports whether a finding is told under its cause.
func (p *printer) explained(f *report.Finding) bool { return p.causes[f.BlockedBy] }

// followers names what follows from a cause, once, where it fails first.
func (p *printer) followers(cause string) {
	if p.told[cause] {
		return
	}
	p.told[cause] = true
	for i := range p.findings {
		if f := &p.findings[i]; f.BlockedBy == cause {
			p.block("  explains: ", p.clean(f.Check+" "+subjects(*f)))
		}
	}
}

// machines is the line over everything: how many machines there are and how
// many of them are Ready nodes.
func (p *printer) machines(r report.Report) {
	if r.Machines.Total == 0 {
		return
	}
	line := fmt.Sprintf("cluster %s in %s: %d of %d machines are Ready", r.Cluster, r.Region, r.Machines.Ready, r.Machines.Total)
	if absent := r.Machines.Total - r.Machines.Registered; absent > 0 {
		line += fmt.Sprintf(", %d not registered", absent)
	}
	p.block("", p.clean(line))
	p.out.WriteByte('\n')
}

// short is a finding in one line, to paste.
func (p *printer) short(f *report.Finding) {
	p.out.WriteString(labelOf(f.Status).word + " " + p.clean(f.Check+" "+subjects(*f)+": "+f.Summary) + "\n")
}
