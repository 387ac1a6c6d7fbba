// Package controlplane tests against the real API server and the real
// authenticator, without nodes: who is let in, and aws-auth under contention.
package controlplane

import (
	"os"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

var sandbox *harness.Sandbox

func TestMain(m *testing.M) {
	s, run := harness.Main(m, "e2e-cp", "--authentication-mode", "CONFIG_MAP")
	sandbox = s
	os.Exit(run())
}
