package hostfile

import (
	"regexp"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// maxOOMKills bounds how many are kept: the last ones.
const maxOOMKills = 10

// kernelLine is what a line of the kernel's means. The words are those of the
// kernel's sources (mm/oom_kill.c, net/netfilter/nf_conntrack_core.c,
// fs/xfs, fs/ext4/super.c, kernel/hung_task.c, kernel/cgroup/pids.c).
type kernelLine struct {
	kind string
	find *regexp.Regexp
}

// Kernel collects what the kernel's lines tell.
type Kernel struct {
	lines      []kernelLine
	killed     *regexp.Regexp
	constraint *regexp.Regexp
	pending    string // constraint of the kill that is told next
	events     map[string]*snapshot.HostKernelEvent
	order      []string
	kills      []snapshot.HostOOMKill
}

// NewKernel begins a collection.
func NewKernel() *Kernel {
	line := func(kind, find string) kernelLine { return kernelLine{kind, regexp.MustCompile(find)} }
	return &Kernel{
		killed:     regexp.MustCompile(`(Out of memory|Memory cgroup out of memory): Kill(?:ed)? process \d+ \((?P<name>[^)]*)\)`),
		constraint: regexp.MustCompile(`oom-kill:constraint=(CONSTRAINT_[A-Z_]+)`),
		events:     map[string]*snapshot.HostKernelEvent{},
		lines: []kernelLine{
			line("read-only", `Remounting filesystem read-only`),
			line("xfs-shutdown", `XFS .*(?:[Ss]hutting down filesystem|log I/O error)`),
			line("conntrack-full", `nf_conntrack: (?:nf_conntrack: )?table full, dropping packet`),
			line("io-error", `(?:blk_update_request|Buffer) I/O error|I/O error, dev \w+`),
			line("hung-task", `task \S+:\d+ blocked for more than \d+ seconds`),
			line("fork-failed", `cgroup: fork rejected by pids controller`),
		},
	}
}

// Add takes one line; at may be zero.
func (k *Kernel) Add(at time.Time, line string) {
	if found := k.constraint.FindStringSubmatch(line); found != nil {
		k.pending = found[1]
		return
	}
	if found := k.killed.FindStringSubmatch(line); found != nil {
		constraint := "system"
		if k.pending == "CONSTRAINT_MEMCG" || found[1] != "Out of memory" {
			constraint = "cgroup"
		}
		k.pending = ""
		k.kills = append(k.kills, snapshot.HostOOMKill{At: at, Process: redact.Line(found[2]), Constraint: constraint})
		if len(k.kills) > maxOOMKills {
			k.kills = k.kills[1:]
		}
		return
	}
	for _, row := range k.lines {
		if !row.find.MatchString(line) {
			continue
		}
		event := k.events[row.kind]
		if event == nil {
			event = &snapshot.HostKernelEvent{Kind: row.kind}
			k.events[row.kind] = event
			k.order = append(k.order, row.kind)
		}
		event.Count++
		event.Line = bounded(redact.Line(line), 300)
		return
	}
}

// Facts are what was collected.
func (k *Kernel) Facts(source string) snapshot.HostKernel {
	out := snapshot.HostKernel{Source: source, OOMKills: k.kills}
	for _, kind := range k.order {
		out.Events = append(out.Events, *k.events[kind])
	}
	return out
}
