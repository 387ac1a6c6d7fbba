package cloud

import (
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/signature"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
)

// ConsoleLogs finds the known lines in a console: those that boot programs
// write to it, and those in the report of our beacon, as lines of the units
// that they come from.
func ConsoleLogs(console *snapshot.Console) []snapshot.Seen {
	if console == nil {
		return nil
	}
	text := console.Text
	var seen []snapshot.Seen
	if report, found := userdata.ParseBeacon(text); found {
		for _, unit := range report.Units {
			seen = append(seen, scan(logOf(unit.Name), strings.Join(unit.Lines, "\n"))...)
		}
		text = userdata.WithoutBeacon(text)
	}
	seen = append(seen, scan(signature.Console, text)...)
	for i := range seen {
		seen[i].Road = snapshot.RoadConsole
	}
	return signature.Settle(seen)
}

// scan reads text that is there already: nothing can go wrong.
func scan(unit, text string) []snapshot.Seen {
	seen, err := signature.Scan(unit, strings.NewReader(text))
	if err != nil {
		return nil
	}
	return seen
}

// logOf is the name by which lines are looked for in a unit: what cloud-init's
// last stage runs writes into one log.
func logOf(unit string) string {
	switch unit {
	case "cloud-final", "cloud-init", "cloud-config":
		return signature.CloudInitOutput
	}
	return unit
}
