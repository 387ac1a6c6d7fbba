// Package roads brings machines' own reports home on a sandbox with real
// nodes: by SSH to their real sshd, by SSM, and with all that may go wrong on
// the way. What is left behind is looked for in AWS and on the node itself.
package roads

import (
	"os"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

var sandbox *harness.Sandbox

func TestMain(m *testing.M) {
	s, run := harness.Main(m, "e2e-roads", "--authentication-mode", "API_AND_CONFIG_MAP")
	sandbox = s
	os.Exit(run())
}
