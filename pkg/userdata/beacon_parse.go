package userdata

import "strings"

// The lines between which a beacon's report stands on the console. The number grows when the form changes.
const (
	beaconBegin = "-----BEGIN EKSNODES BEACON v1-----"
	beaconEnd   = "-----END EKSNODES BEACON v1-----"
)

// Bounds of what is read from a console, which anybody with root on the node can write to: many times what the
// beacon writes.
const (
	maxBeaconUnits = 16
	maxBeaconLines = 64
	maxBeaconWidth = 400
)

// BeaconReport is what a node's beacon wrote.
type BeaconReport struct {
	Units    []BeaconUnit // in the order written
	Complete bool         // false when the end was not there (yet)
}

// BeaconUnit is one systemd unit's part of a report.
type BeaconUnit struct {
	Name  string   // without ".service"
	State string   // as systemctl is-active says: active, activating, inactive, failed, unknown
	Lines []string // last lines that look like errors, credentials removed
}

// ParseBeacon finds the last report in a console's text. Found is false when there is none. Lines of others that
// fell between the markers are left out; the text may be cut off at either end, as EC2 keeps the last 64 KB only.
func ParseBeacon(console string) (report BeaconReport, found bool) {
	inside := false
	for line := range strings.Lines(console) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasSuffix(line, beaconBegin): // a login prompt may stand before it, without a line end
			report, found, inside = BeaconReport{}, true, true
		case line == beaconEnd && inside:
			report.Complete, inside = true, false
		case inside:
			report.add(line)
		}
	}
	return report, found
}

func (r *BeaconReport) add(line string) {
	if heading, ok := strings.CutPrefix(line, "# "); ok {
		name, state, ok := strings.Cut(heading, ": ")
		if ok && len(r.Units) < maxBeaconUnits {
			r.Units = append(r.Units, BeaconUnit{Name: clip(name), State: clip(state)})
		}
		return
	}
	text, ours := strings.CutPrefix(line, "|")
	if !ours || len(r.Units) == 0 {
		return
	}
	if unit := &r.Units[len(r.Units)-1]; len(unit.Lines) < maxBeaconLines {
		unit.Lines = append(unit.Lines, clip(text))
	}
}

// clip bounds a line and drops what is not printable ASCII; the beacon writes nothing else.
func clip(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, text)
	return text[:min(len(text), maxBeaconWidth)]
}
