// Package cleanup takes a whole cluster down on a sandbox with real nodes: all
// groups, then the cluster. What AWS and the API server hold counts, not what
// the plugin says.
package cleanup

import (
	"os"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

var sandbox *harness.Sandbox

func TestMain(m *testing.M) {
	s, run := harness.Main(m, "e2e-cleanup", "--authentication-mode", "CONFIG_MAP") // aws-auth can be read when the cluster is gone
	sandbox = s
	os.Exit(run())
}
