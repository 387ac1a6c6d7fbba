//go:build linux

package host

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Bounds of the list of processes.
const (
	maxProcesses = 5000
	topProcesses = 10
)

// processes lists those that run, by name and memory.
func (m *Machine) processes() []snapshot.HostProcess {
	dir, err := m.proc.at("/proc", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil
	}
	defer dir.Close()
	var all []snapshot.HostProcess
	for len(all) < maxProcesses {
		names, err := dir.Readdirnames(256)
		for _, name := range names {
			if pid, err := strconv.Atoi(name); err == nil {
				if process, ok := m.process(pid); ok {
					all = append(all, process)
				}
			}
		}
		if errors.Is(err, io.EOF) || len(names) == 0 {
			break
		}
	}
	slices.SortFunc(all, func(a, b snapshot.HostProcess) int {
		return cmp.Or(cmp.Compare(b.RSS, a.RSS), cmp.Compare(a.PID, b.PID))
	})
	return all
}

// process reads /proc/PID/stat: the name in brackets, which may hold anything,
// and the pages in memory, the 22nd field after it.
func (m *Machine) process(pid int) (snapshot.HostProcess, bool) {
	stat, err := m.proc.readUpTo("/proc/"+strconv.Itoa(pid)+"/stat", 4<<10)
	if err != nil {
		return snapshot.HostProcess{}, false
	}
	text := string(stat)
	from, to := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if from < 0 || to < from {
		return snapshot.HostProcess{}, false
	}
	fields := strings.Fields(text[to+1:])
	if len(fields) < 22 {
		return snapshot.HostProcess{}, false
	}
	pages, err := strconv.ParseInt(fields[21], 10, 64)
	if err != nil {
		return snapshot.HostProcess{}, false
	}
	return snapshot.HostProcess{PID: pid, Name: redact.Line(text[from+1 : to]), RSS: pages * int64(unix.Getpagesize())}, true
}

// readProcesses names the processes with most memory.
func (m *Machine) readProcesses(context.Context, *snapshot.Host) (fill, error) {
	all := m.processes()
	if len(all) == 0 {
		return nil, errors.New("/proc lists no process")
	}
	facts := &snapshot.HostProcesses{Count: len(all), Top: all[:min(len(all), topProcesses)]}
	return func(h *snapshot.Host) { h.Processes = facts }, nil
}
