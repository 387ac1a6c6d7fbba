package check

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/signature"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

var update = flag.Bool("update", false, "write the golden files")

// TestScenarios judges whole cases, as a bundle brings them: several faults at
// once, and what looks like one and is none. A case is testdata/scenarios/NAME.json,
// a snapshot; what comes of it stands in NAME.golden, causes first.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/scenarios/*.json")
	if err != nil || len(files) < 10 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			got := verdictLines(Run(readScenario(t, file), Standing()))
			golden := strings.TrimSuffix(file, ".json") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("run with -update to accept:\n%s", diff)
			}
		})
	}
}

// readScenario reads a snapshot, and the known lines of its consoles as a
// reader does.
func readScenario(t *testing.T, file string) *snapshot.Snapshot {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	snap := &snapshot.Snapshot{}
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(snap); err != nil {
		t.Fatal(err)
	}
	for i := range snap.Nodes {
		console := snap.Nodes[i].Console
		if console == nil {
			continue
		}
		if snap.Nodes[i].Logs, err = signature.Scan(signature.Console, strings.NewReader(console.Text)); err != nil {
			t.Fatal(err)
		}
	}
	return snap
}

// verdictLines are the findings that do not pass, one a line.
func verdictLines(verdict report.Report) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%d of %d machines are Ready; %d fail, %d warn, %d unknown\n", verdict.Machines.Ready, verdict.Machines.Total,
		verdict.Counts.Fail, verdict.Counts.Warn, verdict.Counts.Unknown)
	for _, f := range verdict.Findings {
		if f.Status == report.Pass {
			continue
		}
		subjects := strings.Join(f.Subjects, ", ")
		if len(f.Subjects) > 4 {
			subjects = fmt.Sprintf("%d of %d", len(f.Subjects), f.Of)
		}
		behind := ""
		if f.BlockedBy != "" {
			behind = " < " + f.BlockedBy
		}
		fmt.Fprintf(&out, "%s %s%s (%s) %s: %s\n", f.Status, f.Check, behind, f.Confidence, subjects, f.Summary)
	}
	return out.String()
}
