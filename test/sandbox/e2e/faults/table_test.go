package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tableEnv names the file that the table is written to; without it the table
// is only logged.
const tableEnv = "EKSNODES_FAULTS_TABLE"

const tableHead = `# Faults and the causes that the doctor names

Each fault is broken for real on a sandbox with real nodes. The cause is the
first finding of ` + "`kubectl eksnodes doctor GROUP -o json`" + `, which knows nothing of
the fault's name. Made by ` + "`make faults`" + `.

| fault | first cause | seconds |
|---|---|---|
`

func writeTable(t *testing.T, rows []row) {
	t.Helper()
	var out strings.Builder
	out.WriteString(tableHead)
	for _, row := range rows {
		fmt.Fprintf(&out, "| %s | `%s` | %.1f |\n", row.fault, row.cause, row.took.Seconds())
	}
	t.Log("\n" + out.String())
	path := os.Getenv(tableEnv)
	if path == "" || t.Failed() {
		return
	}
	if !filepath.IsAbs(path) {
		t.Fatalf("%s=%s is not absolute", tableEnv, path)
	}
	must(t, os.WriteFile(path, []byte(out.String()), 0o644))
}
