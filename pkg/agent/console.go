package agent

import (
	"context"
	"errors"
	"slices"

	"github.com/eksnodes/kubectl-eksnodes/pkg/evidence"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
)

// sourceConsole is where a console's word of units is from.
const sourceConsole = "console"

// Console is the road that is always open: what the machine's boot beacon
// wrote to its serial console. Its log lines became facts when the console
// was read (cloud.ConsoleLogs); here are the states of its units.
type Console struct {
	// Read reads a console that has not been read yet; nil when nobody can.
	Read func(ctx context.Context, machine *Machine) (string, error)
}

// Road is the console as a road.
func (c Console) Road() Road { return Road{Name: RoadConsole, Fetch: c.fetch} }

func (c Console) fetch(ctx context.Context, m *Machine) (Cargo, error) {
	text := m.Console
	if text == "" && c.Read != nil {
		var err error
		if text, err = c.Read(ctx, m); err != nil {
			return Cargo{}, err
		}
	}
	report, found := userdata.ParseBeacon(text)
	if !found || len(report.Units) == 0 {
		return Cargo{}, errors.New("no boot beacon wrote to it")
	}
	host := &snapshot.Host{Units: unitsOf(report)}
	return Cargo{Partial: true, Host: evidence.PartialHost(host, "only the serial console was read")}, nil
}

// unitsOf are the states in a beacon's report.
func unitsOf(report userdata.BeaconReport) *snapshot.HostUnits {
	units := &snapshot.HostUnits{Source: sourceConsole}
	known := []string{"active", "reloading", "inactive", "failed", "activating", "deactivating"}
	for _, unit := range report.Units {
		if slices.Contains(known, unit.State) { // "unknown" is no state
			units.Units = append(units.Units, snapshot.HostUnit{Name: unit.Name, Active: unit.State})
		}
	}
	return units
}
