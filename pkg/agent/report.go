package agent

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/evidence"
	"github.com/eksnodes/kubectl-eksnodes/pkg/hostreport"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Report is cargo that was read: what a machine says of itself.
type Report struct {
	Road string
	// Host are its facts.
	Host *snapshot.Host
	// AgentVersion is node-agent's; "" when none ran.
	AgentVersion string
	Partial      bool
}

// Write writes the report as node-agent writes it, without findings: they
// follow from the facts.
func (r *Report) Write(w io.Writer) error {
	return hostreport.New(r.AgentVersion, *r.Host, nil).Encode(w)
}

// open reads cargo. Its error is that the cargo is no report of this machine.
func open(road string, m *Machine, cargo Cargo) (Report, error) {
	report := Report{Road: road, Partial: cargo.Partial}
	switch {
	case cargo.Document != nil:
		document, err := hostreport.Decode(bytes.NewReader(bytes.TrimSpace(cargo.Document)))
		if err != nil {
			return report, fmt.Errorf("it answers, but not with a report: %w", err)
		}
		report.Host, report.AgentVersion = &document.Facts, document.AgentVersion
	case cargo.Files != nil:
		report.Host = hostOfFiles(m.InstanceID, cargo.Files)
	case cargo.Host != nil:
		report.Host = cargo.Host
	default:
		return report, errors.New("it brought nothing")
	}
	if system := report.Host.System; system != nil && system.InstanceID != "" && system.InstanceID != m.InstanceID {
		return report, fmt.Errorf("the report is of %s: another machine answers at its address", system.InstanceID)
	}
	report.Host.CameBy(road)
	return report, nil
}

// hostOfFiles are the facts in raw files, read as `doctor --from` reads them.
func hostOfFiles(instanceID string, contents map[string][]byte) *snapshot.Host {
	placed := make(map[string][]byte, len(contents))
	names := make([]string, 0, len(contents))
	for name, data := range contents {
		placed["node/"+instanceID+"/"+name] = data
		names = append(names, name)
	}
	slices.Sort(names)
	snap := snapshot.Snapshot{Nodes: []snapshot.Node{{InstanceID: instanceID}}}
	evidence.Memory(placed, time.Time{}).AddLogs(&snap)
	host := snap.Nodes[0].Host
	if host == nil {
		host = &snapshot.Host{}
	}
	host.Logs = &snapshot.HostLogs{Sources: names, Seen: snap.Nodes[0].Logs}
	for _, gap := range snap.Gaps {
		host.Logs.Missed = append(host.Logs.Missed, gap.Detail)
	}
	return evidence.PartialHost(host, "the agent did not run: only logs and units were read")
}

// Join puts a machine's reports into the snapshot: the facts of the last one,
// which tells most, and the known lines of all. A machine that could not be
// asked is a gap that says what was tried.
func Join(snap *snapshot.Snapshot, result Result) {
	snap.SplitGap(snapshot.SectionHost)
	snap.DropGap(snapshot.SectionHost, result.InstanceID)
	if len(result.Reports) == 0 {
		snap.Gaps = append(snap.Gaps, snapshot.Gap{
			Section: snapshot.SectionHost, Subject: result.InstanceID, Reason: snapshot.GapUnreachable, Detail: "no report of the machine: " + result.Tried(),
		})
		return
	}
	for _, report := range result.Reports {
		snap.AddNodes(snapshot.Node{InstanceID: result.InstanceID, Host: report.Host})
	}
	for i := range snap.Nodes { // AddNodes has made the slice ours to change
		if snap.Nodes[i].InstanceID == result.InstanceID {
			snap.Nodes[i].Host = result.Reports[len(result.Reports)-1].Host
		}
	}
}

// Tried says why each road that was gone brought nothing, "" when all did.
func (r *Result) Tried() string {
	var failed []string
	for _, attempt := range r.Attempts {
		if why := attempt.Why(); why != "" {
			failed = append(failed, attempt.Road+": "+why)
		}
	}
	return strings.Join(failed, "; ")
}

// Used are the roads that brought something.
func (r *Result) Used() []string {
	var used []string
	for _, report := range r.Reports {
		used = append(used, report.Road)
	}
	return used
}

// Whole reports whether an agent's or a collector's whole report came home.
func (r *Result) Whole() bool {
	return slices.ContainsFunc(r.Reports, func(report Report) bool { return !report.Partial })
}
