package faults

import (
	"encoding/json"
	"errors"
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

// first is the check of the first finding that is no pass.
func (d *diagnosis) first() string {
	for _, finding := range d.Findings {
		if finding.Status != report.Pass {
			return finding.Check
		}
	}
	return ""
}
