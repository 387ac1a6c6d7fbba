package check

import (
	"slices"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// court is one judgement: the snapshot, and what all rules would look for in
// it again and again, found once however many machines there are.
type court struct {
	snap  *snapshot.Snapshot
	gaps  map[snapshot.Section]*sectionGaps
	ready map[string]bool // machines, by the names that verdicts have for them
	// logged are the machines whose logs were searched on the machine itself:
	// then its console is not needed to know what it logged.
	logged map[string]bool
	views  map[nodeView][]snapshot.Node // machines with nothing but some of their sides
}

// sectionGaps are those of one section: of the whole of it, or by subject.
type sectionGaps struct {
	whole *snapshot.Gap
	of    map[string]*snapshot.Gap
	shown []snapshot.Gap // what rules see of them
}

func newCourt(snap *snapshot.Snapshot) *court {
	c := &court{snap: snap, gaps: map[snapshot.Section]*sectionGaps{}, ready: map[string]bool{}, logged: map[string]bool{}, views: map[nodeView][]snapshot.Node{}}
	for i := range snap.Gaps {
		gap := &snap.Gaps[i]
		in := c.gaps[gap.Section]
		if in == nil {
			in = &sectionGaps{of: map[string]*snapshot.Gap{}}
			c.gaps[gap.Section] = in
		}
		if gap.Subject == "" || gap.Reason != snapshot.GapNotAsked {
			in.shown = append(in.shown, *gap)
		}
		switch {
		case gap.Subject == "" && in.whole == nil:
			in.whole = gap
		case gap.Subject != "" && in.of[gap.Subject] == nil:
			in.of[gap.Subject] = gap
		}
	}
	for i := range snap.Nodes {
		node := &snap.Nodes[i]
		if node.Kube != nil && node.Kube.Ready() {
			c.ready[nodeName(node)] = true
		}
		if node.Host != nil && node.Host.Logs != nil {
			c.logged[nodeName(node)] = true
		}
	}
	return c
}

// gap is Snapshot.Gap.
func (c *court) gap(section snapshot.Section, subject string) (snapshot.Gap, bool) {
	in := c.gaps[section]
	switch {
	case in == nil:
		return snapshot.Gap{}, false
	case in.whole != nil:
		return *in.whole, true
	case in.of[subject] != nil:
		return *in.of[subject], true
	}
	return snapshot.Gap{}, false
}

// gapsOf are those of the sections that a rule may see. That a machine was
// not asked is the engine's affair alone: no rule is run for it then.
func (c *court) gapsOf(may func(snapshot.Section) bool) []snapshot.Gap {
	var sections []snapshot.Section
	for section := range c.gaps {
		if may(section) {
			sections = append(sections, section)
		}
	}
	slices.Sort(sections)
	var gaps []snapshot.Gap
	for _, section := range sections {
		gaps = append(gaps, c.gaps[section].shown...)
	}
	return gaps
}

// nodeSides are the sections that machines have a side for.
func nodeSides() [6]snapshot.Section {
	return [6]snapshot.Section{
		snapshot.SectionInstances, snapshot.SectionNodes, snapshot.SectionUserData, snapshot.SectionConsole, snapshot.SectionInstanceStatus, snapshot.SectionHost,
	}
}

// nodeView says which of nodeSides a rule may see.
type nodeView [6]bool

// nodes are the machines as a rule may see them. Rules that see the same
// share them: none changes what it sees.
func (c *court) nodes(may func(snapshot.Section) bool) []snapshot.Node {
	var view nodeView
	for i, section := range nodeSides() {
		view[i] = may(section)
	}
	if _, have := c.views[view]; !have {
		c.views[view] = restrictNodes(c.snap.Nodes, may)
	}
	return c.views[view]
}
