package check

import (
	"fmt"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Options of a judgement.
type Options struct {
	// Compare is the machine that failing ones are compared with; nil: the
	// most alike one of the same group that is Ready.
	Compare *snapshot.Node
}

// Run judges a snapshot by the checks. It is pure: the same snapshot gives
// the same report, and the snapshot is not changed.
func Run(snap *snapshot.Snapshot, checks []Check) report.Report {
	return Judge(snap, checks, Options{})
}

// Judge is Run with options.
func Judge(snap *snapshot.Snapshot, checks []Check, opts Options) report.Report {
	var verdicts []verdict
	court := newCourt(snap)
	for i := range checks {
		for _, v := range court.temper(&checks[i], court.judge(&checks[i])) {
			v.order = i
			verdicts = append(verdicts, v)
		}
	}
	block(verdicts)
	folded := fold(verdicts)
	compareSiblings(snap, folded, opts.Compare)
	out := report.Report{
		APIVersion:  report.APIVersion,
		Kind:        "Report",
		Cluster:     snap.Target.ClusterName,
		Region:      snap.Target.Region,
		CollectedAt: snap.CollectedAt,
		Machines:    machines(snap),
		Findings:    make([]report.Finding, 0, len(folded)),
	}
	for _, v := range folded {
		out.Findings = append(out.Findings, v.Finding)
	}
	out.Count()
	return out
}

func machines(snap *snapshot.Snapshot) report.Machines {
	var count report.Machines
	for i := range snap.Nodes {
		node := &snap.Nodes[i]
		if node.Warm {
			continue // it is not to be a node yet
		}
		count.Total++
		if node.Kube != nil {
			count.Registered++
		}
		if node.Kube != nil && node.Kube.Ready() {
			count.Ready++
		}
	}
	return count
}

// verdict is a finding about one subject on its way into the report.
type verdict struct {
	report.Finding
	subject string
	kind    report.Kind
	group   string // of a machine
	link    Link
	symptom bool
	order   int // of the check in the list
}

// subject is what a rule is asked about.
type subject struct {
	name     string
	kind     report.Kind
	group    string // of a machine
	proposed bool   // a group that is only planned: its own facts are the plan's
	node     *snapshot.Node
	ask      func(*snapshot.Snapshot) []Result
}

// judge asks one rule about all its subjects.
func (c *court) judge(check *Check) []verdict {
	var verdicts []verdict
	seen := c.restrict(visible(check))
	asked := c.subjects(seen, check)
	of := map[report.Kind]int{}
	for _, s := range asked {
		of[s.kind]++
	}
	settled := newFolder() // what does not fail blocks nothing: it need not be kept one by one
	for _, s := range asked {
		for _, result := range c.reported(seen, check, s) {
			v := verdict{
				Finding: report.Finding{
					Check: check.ID, Title: check.Title, Status: result.Status, Confidence: result.Confidence,
					Summary: result.Summary, Evidence: cameBy(s.node, result.Evidence), Fix: result.Fix, Refs: refs(check),
					Kind: s.kind, Of: of[s.kind], Link: check.Link.String(),
				},
				subject: s.name, kind: s.kind, group: s.group, link: check.Link, symptom: check.Symptom,
			}
			if v.Status == report.Fail {
				verdicts = append(verdicts, v)
			} else {
				settled.add(v)
			}
		}
	}
	return append(verdicts, settled.list...)
}

// answer is the rule's, or the engine's unknown when a section that the rule
// needs is a gap. A section that the command chose not to read, because
// nothing in it was of use (the key pairs of a group without one), makes the
// rule not applicable. A rule that panics knows nothing either.
func (c *court) answer(seen *snapshot.Snapshot, check *Check, s subject) (results []Result) {
	for _, section := range check.Needs {
		if s.proposed && (section == snapshot.SectionGroups || section == snapshot.SectionLaunch) {
			continue
		}
		gap, missing := c.gap(section, s.name)
		if !missing && s.group != "" { // what its group is started with, say
			gap, missing = c.gap(section, s.group)
		}
		switch {
		case missing && section == snapshot.SectionConsole && c.logged[s.name]:
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
func (c *court) subjects(seen *snapshot.Snapshot, check *Check) []subject {
	var all []subject
	switch {
	case check.Cluster != nil:
		return []subject{{name: seen.Target.ClusterName, kind: report.KindCluster, ask: check.Cluster}}
	case check.Group != nil:
		for i := range seen.Groups {
			group := &seen.Groups[i]
			all = append(all, subject{name: group.Name, kind: report.KindGroup, proposed: group.Proposed, ask: func(s *snapshot.Snapshot) []Result {
				return check.Group(s, group)
			}})
		}
	case check.Node != nil:
		near := c.near(seen)
		for i := range seen.Nodes {
			node := &seen.Nodes[i]
			if node.Warm && !check.Warm {
				continue
			}
			all = append(all, subject{name: nodeName(node), kind: report.KindMachine, group: node.Group, node: node, ask: func(*snapshot.Snapshot) []Result {
				return check.Node(near(node), node)
			}})
		}
	}
	if check.Join != nil {
		all = joiners(seen, check)
	}
	if len(all) == 0 {
		all = append(all, subject{name: seen.Target.ClusterName, kind: report.KindCluster, ask: func(*snapshot.Snapshot) []Result { return nil }})
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
