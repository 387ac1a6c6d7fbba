//go:build linux

// Command node-agent runs on a node and reports what the machine says of
// itself.
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
	code := agentcli.Main(ctx, os.Args[1:], agentcli.Streams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr})
	stop()
	os.Exit(code)
}
