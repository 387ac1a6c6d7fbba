//go:build linux

package host

import (
	"bytes"
	"context"
	"errors"
	"io/fs"

	"github.com/eksnodes/kubectl-eksnodes/pkg/host/hostfile"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// readNodeadm tells how far AL2023's bootstrap has come.
func (m *Machine) readNodeadm(ctx context.Context, known *snapshot.Host) (fill, error) {
	switch _, found := m.find("nodeadm"); {
	case found == nil:
		return nil, notAsked("whether there is nodeadm cannot be seen")
	case !*found:
		return nil, absent("there is no nodeadm")
	}
	facts := &snapshot.HostNodeadm{Installed: true}
	if there, err := m.root.exists("/run/nodeadm/init"); err == nil {
		facts.Initialized = &there
	}
	if known.Units != nil && known.Units.Source == "dbus" {
		for _, name := range []string{"nodeadm-boot-hook", "nodeadm-config", "nodeadm-run"} {
			facts.Phases = append(facts.Phases, snapshot.HostPhase{Name: name, State: phaseOf(known.Units.Unit(name))})
		}
	}
	data, err := m.root.read("/run/eks/nodeadm/config.json")
	switch {
	case err == nil:
		config := hostfile.NodeConfig(data)
		facts.Config = &config
	case !errors.Is(err, fs.ErrNotExist):
		return func(h *snapshot.Host) { h.Nodeadm = facts }, err
	}
	var log bytes.Buffer
	err = m.journal(ctx, &log, "cat", 400, "nodeadm-boot-hook", "nodeadm-config", "nodeadm-run")
	facts.LastFatal = hostfile.LastFatal(log.Bytes())
	return func(h *snapshot.Host) { h.Nodeadm = facts }, err
}

// phaseOf tells a phase by its unit: one that has run to its end is inactive
// again, with success, or stays active.
func phaseOf(unit *snapshot.HostUnit) string {
	switch {
	case unit == nil:
		return "absent"
	case unit.Active == "failed":
		return "failed"
	case unit.Active == "activating":
		return "running"
	case unit.Active == "active", unit.Result == "success" && !unit.Since.IsZero():
		return "done"
	}
	return "waiting"
}

// readCloudInit reads cloud-init's own result.
func (m *Machine) readCloudInit(context.Context, *snapshot.Host) (fill, error) {
	facts := snapshot.HostCloudInit{Status: "not-run"}
	done := func(h *snapshot.Host) { h.CloudInit = &facts }
	if _, found := m.find("cloud-init"); found != nil && !*found {
		return nil, absent("there is no cloud-init")
	}
	status, err := m.root.read("/run/cloud-init/status.json")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if m.root.finds("/etc/cloud/cloud-init.disabled") || m.root.finds("/run/cloud-init/disabled") {
			facts.Status = "disabled"
		}
	case err != nil:
		return nil, err
	default:
		if facts, err = hostfile.CloudInit(status, m.root.finds("/run/cloud-init/result.json")); err != nil {
			return nil, err
		}
	}
	facts.InstanceID = redact.Line(m.root.line("/var/lib/cloud/data/instance-id"))
	return done, nil
}
