//go:build linux

package host

import (
	"context"
	"slices"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// unitNames are the services that joining depends on, and those that get in
// its way.
func unitNames() []string {
	return []string{
		"nodeadm-boot-hook", "nodeadm-config", "nodeadm-run", "cloud-init", "cloud-final", "containerd", "kubelet",
		"chronyd", "chrony", "systemd-timesyncd", "sandbox-image", "nm-cloud-setup", "NetworkManager", "firewalld",
		"amazon-ssm-agent", "snap.kubelet-eks.daemon",
	}
}

// readUnits asks systemd; where it cannot be asked, a process of the name
// says that a service runs.
func (m *Machine) readUnits(ctx context.Context, _ *snapshot.Host) (fill, error) {
	facts := &snapshot.HostUnits{Source: "dbus"}
	err := m.askUnits(ctx, facts)
	if err != nil {
		facts = &snapshot.HostUnits{Source: "processes", Units: m.unitsByProcess()}
		if len(facts.Units) == 0 {
			return nil, err
		}
	}
	return func(h *snapshot.Host) { h.Units = facts }, err
}

func (m *Machine) askUnits(ctx context.Context, facts *snapshot.HostUnits) error {
	bus, err := m.openBus(ctx)
	if err != nil {
		return err
	}
	defer bus.close()
	for _, name := range unitNames() {
		unit, err := bus.properties(ctx, name+".service", "Unit")
		if err != nil {
			return err
		}
		if unit.text("LoadState") == "not-found" {
			continue
		}
		service, err := bus.properties(ctx, name+".service", "Service")
		if err != nil {
			return err
		}
		facts.Units = append(facts.Units, snapshot.HostUnit{
			Name: name, Load: unit.text("LoadState"), Active: unit.text("ActiveState"), Sub: unit.text("SubState"),
			Enabled: unit.text("UnitFileState"), Since: unit.at("StateChangeTimestamp"),
			Result: service.text("Result"), ExitCode: service.number("ExecMainStatus"), Restarts: service.number("NRestarts"),
		})
	}
	return nil
}

// unitsByProcess knows only of those that run: of the others a list of
// processes says nothing.
func (m *Machine) unitsByProcess() []snapshot.HostUnit {
	running := map[string]bool{}
	for _, process := range m.processes() {
		running[process.Name] = true
	}
	var units []snapshot.HostUnit
	for _, name := range []string{"kubelet", "containerd", "chronyd"} {
		if running[name] {
			units = append(units, snapshot.HostUnit{Name: name, Active: "active", Sub: "running"})
		}
	}
	return slices.Clip(units)
}
