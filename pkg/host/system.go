//go:build linux

package host

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/eksnodes/kubectl-eksnodes/pkg/host/hostfile"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// readSystem tells which machine this is and what runs on it.
func (m *Machine) readSystem(_ context.Context, known *snapshot.Host) (fill, error) {
	facts := &snapshot.HostSystem{InPod: m.inPod, User: strconv.Itoa(uid())}
	if known.IMDS != nil {
		facts.InstanceID = known.IMDS.InstanceID
	}
	facts.InstanceID = cmp.Or(facts.InstanceID, m.instanceID())
	var names unix.Utsname
	if err := unix.Uname(&names); err == nil {
		facts.Kernel, facts.Architecture = unix.ByteSliceToString(names.Release[:]), unix.ByteSliceToString(names.Machine[:])
	}
	facts.Hostname = redact.Line(cmp.Or(m.proc.line("/proc/sys/kernel/hostname"), m.root.line("/etc/hostname")))
	facts.BootID = redact.Line(m.proc.line("/proc/sys/kernel/random/boot_id"))
	if seconds, err := strconv.ParseFloat(strings.SplitN(m.proc.line("/proc/uptime")+" ", " ", 2)[0], 64); err == nil {
		facts.Uptime = int64(seconds)
	}
	release, err := m.root.read("/etc/os-release")
	if err == nil {
		facts.OS, facts.OSID, facts.Family = hostfile.OSRelease(release)
	}
	facts.SELinux = m.selinux()
	if there, err := m.root.exists("/etc/eks"); err == nil {
		facts.NodeImage = &there
	}
	return func(h *snapshot.Host) { h.System = facts }, nil
}

// instanceID is what else than instance metadata knows it: Nitro's board tag,
// and cloud-init.
func (m *Machine) instanceID() string {
	for _, path := range []string{"/sys/devices/virtual/dmi/id/board_asset_tag", "/var/lib/cloud/data/instance-id"} {
		if id := m.root.line(path); strings.HasPrefix(id, "i-") {
			return redact.Line(id)
		}
	}
	return ""
}

// selinux is the mode in force.
func (m *Machine) selinux() string {
	switch m.root.line("/sys/fs/selinux/enforce") {
	case "1":
		return "enforcing"
	case "0":
		return "permissive"
	}
	if there, err := m.root.exists("/sys/fs/selinux/enforce"); err != nil || there {
		return ""
	}
	return "disabled"
}
