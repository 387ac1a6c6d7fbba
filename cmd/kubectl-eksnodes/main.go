// Command kubectl-eksnodes is a kubectl plugin that adds self-managed node
// groups to Amazon EKS clusters: kubectl eksnodes add NAME.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/eksnodes/kubectl-eksnodes/pkg/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the process at once
	code := cli.Main(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr})
	stop()
	os.Exit(code)
}
