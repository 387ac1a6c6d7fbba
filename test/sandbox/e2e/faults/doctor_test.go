package faults

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// diagnosis is what the doctor said.
type diagnosis struct {
	report.Report
	code int
	took time.Duration
}

// doctor runs the plugin's doctor.
func doctor(t *testing.T, args ...string) diagnosis {
	t.Helper()
	start := time.Now()
	result := sandbox.Exec(t, append([]string{"kubectl", "eksnodes", "doctor", "-o", "json"}, args...)...)
	out := diagnosis{code: result.Code, took: time.Since(start)}
	if err := json.Unmarshal([]byte(result.Stdout), &out.Report); err != nil {
		t.Fatal(errors.Join(err, errors.New(result.Stderr)))
	}
	return out
}

// noRoad stands for what AWS and the cluster say.
const noRoad = "-"

// road is by which the machine's own word came home that the first finding
// rests on.
func (d *diagnosis) road() string {
	if len(d.Findings) == 0 {
		return noRoad
	}
	var roads []string
	for _, evidence := range d.Findings[0].Evidence {
		if evidence.Road != "" && !slices.Contains(roads, evidence.Road) {
			roads = append(roads, evidence.Road)
		}
	}
	if len(roads) == 0 {
		return noRoad
	}
	return strings.Join(roads, ", ")
}

// first is the check of the first finding that is no pass.
func (d *diagnosis) first() string {
	for _, finding := range d.Findings {
		if finding.Status != report.Pass {
			return finding.Check
		}
	}
	return ""
}
