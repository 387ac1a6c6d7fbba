package node

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/cgroup"
	"golang.org/x/sys/unix"
)

// InitCommand is the hidden command of the sandbox's program that runs as the
// first process of a node, with the path of its configuration as the argument.
const InitCommand = "node-init"

const systemd = "/lib/systemd/systemd"

// Init turns the process, which must be the first one of new mount, PID, UTS
// and IPC namespaces inside the instance's network namespace, into the node's
// systemd. It returns only when that fails.
func Init(configPath string) error {
	// The cgroup namespace, the capability bounding set and the inheritable set
	// belong to the thread that makes the final exec.
	runtime.LockOSThread()
	c, err := readInitConfig(configPath)
	if err != nil {
		return err
	}
	steps := []struct {
		name string
		do   func(initConfig) error
	}{
		{"enter cgroups", enterCgroups},
		{"mount root", mountRoot},
		{"mount proc", mountProc},
		{"mount sys", mountSys},
		{"mount run and tmp", mountRunTmp},
		{"hide machine's sysctls", maskSysctls},
		{"make dev", makeDev},
		{"write identity", writeIdentity},
		{"mount volumes", mountVolumes},
		{"change root", pivot},
		{"drop capabilities", dropCapabilities},
	}
	for _, s := range steps {
		if err := s.do(c); err != nil {
			return fmt.Errorf("node %s: %s: %w", c.InstanceID, s.name, err)
		}
	}
	if err := unix.Exec(systemd, []string{systemd, "--system"}, []string{"container=sandbox"}); err != nil {
		return fmt.Errorf("node %s: start systemd: %w", c.InstanceID, err)
	}
	return nil
}

// enterCgroups joins the node's cgroups and makes them the roots of a cgroup
// namespace, in this order: a process that entered the namespace from outside
// would be seen in it as process 0, which systemd cannot read.
func enterCgroups(c initConfig) error {
	all, err := cgroup.Hierarchies()
	if err != nil {
		return err
	}
	for _, h := range all {
		procs := filepath.Join(h, c.Cgroup, "cgroup.procs")
		if err := os.WriteFile(procs, []byte("0"), 0o644); err != nil {
			return err
		}
	}
	return unix.Unshare(unix.CLONE_NEWCGROUP)
}

func mountRoot(c initConfig) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	for _, dir := range []string{"upper", "work", "root"} {
		if err := os.MkdirAll(c.path(dir), 0o755); err != nil {
			return err
		}
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s",
		strings.Join(c.Lower, ":"), c.path("upper"), c.path("work"))
	if err := unix.Mount("overlay", c.path("root"), "overlay", 0, options); err != nil {
		return fmt.Errorf("overlay %s: %w", options, err)
	}
	return nil
}

// mountVolumes puts the folders that cannot lie on an overlay (overlayfs
// snapshots do not stack) on the machine's own file system.
func mountVolumes(c initConfig) error {
	for _, name := range []string{"containerd", "kubelet"} {
		if err := os.MkdirAll(c.path(name), 0o755); err != nil {
			return err
		}
		if err := bind(c.path(name), c.path("root/var/lib", name)); err != nil {
			return err
		}
	}
	return nil
}

func pivot(c initConfig) error {
	old := c.path("root/mnt")
	if err := os.MkdirAll(old, 0o755); err != nil {
		return err
	}
	if err := unix.PivotRoot(c.path("root"), old); err != nil {
		return err
	}
	if err := unix.Chdir("/"); err != nil {
		return err
	}
	return unix.Unmount("/mnt", unix.MNT_DETACH)
}

// dropCapabilities takes away what would reach through to the machine: its
// clock, its kernel modules, its hardware.
func dropCapabilities(initConfig) error {
	for _, capability := range []uintptr{
		unix.CAP_SYS_TIME, unix.CAP_SYS_MODULE, unix.CAP_SYS_RAWIO,
		unix.CAP_MAC_ADMIN, unix.CAP_MAC_OVERRIDE,
	} {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, capability, 0, 0, 0); err != nil {
			return fmt.Errorf("drop capability %d: %w", capability, err)
		}
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return fmt.Errorf("read capabilities: %w", err)
	}
	data[0].Inheritable, data[1].Inheritable = 0, 0
	if err := unix.Capset(&header, &data[0]); err != nil {
		return fmt.Errorf("clear inheritable capabilities: %w", err)
	}
	return nil
}
