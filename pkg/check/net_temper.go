package check

import "github.com/eksnodes/kubectl-eksnodes/pkg/report"

// temper makes warnings of the failures of a rule about the way to the
// cluster, for machines that are Ready: they have come that way. What the rule
// saw may be new, or matter to the next machine only.
func (c *court) temper(check *Check, verdicts []verdict) []verdict {
	if !check.Path {
		return verdicts
	}
	for i := range verdicts {
		v := &verdicts[i]
		if v.kind == report.KindMachine && v.Status == report.Fail && c.ready[v.subject] {
			v.Status, v.Confidence = report.Warn, report.Possible
			v.Evidence = append(v.Evidence, fact("kube/nodes", "the node is Ready nonetheless"))
		}
	}
	return verdicts
}
