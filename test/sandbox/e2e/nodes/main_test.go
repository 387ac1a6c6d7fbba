// Package nodes tests the plugin's real binary on a sandbox with real nodes:
// what it says counts for little, what AWS and the API server hold counts.
package nodes

import (
	"os"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

var sandbox *harness.Sandbox

func TestMain(m *testing.M) {
	s, run := harness.Main(m, "e2e-nodes", "--authentication-mode", "CONFIG_MAP")
	sandbox = s
	os.Exit(run())
}
