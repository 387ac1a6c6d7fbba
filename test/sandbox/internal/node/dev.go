package node

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// makeDev builds /dev: the devices a container gets, an own set of terminals,
// and the console and kernel log that the sandbox reads at their other ends.
func makeDev(c initConfig) error {
	dev := c.path("root/dev")
	if err := mount("tmpfs", dev, "tmpfs", unix.MS_NOSUID, "mode=755,size=4m"); err != nil {
		return err
	}
	for _, d := range []struct {
		name         string
		major, minor uint32
	}{
		{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9},
		{"tty", 5, 0}, {"fuse", 10, 229},
	} {
		path := filepath.Join(dev, d.name)
		if err := unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(d.major, d.minor))); err != nil {
			return fmt.Errorf("make %s: %w", d.name, err)
		}
		if err := os.Chmod(path, 0o666); err != nil { // whatever the umask
			return err
		}
	}
	for name, target := range map[string]string{
		"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
		"stderr": "/proc/self/fd/2", "ptmx": "pts/ptmx",
	} {
		if err := os.Symlink(target, filepath.Join(dev, name)); err != nil {
			return err
		}
	}
	if err := mount("devpts", filepath.Join(dev, "pts"), "devpts", unix.MS_NOSUID|unix.MS_NOEXEC,
		"newinstance,ptmxmode=0666,mode=620,gid=5"); err != nil {
		return err
	}
	if err := mount("tmpfs", filepath.Join(dev, "shm"), "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777"); err != nil {
		return err
	}
	if err := bind(c.Console, filepath.Join(dev, "console")); err != nil {
		return err
	}
	return bind(c.KernelLog, filepath.Join(dev, "kmsg"))
}

// writeIdentity writes what DHCP and the first boot would give an instance.
func writeIdentity(c initConfig) error {
	if err := unix.Sethostname([]byte(c.Hostname)); err != nil {
		return fmt.Errorf("set host name: %w", err)
	}
	sum := sha256.Sum256([]byte(c.InstanceID))
	files := map[string]string{
		// Fixed from the start: an empty one would make systemd enable units by
		// Debian's presets.
		"machine-id":  hex.EncodeToString(sum[:16]) + "\n",
		"hostname":    c.Hostname + "\n",
		"fstab":       "",
		"resolv.conf": fmt.Sprintf("search %s\nnameserver %s\n", c.Search, c.Nameserver),
	}
	for name, text := range files {
		if err := replaceFile(c.path("root/etc", name), text); err != nil {
			return err
		}
	}
	hosts := c.path("root/etc/hosts")
	if _, err := os.Stat(hosts); errors.Is(err, fs.ErrNotExist) {
		if err := replaceFile(hosts, "127.0.0.1 localhost\n::1 localhost\n"); err != nil {
			return err
		}
	}
	disabled := c.path("root/etc/cloud/cloud-init.disabled")
	if c.CloudInit {
		if err := os.Remove(disabled); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	return replaceFile(disabled, "")
}

// replaceFile writes a file that may be a symbolic link in the lower layers.
func replaceFile(path, text string) error {
	if old, err := os.ReadFile(path); err == nil && string(old) == text && !isLink(path) {
		return nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

func isLink(path string) bool {
	target, err := os.Readlink(path)
	return err == nil && strings.TrimSpace(target) != ""
}
