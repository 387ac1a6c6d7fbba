//go:build linux

package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/signature"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// journalLines is how far back each unit's journal is read.
const journalLines = 2000

// journalUnits are the units whose journals are searched.
func journalUnits() []string {
	return []string{"kubelet", "containerd", "nodeadm-boot-hook", "nodeadm-config", "nodeadm-run", "cloud-init", "chronyd"}
}

// maxLogTail bounds what is read of a log file: its end.
const maxLogTail = 512 << 10

// logFiles are files by the name that the library of lines knows them by.
func logFiles() [][2]string {
	return [][2]string{
		{signature.CloudInitOutput, "/var/log/cloud-init-output.log"},
		{signature.CloudInit, "/var/log/cloud-init.log"},
		{signature.IPAMD, "/var/log/aws-routed-eni/ipamd.log"},
		{"plugin", "/var/log/aws-routed-eni/plugin.log"},
	}
}

// readLogs searches journals and files for known lines. The logs themselves
// are not kept.
func (m *Machine) readLogs(ctx context.Context, _ *snapshot.Host) (fill, error) {
	facts := &snapshot.HostLogs{}
	type searched struct {
		source string
		seen   []snapshot.Seen
		err    error
	}
	answers := make(chan searched, len(journalUnits()))
	limit := make(chan struct{}, 3) // journals at a time: each is a process
	for _, unit := range journalUnits() {
		go func() {
			limit <- struct{}{}
			seen, err := m.searchJournal(ctx, unit)
			<-limit
			answers <- searched{"journal " + unit, seen, err}
		}()
	}
	take := func(s searched) {
		facts.Seen = append(facts.Seen, s.seen...)
		if s.err != nil {
			facts.Missed = append(facts.Missed, s.source+": "+redact.Line(s.err.Error()))
			return
		}
		facts.Sources = append(facts.Sources, s.source)
	}
	for _, file := range slices.Concat(logFiles(), m.podLogs()) {
		data, err := m.root.tail(file[1], maxLogTail)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotMounted) {
			continue
		}
		var seen []snapshot.Seen
		if err == nil {
			seen, err = signature.Scan(file[0], bytes.NewReader(data))
		}
		take(searched{file[1], seen, err})
	}
	for range journalUnits() {
		take(<-answers)
	}
	slices.Sort(facts.Sources)
	slices.Sort(facts.Missed)
	facts.Seen = signature.Settle(facts.Seen)
	slices.SortStableFunc(facts.Seen, func(a, b snapshot.Seen) int {
		return strings.Compare(a.Sig+" "+a.Where, b.Sig+" "+b.Where)
	})
	switch {
	case len(facts.Sources) > 0:
	case m.inPod:
		return nil, notAsked("a pod has neither the journal, which the machine's own journalctl reads, nor the log files")
	default:
		return nil, fmt.Errorf("no log could be read: %s", strings.Join(facts.Missed, "; "))
	}
	return func(h *snapshot.Host) { h.Logs = facts }, nil
}

// podLogs are the newest logs of the node's own system pods.
func (m *Machine) podLogs() [][2]string {
	const dir = "/var/log/pods"
	pods, err := m.root.names(dir)
	if err != nil {
		return nil
	}
	var found [][2]string
	for _, pod := range pods {
		for _, container := range []string{signature.AwsNode, signature.KubeProxy} {
			if !strings.HasPrefix(pod, "kube-system_"+container+"-") {
				continue
			}
			logs, err := m.root.names(dir + "/" + pod + "/" + container)
			if err == nil && len(logs) > 0 && len(found) < 4 {
				found = append(found, [2]string{container, dir + "/" + pod + "/" + container + "/" + logs[len(logs)-1]})
			}
		}
	}
	return found
}

// searchJournal searches one unit's journal as it is printed, so that it is
// never in memory.
func (m *Machine) searchJournal(ctx context.Context, unit string) ([]snapshot.Seen, error) {
	in, out := io.Pipe()
	go func() { out.CloseWithError(m.journal(ctx, out, "json", journalLines, unit)) }()
	seen, err := signature.Scan(unit, in)
	_ = in.Close() // lets the writer go when the scan has ended early
	return seen, err
}

// journal prints the last lines of the units since the boot.
func (m *Machine) journal(ctx context.Context, out io.Writer, format string, lines int, units ...string) error {
	args := []string{"--boot", "--lines", strconv.Itoa(lines)}
	for _, unit := range units {
		args = append(args, "--unit", unit+".service")
	}
	return m.journalctl(ctx, out, format, args...)
}

// kernelJournal prints the last lines of the kernel since the boot.
func (m *Machine) kernelJournal(ctx context.Context, out io.Writer, lines int) error {
	return m.journalctl(ctx, out, "json", "--boot", "--dmesg", "--lines", strconv.Itoa(lines))
}

// journalctl is the machine's own program: the journal's files are its
// format, which it alone knows in full.
func (m *Machine) journalctl(ctx context.Context, out io.Writer, format string, args ...string) error {
	if m.run == nil {
		return notAsked("the journal is read by the machine's own journalctl, which cannot be run from a pod")
	}
	args = append([]string{"--no-pager", "--quiet", "--output", format, "--output-fields=MESSAGE"}, args...)
	ran, err := m.run.run(ctx, nil, out, "journalctl", args...)
	if err != nil {
		return err
	}
	if ran.code != 0 {
		return fmt.Errorf("journalctl ended with code %d: %s", ran.code, redact.Line(string(ran.err)))
	}
	return nil
}
