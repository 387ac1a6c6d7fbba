package node

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"
)

const safe = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC

// mount makes the mount point and mounts on it.
func mount(source, target, fstype string, flags uintptr, data string) error {
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(source, target, fstype, flags, data); err != nil {
		return fmt.Errorf("mount %s on %s: %w", fstype, target, err)
	}
	return nil
}

// bind shows a file or folder at another place, making the mount point.
func bind(source, target string) error {
	info, err := os.Stat(source)
	if err != nil {
		return err
	}
	if info.IsDir() {
		err = os.MkdirAll(target, 0o755)
	} else {
		err = touch(target)
	}
	if err != nil {
		return err
	}
	if err := unix.Mount(source, target, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind %s on %s: %w", source, target, err)
	}
	return nil
}

func touch(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o644)
	if err != nil {
		return err
	}
	return f.Close()
}

func readOnly(target string, flags uintptr) error {
	if err := unix.Mount("", target, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY|flags, ""); err != nil {
		return fmt.Errorf("make %s read-only: %w", target, err)
	}
	return nil
}

// mountProc gives the node its own process table. /proc/sys is the machine's
// and read-only, but for the network's part, which is the node's own.
func mountProc(c initConfig) error {
	proc := c.path("root/proc")
	if err := mount("proc", proc, "proc", safe, ""); err != nil {
		return err
	}
	sys := filepath.Join(proc, "sys")
	if err := bind(sys, sys); err != nil {
		return err
	}
	if err := bind(filepath.Join(sys, "net"), filepath.Join(sys, "net")); err != nil {
		return err
	}
	return readOnly(sys, safe)
}

func mountRunTmp(c initConfig) error {
	if err := mount("tmpfs", c.path("root/run"), "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755,size=256m"); err != nil {
		return err
	}
	if err := os.MkdirAll(c.path("root/run/lock"), 0o755); err != nil {
		return err
	}
	return mount("tmpfs", c.path("root/tmp"), "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777")
}

// maskSysctls shows the node its own values of what is global to the machine.
// The kubelet sets (or, with protectKernelDefaults, demands) these values; the
// boot id must change with every boot, else the kubelet sees no reboot and
// journald mixes the boots of all nodes.
func maskSysctls(c initConfig) error {
	values := map[string]string{
		"kernel/random/boot_id":     uuid.NewString(),
		"vm/overcommit_memory":      "1",
		"vm/panic_on_oom":           "0",
		"kernel/panic":              "10",
		"kernel/panic_on_oops":      "1",
		"kernel/keys/root_maxkeys":  "1000000",
		"kernel/keys/root_maxbytes": "25000000",
	}
	dir := c.path("root/run/sysctl")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for key, value := range values {
		file := filepath.Join(dir, strings.ReplaceAll(key, "/", "."))
		if err := os.WriteFile(file, []byte(value+"\n"), 0o644); err != nil {
			return err
		}
		if err := bind(file, c.path("root/proc/sys", key)); err != nil {
			return err
		}
	}
	return nil
}
