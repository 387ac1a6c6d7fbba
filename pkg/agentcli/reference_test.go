//go:build linux

package agentcli

import (
	"flag"
	"path/filepath"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/reference"
	"github.com/eksnodes/kubectl-eksnodes/pkg/reference/referencetest"
)

var update = flag.Bool("update", false, "write the generated files")

// machineHeading stands over the flags that all commands have.
const machineHeading = "Machine"

// TestReference holds docs/reference/node-agent to node-agent's commands.
func TestReference(t *testing.T) {
	dir := filepath.Join("..", "..", "docs", "reference", "node-agent")
	referencetest.Hold(t, dir, reference.Pages(newRoot(&app{}), machineHeading), *update)
}
