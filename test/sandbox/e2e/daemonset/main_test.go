// Package daemonset runs node-agent in pods of real kubelets, from the image
// and the manifest that users get, and looks at what the cluster sees of it.
package daemonset

import (
	"os"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

var sandbox *harness.Sandbox

func TestMain(m *testing.M) {
	s, run := harness.Main(m, "e2e-daemonset")
	sandbox = s
	os.Exit(run())
}
