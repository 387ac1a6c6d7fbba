package nodegroup

import (
	"strings"
	"time"
)

// Span is a time to the second for people, without the zeroes of Go's form:
// 90s, 5m, 1h.
func Span(d time.Duration) string {
	text := d.Round(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
