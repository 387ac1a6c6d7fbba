package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const (
	docPressure = "https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/"
	docPIDs     = "https://kubernetes.io/docs/concepts/policy/pid-limiting/"
	docTune     = "https://docs.aws.amazon.com/eks/latest/best-practices/scale-data-plane.html"
)

// osRows are about what the operating system runs out of.
func osRows() []hostRow {
	return []hostRow{
		{
			id: "os.disk-full", title: "space on the machine's disks",
			why: "Without space neither the runtime nor the kubelet can write, and images cannot be unpacked; at 10% the kubelet begins to evict pods.",
			ref: docPressure, link: LinkBoot, needs: probes(snapshot.ProbeDisks), rule: diskSpace,
		},
		{
			id: "os.inodes", title: "inodes on the machine's disks",
			why: "A file system with space but without inodes takes no new file: containers cannot be made.",
			ref: docPressure, link: LinkBoot, needs: probes(snapshot.ProbeDisks), rule: diskInodes,
		},
		{
			id: "os.readonly-fs", title: "file systems can be written",
			why: "The kernel makes a file system read-only when its disk fails; the kubelet and the runtime then end.",
			ref: docPressure, link: LinkBoot, needs: probes(snapshot.ProbeDisks), rule: readOnlyDisks,
		},
		{
			id: "os.disk-errors", title: "disks work without errors",
			why: "I/O errors and tasks that hang on them come before a file system turns read-only.",
			ref: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-volume-status.html", link: LinkBoot, needs: probes(snapshot.ProbeKernel), path: true, rule: diskErrors,
		},
		{
			id: "os.memory", title: "memory of the machine",
			why: "Below 100 MiB of available memory the kubelet evicts pods, and below that the kernel ends processes.",
			ref: docPressure, link: LinkReady, needs: probes(snapshot.ProbeResources), rule: machineMemory,
		},
		{
			id: "os.oom", title: "kernel ends no part of the node for want of memory",
			why: "When the kernel ends the kubelet, containerd or the CNI, the node turns NotReady for a reason that their own logs do not have.",
			ref: docPressure, link: LinkBoot, needs: probes(snapshot.ProbeKernel), path: true, rule: oomKills,
		},
		{
			id: "os.pid-exhausted", title: "processes of the machine",
			why: "At the kernel's limit no process and no thread can be started.",
			ref: docPIDs, link: LinkBoot, needs: probes(snapshot.ProbeResources), rule: machinePIDs,
		},
		{
			id: "os.conntrack-full", title: "connections that the kernel keeps track of",
			why: "When the table is full the kernel drops packets of new connections: names do not resolve and probes fail at random.",
			ref: docTune, link: LinkReady, needs: probes(snapshot.ProbeResources), path: true, rule: connTrack,
		},
		{
			id: "os.kernel", title: "kernel release",
			why: "Some kernels have faults that make nodes NotReady.",
			ref: "https://github.com/awslabs/amazon-eks-ami/issues/1071", link: LinkReady, needs: probes(snapshot.ProbeSystem), path: true, rule: kernelRelease,
		},
	}
}

const mib = 1 << 20

func sizeText(bytes int64) string {
	if bytes >= 10<<30 {
		return fmt.Sprintf("%d GiB", bytes>>30)
	}
	return fmt.Sprintf("%d MiB", bytes>>20)
}

// measured are the file systems whose size is known; all of them, as
// evidence, when there is nothing to tell.
func measured(v *hostView) []snapshot.HostFilesystem {
	return slices.DeleteFunc(slices.Clone(v.Disks.Filesystems), func(f snapshot.HostFilesystem) bool { return f.Failure != nil || f.Size == 0 })
}

// hangs is the result of a file system that did not answer.
func hangs(v *hostView) []Result {
	for _, f := range v.Disks.Filesystems {
		if f.Failure != nil {
			return fail(report.Likely, fmt.Sprintf("the file system of %s does not answer", f.Mount), do("look at its volume; then replace the machine", "dmesg | tail -50"),
				agent(snapshot.ProbeDisks, f.Mount+": "+f.Failure.Detail))
		}
	}
	return nil
}

func diskSpace(v *hostView) []Result {
	if hung := hangs(v); hung != nil {
		return hung
	}
	var low, seen []report.Evidence
	for _, f := range measured(v) {
		found := agent(snapshot.ProbeDisks, fmt.Sprintf("%s (%s): %s of %s free", f.Mount, strings.Join(f.For, ", "), sizeText(f.Free), sizeText(f.Size)))
		if f.Free < min(100*mib, f.Size/50) {
			return fail(report.Certain, fmt.Sprintf("%s is full", f.Mount), do("make room, and give the group larger volumes", "du -xh --max-depth=2 "+f.Mount+" | sort -h | tail -20", "journalctl --vacuum-size=100M"), found)
		}
		if f.Free < f.Size/10 && f.Type != "tmpfs" {
			low = append(low, found)
		}
		seen = append(seen, found)
	}
	if len(low) > 0 {
		return warn(report.Likely, "less than a tenth of a disk is free: the kubelet evicts pods", do("make room, and give the group larger volumes", "df -h"), low...)
	}
	return pass("there is space", seen[:min(len(seen), 4)]...)
}

func diskInodes(v *hostView) []Result {
	var low, seen []report.Evidence
	for _, f := range measured(v) {
		if f.Inodes == 0 {
			continue // it has no fixed number of them
		}
		found := agent(snapshot.ProbeDisks, fmt.Sprintf("%s: %d of %d inodes free", f.Mount, f.InodesFree, f.Inodes))
		if f.InodesFree < f.Inodes/1000+1 {
			return fail(report.Certain, fmt.Sprintf("%s has no inodes left", f.Mount), do("remove small files that pile up, and replace the machine",
				"for d in "+strings.TrimSuffix(f.Mount, "/")+"/*; do echo \"$(find \"$d\" -xdev | wc -l) $d\"; done | sort -n | tail"), found)
		}
		if f.InodesFree < f.Inodes/20 {
			low = append(low, found)
		}
		seen = append(seen, found)
	}
	switch {
	case len(low) > 0:
		return warn(report.Likely, "less than 5% of a disk's inodes are free: the kubelet evicts pods", do("remove small files that pile up", "df -i"), low...)
	case len(seen) == 0:
		return nil
	}
	return pass("there are inodes", seen[:min(len(seen), 4)]...)
}

// readOnlyDisks looks where a node must write. Bottlerocket's root is read-only
// for good.
func readOnlyDisks(v *hostView) []Result {
	fix := do("look for what the kernel says of the disk, then replace the machine", "dmesg | grep -iE 'remount|xfs|ext4|i/o error' | tail", "grep -w ro /proc/mounts")
	for _, f := range v.Disks.Filesystems {
		needed := slices.ContainsFunc(f.For, func(path string) bool {
			return path != "/" && path != "/tmp" || v.System != nil && v.System.Family != "bottlerocket"
		})
		if f.ReadOnly && needed {
			return fail(report.Certain, fmt.Sprintf("%s is read-only", f.Mount), fix, agent(snapshot.ProbeDisks, fmt.Sprintf("%s on %s, for %s: read-only", f.Device, f.Mount, strings.Join(f.For, ", "))))
		}
	}
	if v.Kernel != nil {
		for _, event := range v.Kernel.Events {
			if event.Kind == "read-only" || event.Kind == "xfs-shutdown" {
				return fail(report.Likely, "the kernel has stopped writing to a file system", fix, agent(snapshot.ProbeKernel, event.Line))
			}
		}
	}
	return pass("those that a node writes to can be written", agent(snapshot.ProbeDisks, fmt.Sprintf("%d file systems", len(v.Disks.Filesystems))))
}

func diskErrors(v *hostView) []Result {
	var found []report.Evidence
	for _, event := range v.Kernel.Events {
		if event.Kind == "io-error" || event.Kind == "hung-task" {
			found = append(found, agent(snapshot.ProbeKernel, fmt.Sprintf("%d times: %s", event.Count, event.Line)))
		}
	}
	if len(found) > 0 {
		return warn(report.Likely, "the kernel tells of disks that do not answer", do("look at the volume's status, then replace the machine", "dmesg | grep -iE 'i/o error|blocked for more than' | tail"), found...)
	}
	return pass("the kernel tells of none", agent(snapshot.ProbeKernel, "no such line in "+v.Kernel.Source))
}

func machineMemory(v *hostView) []Result {
	found := agent(snapshot.ProbeResources, fmt.Sprintf("%s of %s available", sizeText(v.Resources.MemoryAvailable), sizeText(v.Resources.MemoryTotal)))
	if v.Resources.MemoryAvailable < 100*mib {
		return warn(report.Likely, "less than 100 MiB of memory are available: the kubelet evicts pods", do("see what takes it, and give the pods limits or the group larger machines", "ps -eo rss,comm --sort=-rss | head"), found)
	}
	return pass("there is memory", found)
}

// partsOfNode are the processes that a node does not live without, by the
// names that the kernel knows them by.
func partsOfNode() []string {
	return []string{"kubelet", "containerd", "systemd", "dbus-daemon", "aws-k8s-agent", "kube-proxy", "containerd-shim", "chronyd"}
}

func oomKills(v *hostView) []Result {
	fix := do("give pods memory limits, reserve memory for the node (kubeReserved, systemReserved), or take larger machines", "dmesg | grep -i 'out of memory' | tail")
	var others []report.Evidence
	for _, kill := range v.Kernel.OOMKills {
		found := agent(snapshot.ProbeKernel, strings.TrimSpace(fmt.Sprintf("%s ended for want of memory (%s) %s", kill.Process, kill.Constraint, stamp(kill.At))))
		if slices.ContainsFunc(partsOfNode(), func(part string) bool { return strings.HasPrefix(kill.Process, part) }) {
			return fail(report.Likely, fmt.Sprintf("the kernel ended %s for want of memory", kill.Process), fix, found)
		}
		if kill.Constraint == "system" {
			others = append(others, found)
		}
	}
	if len(others) > 0 {
		return warn(report.Likely, "the machine ran out of memory, and the kernel ended processes", fix, others...)
	}
	return pass("it has ended none", agent(snapshot.ProbeKernel, "no such line in "+v.Kernel.Source))
}

// nearly compares a count with its limit, in percent; 0 for no limit.
func nearly(count, limit int) int {
	if limit <= 0 {
		return 0
	}
	return int(int64(count) * 100 / int64(limit))
}

func machinePIDs(v *hostView) []Result {
	r := v.Resources
	limit := r.PIDMax
	if r.ThreadsMax > 0 && (limit == 0 || r.ThreadsMax < limit) {
		limit = r.ThreadsMax
	}
	if limit == 0 || r.Threads == 0 {
		return nil
	}
	found := agent(snapshot.ProbeResources, fmt.Sprintf("%d tasks of %d", r.Threads, limit))
	fix := do("find what starts them, and limit the processes of a pod (podPidsLimit)", "ps -eLo comm | sort | uniq -c | sort -n | tail")
	switch full := nearly(r.Threads, limit); {
	case full >= 95:
		return fail(report.Certain, "the kernel's processes and threads are used up", fix, found)
	case full >= 80:
		return warn(report.Likely, fmt.Sprintf("%d%% of the kernel's processes and threads are used", full), fix, found)
	}
	return pass("there is room for more", found)
}

func connTrack(v *hostView) []Result {
	r := v.Resources
	if r.Conntrack == nil || r.ConntrackMax == nil {
		return nil
	}
	found := []report.Evidence{agent(snapshot.ProbeResources, fmt.Sprintf("%d of %d connections", *r.Conntrack, *r.ConntrackMax))}
	fix := do("raise the limit, and find what opens the connections", "sysctl net.netfilter.nf_conntrack_max", "conntrack -S")
	full := nearly(*r.Conntrack, *r.ConntrackMax)
	if v.Kernel != nil {
		for _, event := range v.Kernel.Events {
			if event.Kind == "conntrack-full" {
				return fail(report.Likely, "the kernel has dropped packets: its table of connections was full", fix, append(found, agent(snapshot.ProbeKernel, event.Line))...)
			}
		}
	}
	switch {
	case full >= 98:
		return fail(report.Certain, "the kernel's table of connections is full", fix, found...)
	case full >= 85:
		return warn(report.Likely, fmt.Sprintf("%d%% of the kernel's table of connections is used", full), fix, found...)
	}
	return pass("there is room for more", found...)
}

func kernelRelease(v *hostView) []Result {
	if v.System.Kernel == "" {
		return nil
	}
	found := agent(snapshot.ProbeSystem, "kernel "+v.System.Kernel)
	if strings.HasPrefix(v.System.Kernel, "5.4.217-126.408.amzn2") {
		return fail(report.Likely, "this kernel makes the runtime hang, and the node NotReady", do("take a newer image"), found)
	}
	return pass("none that is known for it", found)
}
