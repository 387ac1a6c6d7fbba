package evidence

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"

	"github.com/eksnodes/kubectl-eksnodes/pkg/hostreport"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Names of the files below node/INSTANCE/ that are a machine's own facts.
const (
	reportName = "report.json"
	unitsName  = "units.txt"
)

// addHost puts the machine's own report into the snapshot, or what else tells
// of its units, and closes the gap that it leaves; without either, nothing.
func (f *Files) addHost(snap *snapshot.Snapshot, id, dir string) {
	host, err := f.host(dir)
	if err != nil {
		dropHostGap(snap, id)
		snap.Gaps = append(snap.Gaps, snapshot.Gap{
			Section: snapshot.SectionHost, Subject: id, Reason: snapshot.GapInvalid, Detail: "node/" + dir + "/" + reportName + ": " + err.Error(),
		})
		return
	}
	if host == nil {
		return
	}
	dropHostGap(snap, id)
	snap.AddNodes(snapshot.Node{InstanceID: id, Host: host})
}

func dropHostGap(snap *snapshot.Snapshot, id string) {
	snap.SplitGap(snapshot.SectionHost)
	snap.DropGap(snapshot.SectionHost, id)
}

func (f *Files) host(dir string) (*snapshot.Host, error) {
	data, err := f.ReadFile("node/" + dir + "/" + reportName)
	if err == nil {
		document, err := hostreport.Decode(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		return &document.Facts, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	data, err = f.ReadFile("node/" + dir + "/" + unitsName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return PartialHost(&snapshot.Host{Units: Units(data)}, "no report of the agent: only units and logs were collected"), nil
}

// PartialHost says of every probe that a host lacks that nobody asked it, and
// why: what was not collected is no fault of the machine.
func PartialHost(host *snapshot.Host, why string) *snapshot.Host {
	for _, probe := range snapshot.Probes() {
		told := slices.ContainsFunc(host.Gaps, func(g snapshot.HostGap) bool { return g.Probe == probe })
		if _, missing := host.Gap(probe); missing && !told {
			host.Gaps = append(host.Gaps, snapshot.HostGap{Probe: probe, Reason: snapshot.GapNotAsked, Detail: why})
		}
	}
	return host
}
