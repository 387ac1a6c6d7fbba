//go:build sandbox

package node_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/build"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/node"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/nstest"
)

// TestMain lets the test binary be the program that nodes are started with.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == node.InitCommand {
		fmt.Fprintln(os.Stderr, node.Init(os.Args[2]))
		os.Exit(1)
	}
	os.Exit(nstest.Main(buildArtefacts, m.Run))
}

const artefactsEnv = "EKSNODES_TEST_ARTEFACTS"

// buildArtefacts makes what nodes are made of, while there is a network, and
// hands it on to the tests.
func buildArtefacts() error {
	source, err := build.FindSource(".")
	if err != nil {
		return err
	}
	_, cache, err := layout.Bases(os.Getenv)
	if err != nil {
		return err
	}
	progress := func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
	artefacts, err := build.Builder{Source: source, Cache: cache, Progress: progress}.All(context.Background())
	if err != nil {
		return err
	}
	text, err := json.Marshal(artefacts)
	if err != nil {
		return err
	}
	return os.Setenv(artefactsEnv, string(text))
}

func artefacts(t *testing.T) build.Artefacts {
	t.Helper()
	var a build.Artefacts
	check(t, json.Unmarshal([]byte(os.Getenv(artefactsEnv)), &a))
	return a
}
