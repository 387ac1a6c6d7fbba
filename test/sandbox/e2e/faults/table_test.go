package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// tableEnv names the file that the table is written to; without it the table
// must be the one of docs/faults.md, but for what passes.
const tableEnv = "EKSNODES_FAULTS_TABLE"

const tableHead = `# Faults and the causes that the doctor names

Each fault is broken for real on a sandbox with real nodes. The cause is the
first finding of ` + "`kubectl eksnodes doctor GROUP -o json`" + `, which knows nothing of
the fault's name; of two things broken at once, both. The road is by which the
machine's own word came home that the cause rests on; without one it is what AWS
and the cluster say. What is broken on a node is broken there and nowhere else,
and its node is taken away, so that it has to join anew; one road is open to it.
Made by ` + "`make faults`" + `, and held to by the tests in everything but the seconds,
which the doctor took while other faults were tried on the same machine, and
whether a console had something to say by then. An answer that is not the wanted
is asked for once more: what runs out of time on a machine so busy is told first.

| fault | first cause | road | seconds |
|---|---|---|---|
`

// table collects the rows in the order in which the faults are listed, whatever
// order they end in.
type table struct {
	mu    sync.Mutex
	names []string
	rows  map[string]string
}

func newTable() *table { return &table{rows: map[string]string{}} }

// expect says that there will be a row of the fault.
func (r *table) expect(f fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.names = append(r.names, f.name)
}

func (r *table) add(f fault, d diagnosis) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rows[f.name] = fmt.Sprintf("| %s | %s | %s | %.1f |\n", f.name, d.named(f.want), d.road(), d.took.Seconds())
}

// named are the first finding, and of those that a pair wants besides the ones
// that were found.
func (d *diagnosis) named(want []string) string {
	var all []string
	for i, finding := range d.Findings {
		switch {
		case i == 0 && finding.Status == report.Unknown:
			all = append(all, "unknown: `"+finding.Check+"`")
		case i == 0 || finding.Status == report.Fail && slices.Contains(want[1:], finding.Check):
			all = append(all, "`"+finding.Check+"`")
		}
	}
	return strings.Join(slices.Compact(all), ", ")
}

// finish writes the table, or compares it.
func (r *table) finish(t *testing.T) {
	var out strings.Builder
	out.WriteString(tableHead)
	for _, name := range r.names {
		row, tried := r.rows[name]
		if !tried {
			t.Errorf("no row of %q", name)
		}
		out.WriteString(row)
	}
	t.Log("\n" + out.String())
	path := os.Getenv(tableEnv)
	if path == "" {
		committed, err := os.ReadFile("../../../../docs/faults.md")
		must(t, err)
		if diff := cmp.Diff(withoutPassing(string(committed)), withoutPassing(out.String())); diff != "" {
			t.Errorf("the table has changed: see that it is right, and run make faults (-docs/faults.md +now):\n%s", diff)
		}
		return
	}
	if t.Failed() {
		t.Fatalf("%s is not written", path)
	}
	if !filepath.IsAbs(path) {
		t.Fatalf("%s=%s is not absolute", tableEnv, path)
	}
	must(t, os.WriteFile(path, []byte(out.String()), 0o644))
}

// passing is what may be another with every run: the seconds, and the console,
// which EC2 shows late. Where a road is prescribed, the fault's own test holds
// the answer to it.
var passing = regexp.MustCompile(`(?:\| (?:-|console) )?\| [0-9.]+ \|\n`)

func withoutPassing(text string) string { return passing.ReplaceAllString(text, "|\n") }
