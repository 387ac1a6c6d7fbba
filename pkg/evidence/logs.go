package evidence

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/signature"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// unknownDir holds files of a machine whose instance nobody knows.
const unknownDir = "unknown"

// AddLogs puts what machines say of themselves into the snapshot's machines:
// their reports, and the known lines of the collected logs, those of the
// control plane at the machine whose instance they name. A machine with logs
// of its own lacks its console no more. Logs that cannot be read are gaps.
func (f *Files) AddLogs(snap *snapshot.Snapshot) {
	for _, dir := range f.nodeDirs() {
		id := f.machineOf(snap, dir)
		if id == "" {
			continue
		}
		f.addHost(snap, id, dir)
		logs, archives := f.logsOf(dir)
		if len(logs)+len(archives) == 0 {
			continue
		}
		f.add(snap, id, logs, archives)
	}
	for _, component := range []string{signature.Authenticator, signature.Audit} {
		f.addByInstance(snap, component)
	}
	f.addPodLogs(snap)
}

// machineOf is the machine that a directory's files are of, "" when none that
// is judged. Where nobody collected which machines there are, the directories
// say so.
func (f *Files) machineOf(snap *snapshot.Snapshot, dir string) string {
	id := dir
	if dir == unknownDir {
		if id = onlyOutsider(snap); id != "" {
			return id
		}
		id = dir
	}
	if has(snap, id) {
		return id
	}
	if gap, missing := snap.Gap(snapshot.SectionInstances, ""); missing && gap.Reason == snapshot.GapNoFile && (len(snap.Nodes) == 0 || dir != unknownDir) {
		snap.AddNodes(snapshot.Node{InstanceID: id})
		return id
	}
	return ""
}

// nodeDirs are the directories below node/.
func (f *Files) nodeDirs() []string {
	var dirs []string
	for _, name := range f.names {
		if rest, ok := strings.CutPrefix(name, "node/"); ok {
			if dir, _, below := strings.Cut(rest, "/"); below {
				dirs = append(dirs, dir)
			}
		}
	}
	return slices.Compact(dirs)
}

// onlyOutsider is the one machine that has not registered, if there is just
// one: logs of an unknown machine can be of no other.
func onlyOutsider(snap *snapshot.Snapshot) string {
	id := ""
	for i := range snap.Nodes {
		node := &snap.Nodes[i]
		if node.InstanceID == "" || node.Kube != nil && node.Kube.Ready() {
			continue
		}
		if id != "" {
			return ""
		}
		id = node.InstanceID
	}
	return id
}

// add scans the logs of one machine, if it is one that is judged.
func (f *Files) add(snap *snapshot.Snapshot, id string, logs []log, archives []string) {
	if !has(snap, id) {
		return
	}
	var seen []snapshot.Seen
	read := 0
	for _, log := range logs {
		data, err := f.ReadFile(log.name)
		if err == nil {
			var found []snapshot.Seen
			found, err = signature.Scan(log.unit, bytes.NewReader(data))
			seen = append(seen, found...)
		}
		if err != nil {
			addGap(snap, id, log.name, err)
			continue
		}
		read++
	}
	for _, name := range archives {
		found, err := f.scanArchive(name)
		seen = append(seen, found...)
		if err != nil {
			addGap(snap, id, name, err)
			continue
		}
		read++
	}
	if read > 0 {
		snap.Gaps = slices.DeleteFunc(slices.Clone(snap.Gaps), func(gap snapshot.Gap) bool {
			return gap.Section == snapshot.SectionConsole && gap.Subject == id && gap.Reason == snapshot.GapNoFile
		})
	}
	put(snap, id, seen)
}

// put joins lines to a machine and drops what is noise beside the rest.
func put(snap *snapshot.Snapshot, id string, seen []snapshot.Seen) {
	if len(seen) == 0 || !has(snap, id) {
		return
	}
	snap.AddNodes(snapshot.Node{InstanceID: id, Logs: seen})
	for i := range snap.Nodes {
		if snap.Nodes[i].InstanceID == id {
			snap.Nodes[i].Logs = signature.Settle(snap.Nodes[i].Logs)
		}
	}
}

func has(snap *snapshot.Snapshot, id string) bool {
	return slices.ContainsFunc(snap.Nodes, func(n snapshot.Node) bool { return n.InstanceID == id })
}

func addGap(snap *snapshot.Snapshot, id, name string, err error) {
	snap.Gaps = append(slices.Clip(snap.Gaps), snapshot.Gap{
		Section: snapshot.SectionConsole, Subject: id, Reason: snapshot.GapInvalid, Detail: fmt.Sprintf("%s: %v", name, err),
	})
}

// scanArchive reads the logs in an archive of the EKS log collector.
func (f *Files) scanArchive(name string) ([]snapshot.Seen, error) {
	data, err := f.ReadFile(name)
	if err != nil {
		return nil, err
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	var seen []snapshot.Seen
	for archive := tar.NewReader(&bounded{in: unpacked, left: maxTotal}); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return seen, nil
		}
		if err != nil {
			return seen, err
		}
		unit := unitOf(path.Base(header.Name))
		if header.Typeflag != tar.TypeReg || unit == "" {
			continue
		}
		found, err := signature.Scan(unit, archive)
		seen = append(seen, found...)
		if err != nil {
			return seen, err
		}
	}
}

// instanceIDs finds EC2's ids: the authenticator logs the session's name,
// which for a machine is its instance id.
var instanceIDs = regexp.MustCompile(`\bi-[0-9a-f]{8,17}\b`)

// addByInstance deals the lines of a control plane log out to the machines
// that they name.
func (f *Files) addByInstance(snap *snapshot.Snapshot, component string) {
	data, err := f.ReadFile("control-plane/" + component + ".log")
	if err != nil {
		return
	}
	of := map[string]*strings.Builder{}
	for line := range bytes.Lines(data) {
		for _, id := range instanceIDs.FindAllString(string(line), 2) {
			if of[id] == nil {
				of[id] = &strings.Builder{}
			}
			of[id].Write(line)
		}
	}
	for i := range snap.Nodes {
		id := snap.Nodes[i].InstanceID
		if of[id] == nil {
			continue
		}
		seen, err := signature.Scan(component, strings.NewReader(of[id].String()))
		if err != nil {
			addGap(snap, id, "control-plane/"+component+".log", err)
			continue
		}
		put(snap, id, seen)
	}
}

// addPodLogs scans the logs of pods at the machines that they run on.
func (f *Files) addPodLogs(snap *snapshot.Snapshot) {
	for _, pod := range snap.Kube.System.Pods {
		id := ""
		for i := range snap.Nodes {
			if node := &snap.Nodes[i]; node.Kube != nil && node.Kube.Name == pod.Node {
				id = node.InstanceID
			}
		}
		if id == "" {
			continue
		}
		prefix := "kube/logs/kube-system." + pod.Name + "."
		for _, name := range f.names {
			container, ok := strings.CutPrefix(name, prefix)
			if !ok {
				continue
			}
			data, err := f.ReadFile(name)
			if err != nil {
				addGap(snap, id, name, err)
				continue
			}
			seen, err := signature.Scan(strings.TrimSuffix(container, ".log"), bytes.NewReader(data))
			if err != nil {
				addGap(snap, id, name, err)
			}
			put(snap, id, seen)
		}
	}
}
