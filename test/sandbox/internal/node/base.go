package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// baseSuite is the Debian release of the base root. Its containerd (1.6) and
// systemd (252) are those that the AMI layer is written for.
const baseSuite = "bookworm"

// baseFormat is part of the base's cache key; raise it when the clean-up
// steps of MakeBase change.
const baseFormat = "1"

// BasePackages lists the Debian packages of the base root, the part of the
// node's file system that is Amazon Linux on a real instance.
func BasePackages() []string {
	return []string{
		// the system
		"systemd", "systemd-sysv", "dbus", "libpam-systemd", "udev", "kmod", "procps",
		"sudo", "openssh-server", "ca-certificates", "systemd-resolved",
		// the node
		"cloud-init", "containerd", "runc", "containernetworking-plugins",
		"iptables", "nftables", "iproute2", "conntrack", "ethtool", "socat",
		// what people and probes expect to find
		"curl", "jq", "less", "iputils-ping", "util-linux-extra", "python3", "busybox-static",
	}
}

// BaseKey identifies the content of a base root: hexadecimal, short enough
// for a folder name.
func BaseKey() string {
	sum := sha256.Sum256([]byte(baseFormat + " " + baseSuite + " " + strings.Join(BasePackages(), " ")))
	return hex.EncodeToString(sum[:6])
}

// MakeBase builds the base root in the folder dir with mmdebstrap, from the
// machine's own apt sources, and needs about half a minute. The folder must
// not exist; after an error it may be there in part. What mmdebstrap prints
// goes to the file logPath.
func MakeBase(ctx context.Context, dir, logPath string) error {
	sources, err := aptSources()
	if err != nil {
		return fmt.Errorf("make base root: %w", err)
	}
	log, err := os.Create(logPath)
	if err != nil {
		return fmt.Errorf("make base root: %w", err)
	}
	cmd := exec.CommandContext(ctx, "mmdebstrap",
		"--mode=root", "--variant=apt", `--aptopt=Apt::Install-Recommends "false"`,
		"--include="+strings.Join(BasePackages(), ","), baseSuite, dir, sources)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8"}
	cmd.Stdout, cmd.Stderr = log, log
	if err := errors.Join(cmd.Run(), log.Close()); err != nil {
		return fmt.Errorf("make base root: mmdebstrap: %w (see %s)", err, logPath)
	}
	if err := cleanBase(dir); err != nil {
		return fmt.Errorf("make base root: %w", err)
	}
	return nil
}

// aptSources finds the machine's Debian sources.
func aptSources() (string, error) {
	for _, path := range []string{"/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"} {
		if info, err := os.Stat(path); err == nil && info.Size() > 0 {
			return path, nil
		}
	}
	return "", errors.New("no apt sources found in /etc/apt")
}

// cleanBase removes what an image must not carry: host keys shared by all
// nodes, the machine id, and Debian's own enabling of units that the AMI layer
// decides about.
func cleanBase(root string) error {
	patterns := []string{
		"etc/ssh/ssh_host_*",
		"etc/machine-id",
		"var/lib/dbus/machine-id",
		"etc/systemd/system/timers.target.wants/*",
		"etc/systemd/system/multi-user.target.wants/containerd.service",
		"etc/resolv.conf",
		"var/cache/apt/archives/*.deb",
		"var/lib/apt/lists/*",
	}
	for _, pattern := range patterns {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return fmt.Errorf("clean base root: %w", err)
		}
		for _, path := range paths {
			if err := os.RemoveAll(path); err != nil {
				return fmt.Errorf("clean base root: %w", err)
			}
		}
	}
	return nil
}
