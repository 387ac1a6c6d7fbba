package cli

import (
	"path/filepath"
	"testing"

	"github.com/spf13/cobra"

	"github.com/eksnodes/kubectl-eksnodes/pkg/reference"
	"github.com/eksnodes/kubectl-eksnodes/pkg/reference/referencetest"
)

// docs is where the pages for users are.
var docs = filepath.Join("..", "..", "docs")

// commands is the tree of commands as main builds it.
func commands() *cobra.Command { return newRoot(&app{}) }

// TestReference holds docs/reference to the commands.
func TestReference(t *testing.T) {
	referencetest.Hold(t, filepath.Join(docs, "reference"), reference.Pages(commands(), connectionHeading), *update)
}
