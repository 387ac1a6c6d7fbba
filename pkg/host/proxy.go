//go:build linux

package host

import (
	"context"
	"fmt"
	"slices"

	"github.com/eksnodes/kubectl-eksnodes/pkg/host/hostfile"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// readProxy collects the proxy settings of the units that reach AWS and the
// API server: from what systemd hands them, and from the environment of their
// running processes, which decides.
func (m *Machine) readProxy(ctx context.Context, _ *snapshot.Host) (fill, error) {
	facts := &snapshot.HostProxy{}
	settings := map[string]snapshot.HostProxyUnit{}
	busErr := m.unitEnvironments(ctx, func(unit string, environ []string) {
		facts.Checked = append(facts.Checked, unit)
		settings[unit] = hostfile.Proxy(unit, environ)
	})
	for _, process := range m.processes() {
		if process.Name != "kubelet" && process.Name != "containerd" || asksVersion(m.arguments(process)) {
			continue
		}
		environ, err := m.proc.readUpTo(fmt.Sprintf("/proc/%d/environ", process.PID), 128<<10)
		if err != nil {
			continue // it has ended, or is not ours to see
		}
		if !slices.Contains(facts.Checked, process.Name) {
			facts.Checked = append(facts.Checked, process.Name)
		}
		settings[process.Name] = hostfile.Proxy(process.Name, hostfile.Environ(environ))
	}
	if len(facts.Checked) == 0 {
		return nil, busErr
	}
	for _, unit := range facts.Checked {
		if found := settings[unit]; found.HTTP != "" || found.HTTPS != "" {
			facts.Units = append(facts.Units, found)
		}
	}
	return func(h *snapshot.Host) { h.Proxy = facts }, nil
}

// unitEnvironments hands each unit's environment over: settings of the unit
// and of its files.
func (m *Machine) unitEnvironments(ctx context.Context, take func(unit string, environ []string)) error {
	bus, err := m.openBus(ctx)
	if err != nil {
		return err
	}
	defer bus.close()
	for _, name := range []string{"kubelet", "containerd", "nodeadm-config", "nodeadm-run"} {
		service, err := bus.properties(ctx, name+".service", "Service")
		if err != nil {
			return err
		}
		if service["Result"].Value() == nil {
			continue // there is no such service
		}
		environ := service.list("Environment")
		for _, path := range service.files("EnvironmentFiles") {
			data, err := m.root.read(path)
			if err == nil {
				environ = append(environ, hostfile.EnvironmentFile(data)...)
			}
		}
		take(name, environ)
	}
	return nil
}
