//go:build linux

package host

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eksnodes/kubectl-eksnodes/pkg/host/hostfile"
	"github.com/eksnodes/kubectl-eksnodes/pkg/netfail"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// nodePaths are where a node must be able to write.
func nodePaths() []string {
	return []string{"/", "/var", "/var/lib/kubelet", "/var/lib/containerd", "/var/log", "/run", "/tmp", "/etc/kubernetes", "/local"}
}

// readDisks measures the file systems that those paths lie on, side by side:
// one that hangs must not hide the others.
func (m *Machine) readDisks(ctx context.Context, _ *snapshot.Host) (fill, error) {
	mounts, err := m.mounts()
	if err != nil && m.inPod {
		return nil, err // without them the pod's own file systems would be taken for the machine's
	}
	type measured struct {
		path string
		stat unix.Statfs_t
		err  error
	}
	answers := make(chan measured, len(nodePaths()))
	var waiting []string
	for _, path := range nodePaths() {
		place := m.standIn(mounts, path)
		if place == "" {
			continue
		}
		waiting = append(waiting, path)
		go func() {
			if !m.readers.begin("disk " + place) {
				answers <- measured{path: path, err: errStillReading}
				return
			}
			defer m.readers.end("disk " + place)
			stat, err := m.statfs(place)
			answers <- measured{path, stat, err}
		}()
	}
	facts := &snapshot.HostDisks{}
	deadline := time.After(2 * time.Second)
	for len(waiting) > 0 {
		select {
		case got := <-answers:
			waiting = slices.DeleteFunc(waiting, func(path string) bool { return path == got.path })
			if !errors.Is(got.err, fs.ErrNotExist) {
				m.addFilesystem(facts, mounts, got.path, &got.stat, got.err)
			}
		case <-deadline:
			for _, path := range waiting {
				m.addFilesystem(facts, mounts, path, &unix.Statfs_t{}, context.DeadlineExceeded)
			}
			waiting = nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	slices.SortFunc(facts.Filesystems, func(a, b snapshot.HostFilesystem) int {
		return slices.Index(nodePaths(), a.For[0]) - slices.Index(nodePaths(), b.For[0])
	})
	return func(h *snapshot.Host) { h.Disks = facts }, nil
}

func (m *Machine) statfs(path string) (stat unix.Statfs_t, err error) {
	place, err := m.root.at(path, unix.O_PATH, 0)
	if err != nil {
		return stat, err
	}
	defer place.Close()
	return stat, unix.Fstatfs(int(place.Fd()), &stat)
}

// addFilesystem adds what a path lies on, and joins paths of one mount.
func (m *Machine) addFilesystem(facts *snapshot.HostDisks, mounts []hostfile.Mount, path string, stat *unix.Statfs_t, err error) {
	mount, found := hostfile.MountOf(mounts, path)
	if !found {
		mount = hostfile.Mount{Path: path}
	}
	filesystem := snapshot.HostFilesystem{Mount: redact.Line(mount.Path), For: []string{path}, Device: redact.Line(mount.Device), Type: redact.Line(mount.Type)}
	for i := range facts.Filesystems {
		if have := &facts.Filesystems[i]; have.Mount == filesystem.Mount && have.Device == filesystem.Device {
			have.For = append(have.For, path)
			slices.SortFunc(have.For, func(a, b string) int { return slices.Index(nodePaths(), a) - slices.Index(nodePaths(), b) })
			return
		}
	}
	filesystem.Failure = netfail.Of(err)
	if err == nil {
		filesystem.Size, filesystem.Free = int64(stat.Blocks)*stat.Bsize, int64(stat.Bavail)*stat.Bsize
		filesystem.Inodes, filesystem.InodesFree = int64(stat.Files), int64(stat.Ffree)
		filesystem.ReadOnly = m.isReadOnly(mount, stat)
	}
	facts.Filesystems = append(facts.Filesystems, filesystem)
}
