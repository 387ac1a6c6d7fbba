//go:build linux

package host

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/host/hostfile"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// readResources reads the kernel's counts of what runs out.
func (m *Machine) readResources(context.Context, *snapshot.Host) (fill, error) {
	memory, err := m.proc.read("/proc/meminfo")
	if err != nil {
		return nil, err
	}
	sizes := hostfile.Meminfo(memory)
	facts := &snapshot.HostResources{CPUs: runtime.NumCPU(), MemoryTotal: sizes["MemTotal"], MemoryAvailable: sizes["MemAvailable"]}
	swaps, err := m.proc.read("/proc/swaps")
	if err == nil {
		facts.Swap, facts.SwapTotal = hostfile.Swaps(swaps)
	}
	facts.Threads = m.threads()
	facts.PIDMax, facts.ThreadsMax = orZero(m.count("/proc/sys/kernel/pid_max")), orZero(m.count("/proc/sys/kernel/threads-max"))
	facts.Conntrack, facts.ConntrackMax = m.count("/proc/sys/net/netfilter/nf_conntrack_count"), m.count("/proc/sys/net/netfilter/nf_conntrack_max")
	if facts.MemoryTotal == 0 {
		return nil, errors.New("/proc/meminfo does not say how much memory there is")
	}
	return func(h *snapshot.Host) { h.Resources = facts }, err
}

// threads is how many tasks the kernel has, after the slash in loadavg.
func (m *Machine) threads() int {
	fields := strings.Fields(m.proc.line("/proc/loadavg"))
	if len(fields) < 4 {
		return 0
	}
	_, all, _ := strings.Cut(fields[3], "/")
	n, err := strconv.Atoi(all)
	if err != nil {
		return 0
	}
	return n
}

// count is a number in a file of the kernel's, nil when it has none.
func (m *Machine) count(path string) *int {
	n, err := strconv.Atoi(m.proc.line(path))
	if err != nil {
		return nil
	}
	return &n
}

func orZero(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}
