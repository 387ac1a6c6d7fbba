//go:build linux

package host

import (
	"strings"

	"golang.org/x/sys/unix"

	"github.com/eksnodes/kubectl-eksnodes/pkg/host/hostfile"
)

// ownMounts are the mounts of the agent's own process.
const ownMounts = "/proc/self/mountinfo"

// enterPod makes the machine one that is looked at from a pod. Its programs
// cannot be run. The pod may have the machine's whole root, or single parts of
// it mounted at their places below the same directory: then the others are not
// known to be there or not.
func (m *Machine) enterPod() {
	m.inPod, m.run = true, nil
	if data, err := (tree{root: "/"}).readUpTo(ownMounts, maxMounts); err == nil {
		m.root.parts = partsOf(hostfile.MountInfo(data), m.root.root)
	}
	m.proc = m.root
	if !m.root.finds("/proc/self") { // a bind mount of / alone leaves /proc out
		m.proc = tree{root: "/"}
	}
}

// partsOf are the machine's paths that are mounted below a directory, nil when
// all are: the directory is a mount itself, or nothing is mounted below it.
func partsOf(mounts []hostfile.Mount, root string) []string {
	var parts []string
	for _, mount := range mounts {
		path, below := strings.CutPrefix(mount.Path, root)
		switch {
		case below && path == "":
			return nil
		case below && path[0] == '/':
			parts = append(parts, path)
		}
	}
	return parts
}

// maxMounts bounds a list of mounts: a busy node has some hundred.
const maxMounts = 1 << 20

// mounts are the machine's file systems by where it has them.
func (m *Machine) mounts() ([]hostfile.Mount, error) {
	if !m.inPod {
		data, err := m.proc.readUpTo("/proc/mounts", maxMounts)
		return hostfile.Mounts(data), err
	}
	if m.proc.root == m.root.root { // its own processes can be seen: the first one has its view
		data, err := m.proc.readUpTo("/proc/1/mountinfo", maxMounts)
		return hostfile.MountInfo(data), err
	}
	data, err := m.proc.readUpTo(ownMounts, maxMounts)
	if err != nil {
		return nil, err
	}
	var below []hostfile.Mount
	for _, mount := range hostfile.MountInfo(data) {
		if path, ok := strings.CutPrefix(mount.Path, m.root.root); ok && (path == "" || path[0] == '/') {
			mount.Path = "/" + strings.TrimPrefix(path, "/")
			below = append(below, mount)
		}
	}
	return below, nil
}

// standIn is a path that can be measured for another: itself, or for a mount
// that a pod does not have, a part of the same file system. Without any it is "".
func (m *Machine) standIn(mounts []hostfile.Mount, path string) string {
	if m.root.has(path) {
		return path
	}
	on, found := hostfile.MountOf(mounts, path)
	if !found || on.Path != path {
		return ""
	}
	for _, part := range m.root.parts {
		if other, found := hostfile.MountOf(mounts, part); found && other == on {
			return part
		}
	}
	return ""
}

// isReadOnly tells whether a file system is. In a pod it is mounted so in any
// case, and the machine's own mount says it.
func (m *Machine) isReadOnly(mount hostfile.Mount, stat *unix.Statfs_t) bool {
	if m.inPod {
		return mount.ReadOnly
	}
	return stat.Flags&unix.ST_RDONLY != 0
}
