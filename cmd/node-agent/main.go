// Command node-agent runs on a node and reports what the machine says of
// itself. This version knows its build and its identity; reports come with
// the agent's own release.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/eksnodes/kubectl-eksnodes/pkg/agentcli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := agentcli.Main(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
