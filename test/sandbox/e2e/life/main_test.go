// Package life tests the rest of a node group's life on a sandbox with real
// nodes: who is let in, looking, scaling, deleting. What AWS and the API server
// hold counts, not what the plugin says.
package life

import (
	"os"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

var sandbox *harness.Sandbox

func TestMain(m *testing.M) {
	s, run := harness.Main(m, "e2e-life", "--authentication-mode", "CONFIG_MAP")
	sandbox = s
	os.Exit(run())
}
