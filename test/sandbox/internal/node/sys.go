package node

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"
)

// mountSys builds /sys on a small file system of its own, so that there can be
// a hypervisor folder: cloud-init knows EC2 by the "ec2" that its uuid begins
// with, where the machine has no such firmware data.
func mountSys(c initConfig) error {
	real, sys := c.path("sysfs"), c.path("root/sys")
	if err := mount("sysfs", real, "sysfs", safe|unix.MS_RDONLY, ""); err != nil {
		return err
	}
	if err := mount("sysfs", sys, "tmpfs", safe, "mode=755,size=64k"); err != nil {
		return err
	}
	entries, err := os.ReadDir(real)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == "hypervisor" {
			continue
		}
		target := filepath.Join(sys, e.Name())
		if err := bind(filepath.Join(real, e.Name()), target); err != nil {
			return err
		}
		if err := readOnly(target, safe); err != nil {
			return err
		}
	}
	if err := writeHypervisor(c, filepath.Join(sys, "hypervisor")); err != nil {
		return err
	}
	if err := mountCgroups(filepath.Join(sys, "fs/cgroup")); err != nil {
		return err
	}
	return unix.Mount("", sys, "", unix.MS_REMOUNT|unix.MS_RDONLY|safe, "mode=755,size=64k")
}

func writeHypervisor(c initConfig, dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	id := "ec2" + uuid.NewSHA1(uuid.NameSpaceURL, []byte(c.InstanceID)).String()[3:]
	if err := os.WriteFile(filepath.Join(dir, "uuid"), []byte(id+"\n"), 0o444); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "type"), []byte("xen\n"), 0o444)
}

// hierarchy is one mounted cgroup hierarchy of the machine.
type hierarchy struct {
	dir     string // below /sys/fs/cgroup; empty: /sys/fs/cgroup itself
	fstype  string // cgroup or cgroup2
	options string // mount data that names the hierarchy
}

// parseHierarchies finds the cgroup mounts in the text of /proc/self/mountinfo
// (proc_pid_mountinfo(5)).
func parseHierarchies(mountinfo io.Reader) ([]hierarchy, error) {
	const root = "/sys/fs/cgroup"
	var found []hierarchy
	lines := bufio.NewScanner(mountinfo)
	for lines.Scan() {
		before, after, ok := strings.Cut(lines.Text(), " - ")
		head, tail := strings.Fields(before), strings.Fields(after)
		if !ok || len(head) < 5 || len(tail) < 3 {
			continue
		}
		dir, below := strings.CutPrefix(head[4], root)
		if !below || tail[0] != "cgroup" && tail[0] != "cgroup2" {
			continue
		}
		h := hierarchy{dir: strings.TrimPrefix(dir, "/"), fstype: tail[0]}
		if h.fstype == "cgroup" {
			h.options = hierarchyOptions(tail[2])
		}
		found = append(found, h)
	}
	return found, lines.Err()
}

// hierarchyOptions keeps of a v1 mount's options those that select the hierarchy.
func hierarchyOptions(super string) string {
	var keep []string
	for _, o := range strings.Split(super, ",") {
		switch {
		case o == "rw", o == "ro", o == "xattr", o == "clone_children", strings.HasPrefix(o, "release_agent="):
		case strings.HasPrefix(o, "name="):
			keep = append(keep, "none", o)
		default:
			keep = append(keep, o)
		}
	}
	return strings.Join(keep, ",")
}

// mountCgroups mounts the machine's hierarchies afresh: inside the cgroup
// namespace each shows the node's own cgroup as its root.
func mountCgroups(target string) error {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	all, err := parseHierarchies(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if len(all) == 0 {
		return errors.New("no cgroup hierarchy is mounted")
	}
	if all[0].dir != "" {
		if err := mount("tmpfs", target, "tmpfs", safe, "mode=755"); err != nil {
			return err
		}
	}
	for _, h := range all {
		if err := mount("cgroup", filepath.Join(target, h.dir), h.fstype, safe, h.options); err != nil {
			return err
		}
	}
	return nil
}
