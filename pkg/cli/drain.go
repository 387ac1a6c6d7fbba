package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// kubectlDrain drains by the user's own kubectl: its filters are the best
// kept, and a kubectl plugin always has one.
type kubectlDrain struct {
	connection []string // kubectl's connection flags as the user gave them
	timeout    time.Duration
	out        io.Writer
}

// Drain cordons all nodes first, so that no evicted pod lands on the next
// one, then evicts.
func (d kubectlDrain) Drain(ctx context.Context, nodes []string) error {
	if err := d.run(ctx, append([]string{"cordon"}, nodes...)); err != nil {
		return err
	}
	args := []string{"drain", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=" + d.timeout.String()}
	return d.run(ctx, append(args, nodes...))
}

func (d kubectlDrain) run(ctx context.Context, args []string) error {
	cmd := exec.CommandContext(ctx, "kubectl", append(args, d.connection...)...)
	cmd.Stdout, cmd.Stderr = d.out, d.out
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("kubectl %s: %w: put kubectl on PATH, or say --skip-drain", args[0], err)
	case err != nil:
		return fmt.Errorf("kubectl %s: %w", args[0], err)
	}
	return nil
}
