package check

import (
	"iter"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Joiner is something that is to join the cluster: a machine, or the next
// machine of a group. A rule of kind Join is first handed the snapshot, once,
// so that what machines have in common (a role, a launch template) is worked
// out once however many there are, and then asked about each joiner.
type Joiner struct {
	// Node is the machine; nil when a group is asked about.
	Node *snapshot.Node
	// Group is the machine's, if it is known.
	Group *snapshot.Group
	// Machines is how many of the group are asked about themselves.
	Machines int
}

// joiners are those of joinersOf as subjects of a check.
func joiners(seen *snapshot.Snapshot, check *Check) []subject {
	ask := check.Join(seen)
	var all []subject
	for name, joiner := range joinersOf(seen) {
		s := subject{name: name, kind: report.KindMachine, node: joiner.Node, ask: func(*snapshot.Snapshot) []Result { return ask(joiner) }}
		if joiner.Node != nil {
			s.group = joiner.Node.Group
		} else {
			s.kind, s.proposed = report.KindGroup, joiner.Group.Proposed
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		all = append(all, subject{name: seen.Target.ClusterName, kind: report.KindCluster, ask: func(*snapshot.Snapshot) []Result {
			return unread(seen, "", snapshot.SectionGroups, snapshot.SectionInstances)
		}})
	}
	return all
}

// joinersOf are the machines, and the groups of which no machine is waiting to
// become Ready: there the next machine to start stands for the group.
func joinersOf(seen *snapshot.Snapshot) iter.Seq2[string, Joiner] {
	return func(yield func(string, Joiner) bool) {
		waiting, machines := map[string]bool{}, map[string]int{}
		for i := range seen.Nodes {
			node := &seen.Nodes[i]
			if node.InstanceID == "" || node.Warm || gone(node) {
				continue
			}
			machines[node.Group]++
			if node.Kube == nil || !node.Kube.Ready() {
				waiting[node.Group] = true
			}
			if !yield(nodeName(node), Joiner{Node: node, Group: seen.Group(node.Group)}) {
				return
			}
		}
		for i := range seen.Groups {
			group := &seen.Groups[i]
			if waiting[group.Name] && !group.Proposed {
				continue
			}
			if !yield(group.Name, Joiner{Group: group, Machines: machines[group.Name]}) {
				return
			}
		}
	}
}

// gone reports whether EC2 says that a machine will not come (back).
func gone(node *snapshot.Node) bool {
	if node.Cloud == nil {
		return false
	}
	switch node.Cloud.State {
	case "", "pending", "running":
		return false
	}
	return true
}

// unread is the unknown of a rule that misses what a section would tell of the
// machine or of its group; nil when none of the sections is a gap, or the
// command had no use for it.
func (j Joiner) unread(s *snapshot.Snapshot, needed ...snapshot.Section) []Result {
	if j.Node != nil {
		if results := unread(s, nodeName(j.Node), needed...); results != nil {
			return results
		}
	}
	if j.Group != nil {
		return unread(s, j.Group.Name, needed...)
	}
	return unread(s, "", needed...)
}

// unread is the unknown of a rule that misses what a section would tell; nil
// when none of the sections is a gap, or the command had no use for it.
func unread(s *snapshot.Snapshot, subject string, needed ...snapshot.Section) []Result {
	for _, section := range needed {
		if gap, missing := s.Gap(section, subject); missing && gap.Reason != snapshot.GapNotAsked {
			return []Result{unknown(gap)}
		}
	}
	return nil
}
