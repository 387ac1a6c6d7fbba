package check

import (
	"slices"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// hostRow is a row about what the machine says of itself. Where another row
// asks the same question of other facts, the two become one: see withReports.
type hostRow struct {
	id, title, why, ref string
	link                Link
	// needs are the probes without which nothing can be said.
	needs []snapshot.Probe
	// symptom and path are those of Check.
	symptom, path bool
	rule          func(*hostView) []Result
	// partly is the rule where a needed probe had nothing to begin with: of a
	// machine of which units and lines alone came home. nil: nothing is said.
	partly func(*hostView) []Result
}

// hostView is what a row may look at: the machine's report, whose needed
// families are there, and what else of the machine is known.
type hostView struct {
	*snapshot.Host
	snap *snapshot.Snapshot
	node *snapshot.Node
}

func probes(names ...snapshot.Probe) []snapshot.Probe { return names }

// check is the row as one that stands alone.
func (r hostRow) check() Check {
	return Check{
		ID: r.id, Title: r.title, Why: r.why, Ref: r.ref, Link: r.link, Needs: sections(snapshot.SectionHost), Uses: sections(snapshot.SectionNodes),
		Symptom: r.symptom, Path: r.path, Node: r.ask,
	}
}

// ask says unknown when a needed probe could not look. A machine that has no
// such thing, or whose probe had nothing to begin with, is not asked: another
// row tells why.
func (r hostRow) ask(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if n.Host == nil {
		return nil
	}
	view := &hostView{n.Host, s, n}
	for _, probe := range r.needs {
		gap, missing := n.Host.Gap(probe)
		switch {
		case missing && gap.Reason == snapshot.GapNotAsked && r.partly != nil:
			return r.partly(view)
		case missing && (gap.Reason == snapshot.GapAbsent || gap.Reason == snapshot.GapNotAsked):
			return nil
		case missing:
			return unknownProbe(gap)
		}
	}
	return r.rule(view)
}

func unknownProbe(gap snapshot.HostGap) []Result {
	return []Result{{
		Status: report.Unknown, Summary: gap.Detail,
		Evidence: []report.Evidence{agent(gap.Probe, "not read: "+string(gap.Reason))},
	}}
}

// withReports joins the rows about machines' reports to the others: a row of
// the same id asks the report first, a new one is added.
func withReports(all []Check, rows []hostRow) []Check {
	for _, row := range rows {
		i := slices.IndexFunc(all, func(c Check) bool { return c.ID == row.id })
		if i < 0 {
			all = append(all, row.check())
			continue
		}
		all[i].Host = row.ask
		all[i].Path = all[i].Path || row.path
	}
	return all
}

// visible are the sections that a check may see.
func visible(check *Check) []snapshot.Section {
	all := slices.Concat(check.Needs, check.Uses)
	if check.Host != nil {
		all = append(all, snapshot.SectionHost)
	}
	return all
}

// reported is what the machine's report says, and where it says nothing or does
// not know, what the rule says.
func (c *court) reported(seen *snapshot.Snapshot, check *Check, s subject) []Result {
	if check.Host == nil || s.node == nil {
		return c.answer(seen, check, s)
	}
	asked := s
	asked.ask = func(seen *snapshot.Snapshot) []Result { return check.Host(seen, s.node) }
	first := c.answer(seen, &Check{}, asked) // a panic in it is unknown, too
	if len(first) > 0 && first[0].Status != report.Unknown {
		return first
	}
	if own := c.answer(seen, check, s); len(own) > 0 {
		return own
	}
	return first
}

// agent is the source of evidence out of a report.
func agent(probe snapshot.Probe, text string) report.Evidence {
	return fact(agentSource+string(probe), text)
}

// line is the evidence of a known line that the machine logged, or nil.
func (v *hostView) line(sig string) []report.Evidence {
	if seen := v.Saw(sig); seen != nil {
		return []report.Evidence{quoted(seen)}
	}
	return nil
}

// restartWindow is how long before a unit's last change of state it may have
// said why: a kubelet that ends is started again after five seconds.
const restartWindow = 15 * time.Second

// current is the evidence of a line that the kubelet logged on its way into
// the state that it is in, or nil: what ended an earlier run is no cause of
// this one.
func (v *hostView) current(sig string) []report.Evidence {
	seen := v.Saw(sig)
	if seen == nil {
		return nil
	}
	if v.Units != nil && !seen.Last.IsZero() {
		state := v.Units.Unit("kubelet")
		switch {
		case state == nil || state.Since.IsZero():
		case state.Active == "active" && seen.Last.Before(state.Since), seen.Last.Before(state.Since.Add(-restartWindow)):
			return nil
		}
	}
	return v.line(sig)
}

// kubeletSaid is a row that a line of the kubelet's proves, unless it runs.
func kubeletSaid(row hostRow, line lineRow) hostRow {
	row.link, row.needs = LinkNodeObject, probes(snapshot.ProbeLogs)
	row.rule = func(v *hostView) []Result {
		if v.current(line.sig) == nil || v.Kubelet != nil && v.Kubelet.Healthz == 200 {
			return nil
		}
		return sawAny(&snapshot.Node{Logs: v.Logs.Seen}, []lineRow{line})
	}
	return row
}

// loggedRow is a row about the boot that known lines of the machine's logs
// prove.
func loggedRow(id, title, why, ref string, rows ...lineRow) hostRow {
	return hostRow{
		id: id, title: title, why: why, ref: ref, link: LinkBoot, needs: probes(snapshot.ProbeLogs), path: true,
		rule: func(v *hostView) []Result {
			if v.node.Kube != nil && v.node.Kube.Ready() {
				return nil // it has got over it
			}
			return sawAny(&snapshot.Node{Logs: v.Logs.Seen}, rows)
		},
	}
}

// unitState is a unit's state, "" where it is not known, and of a machine that
// is Ready, which has got over whatever it was.
func (v *hostView) unitState(name string) string {
	if v.Units == nil || v.Units.Unit(name) == nil || v.node.Kube != nil && v.node.Kube.Ready() {
		return ""
	}
	return v.Units.Unit(name).Active
}

// unit describes a unit's state.
func (v *hostView) unit(name string) []report.Evidence {
	if v.Units == nil {
		return nil
	}
	unit := v.Units.Unit(name)
	if unit == nil {
		if v.Units.Source != "dbus" {
			return nil
		}
		return []report.Evidence{agent(snapshot.ProbeUnits, name+".service: there is no such unit")}
	}
	text := name + ".service: " + unit.Active
	if unit.Sub != "" {
		text += " (" + unit.Sub + ")"
	}
	if unit.Result != "" && unit.Result != "success" {
		text += ", result " + unit.Result
	}
	return []report.Evidence{agent(snapshot.ProbeUnits, text)}
}
