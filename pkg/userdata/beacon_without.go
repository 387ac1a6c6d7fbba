package userdata

import "strings"

// WithoutBeacon returns a console's text without the reports of beacons, so
// that what they quote is not read twice. The lines of others that fell
// between the markers stay.
func WithoutBeacon(console string) string {
	var rest strings.Builder
	inside := false
	for line := range strings.Lines(console) {
		switch text := strings.TrimRight(line, "\r\n"); {
		case strings.HasSuffix(text, beaconBegin): // behind a login prompt, which goes with it
			inside = true
		case text == beaconEnd:
			inside = false
		case inside && (strings.HasPrefix(text, "# ") || strings.HasPrefix(text, "|")):
		default:
			rest.WriteString(line)
		}
	}
	return rest.String()
}
