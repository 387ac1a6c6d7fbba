//go:build sandbox

package node_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/node"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/nstest"
)

// TestMain lets the test binary be the program that nodes are started with.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == node.InitCommand {
		fmt.Fprintln(os.Stderr, node.Init(os.Args[2]))
		os.Exit(1)
	}
	os.Exit(nstest.Main(m.Run))
}
