package evidence

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// maxUnits bounds how many units a file may tell of.
const maxUnits = 64

// Units reads what `systemctl show -p Id,ActiveState,… UNIT…` prints: one
// paragraph of NAME=VALUE lines for each unit.
func Units(text []byte) *snapshot.HostUnits {
	units := &snapshot.HostUnits{Source: "systemctl"}
	for paragraph := range bytes.SplitSeq(text, []byte("\n\n")) {
		unit := unitOfShow(paragraph)
		if unit.Name != "" && unit.Active != "" && len(units.Units) < maxUnits {
			units.Units = append(units.Units, unit)
		}
	}
	slices.SortFunc(units.Units, func(a, b snapshot.HostUnit) int { return strings.Compare(a.Name, b.Name) })
	return units
}

func unitOfShow(paragraph []byte) snapshot.HostUnit {
	var unit snapshot.HostUnit
	for line := range bytes.Lines(paragraph) {
		name, value, _ := strings.Cut(redact.Line(string(line)), "=")
		switch name {
		case "Id":
			unit.Name = strings.TrimSuffix(value, ".service")
		case "LoadState":
			unit.Load = value
		case "ActiveState":
			unit.Active = value
		case "SubState":
			unit.Sub = value
		case "UnitFileState":
			unit.Enabled = value
		case "Result":
			unit.Result = value
		case "NRestarts":
			if n, err := strconv.Atoi(value); err == nil {
				unit.Restarts = n
			}
		}
	}
	return unit
}
