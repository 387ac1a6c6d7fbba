// Package faults breaks real things on a sandbox with real nodes, and asks the
// plugin's real binary for the cause. A fault's name never reaches the doctor;
// what it finds is taken from its JSON. Each fault has a group, and where it is
// about a role a role, of its own, so that they can be tried side by side.
package faults

import (
	"os"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

var sandbox *harness.Sandbox

func TestMain(m *testing.M) {
	s, run := harness.Main(m, "e2e-faults", "--authentication-mode", "API_AND_CONFIG_MAP")
	sandbox = s
	os.Exit(run())
}
