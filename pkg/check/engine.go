package check

import (
	"fmt"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Run judges a snapshot by the checks. It is pure: the same snapshot gives
// the same report, and the snapshot is not changed.
func Run(snap *snapshot.Snapshot, checks []Check) report.Report {
	var verdicts []verdict
	for i := range checks {
		verdicts = append(verdicts, judge(snap, &checks[i])...)
	}
	block(verdicts)
	out := report.Report{
		APIVersion: report.APIVersion,
		Kind:       "Report",
		Cluster:    snap.Target.ClusterName,
		Findings:   fold(verdicts),
	}
	out.Count()
	return out
}

// verdict is a finding about one subject on its way into the report.
type verdict struct {
	report.Finding
	subject string
	machine bool // the subject is a machine, so the join chain applies
	link    Link
}

// subject is what a rule is asked about.
type subject struct {
	name     string
	machine  bool
	proposed bool // a group that is only planned: its own facts are the plan's
	ask      func(*snapshot.Snapshot) []Result
}

// judge asks one rule about all its subjects.
func judge(snap *snapshot.Snapshot, check *Check) []verdict {
	var verdicts []verdict
	seen := restrict(snap, check.Needs)
	for _, s := range subjects(seen, check) {
		for _, result := range answer(snap, seen, check, s) {
			verdicts = append(verdicts, verdict{
				Finding: report.Finding{
					Check: check.ID, Title: check.Title, Status: result.Status, Confidence: result.Confidence,
					Summary: result.Summary, Evidence: result.Evidence, Fix: result.Fix, Refs: refs(check),
				},
				subject: s.name, machine: s.machine, link: check.Link,
			})
		}
	}
	return verdicts
}

// answer is the rule's, or the engine's unknown when a section that the rule
// needs is a gap. A section that the command chose not to read, because
// nothing in it was of use (the key pairs of a group without one), makes the
// rule not applicable. A rule that panics knows nothing either.
func answer(snap, seen *snapshot.Snapshot, check *Check, s subject) (results []Result) {
	for _, section := range check.Needs {
		if s.proposed && (section == snapshot.SectionGroups || section == snapshot.SectionLaunch) {
			continue
		}
		gap, missing := snap.Gap(section, s.name)
		switch {
		case missing && gap.Reason == snapshot.GapNotAsked:
			return nil
		case missing:
			return []Result{unknown(gap)}
		}
	}
	defer func() {
		if p := recover(); p != nil {
			results = []Result{{Status: report.Unknown, Summary: fmt.Sprintf("the rule itself failed: %v", p)}}
		}
	}()
	return s.ask(seen)
}

func unknown(gap snapshot.Gap) Result {
	result := Result{
		Status:   report.Unknown,
		Summary:  gap.Detail,
		Evidence: []report.Evidence{{Source: string(gap.Section), Fact: "not read: " + string(gap.Reason)}},
	}
	if gap.Fix != "" {
		result.Fix.Commands = []string{gap.Fix}
	}
	return result
}

// subjects of a check. When the list of subjects itself could not be read,
// the cluster stands for them, so that the gap is still said.
func subjects(seen *snapshot.Snapshot, check *Check) []subject {
	var all []subject
	switch {
	case check.Cluster != nil:
		return []subject{{name: seen.Target.ClusterName, ask: check.Cluster}}
	case check.Group != nil:
		for i := range seen.Groups {
			group := &seen.Groups[i]
			all = append(all, subject{name: group.Name, proposed: group.Proposed, ask: func(s *snapshot.Snapshot) []Result {
				return check.Group(s, group)
			}})
		}
	case check.Node != nil:
		for i := range seen.Nodes {
			node := &seen.Nodes[i]
			all = append(all, subject{name: nodeName(node), machine: true, ask: func(s *snapshot.Snapshot) []Result {
				return check.Node(s, node)
			}})
		}
	}
	if len(all) == 0 {
		all = append(all, subject{name: seen.Target.ClusterName, ask: func(*snapshot.Snapshot) []Result { return nil }})
	}
	return all
}

func nodeName(node *snapshot.Node) string {
	if node.InstanceID == "" && node.Kube != nil {
		return node.Kube.Name
	}
	return node.InstanceID
}

func refs(check *Check) []string {
	if check.Ref == "" {
		return nil
	}
	return []string{check.Ref}
}

// block finds the earliest failing link of every machine; what fails later
// in the chain follows from it.
func block(verdicts []verdict) {
	first := map[string]*verdict{}
	for i := range verdicts {
		v := &verdicts[i]
		if !v.machine || v.Status != report.Fail {
			continue
		}
		if cause := first[v.subject]; cause == nil || v.link < cause.link {
			first[v.subject] = v
		}
	}
	for i := range verdicts {
		v := &verdicts[i]
		if cause := first[v.subject]; v.machine && v.Status == report.Fail && v.link > cause.link {
			v.BlockedBy = cause.Check
		}
	}
}
