package agent

import (
	_ "embed"
	"fmt"
	"strings"
	"testing"
	"time"
)

// The limits of one report: of memory, which on a node belongs to the pods, and
// of time. A healthy node takes less than a second when nothing else is done on
// it; what is held here is the limit of the sickest.
const (
	maxPeak       = 40e6 // bytes
	maxReportTime = 30 * time.Second
)

//go:embed testdata/peak.py
var peak string

// A report of a healthy node takes no more memory and time than the limits.
func TestReportLimits(t *testing.T) {
	id, err := node()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		measure := sandbox.Command(t, "node", id, "--", "python3", "-", onNode, "report")
		measure.Stdin = strings.NewReader(peak)
		out, err := measure.Output()
		if err != nil {
			t.Fatal(err)
		}
		var kib, code int
		var seconds float64
		if _, err := fmt.Sscan(string(out), &kib, &seconds, &code); err != nil || kib == 0 || code != 0 {
			t.Fatalf("measured %q: %v", out, err)
		}
		bytes := float64(kib) * 1024
		t.Logf("peak memory %.1f MB of %.0f MB, %.2f s", bytes/1e6, maxPeak/1e6, seconds)
		if bytes > maxPeak {
			t.Errorf("the report took %.1f MB of memory, more than %.0f MB", bytes/1e6, maxPeak/1e6)
		}
		if took := time.Duration(seconds * float64(time.Second)); took > maxReportTime {
			t.Errorf("the report took %s, more than %s", took, maxReportTime)
		}
	}
}
