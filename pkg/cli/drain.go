package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/kube"
)

// kubectlDrain drains by the user's own kubectl: its filters are the best
// kept, and a kubectl plugin always has one.
type kubectlDrain struct {
	connection []string // kubectl's connection flags as the user gave them
	timeout    time.Duration
	force      bool // delete pods too that nothing makes anew
	// withoutBudgets deletes pods instead of evicting them: budgets have no say.
	withoutBudgets bool
	out            io.Writer
}

// Drain cordons all nodes first, so that no evicted pod lands on the next
// one, then evicts.
func (d kubectlDrain) Drain(ctx context.Context, nodes []string) error {
	if err := d.run(ctx, append([]string{"cordon"}, nodes...)); err != nil {
		return err
	}
	args := []string{"drain", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=" + d.timeout.String()}
	if d.force {
		args = append(args, "--force")
	}
	if d.withoutBudgets {
		args = append(args, "--disable-eviction")
	}
	return d.run(ctx, append(args, nodes...))
}

// namingDrain says which budgets are in the way when a drain fails.
type namingDrain struct {
	client *kube.Client
	kubectlDrain
}

// Drain drains, and looks at what is left when that fails.
func (d namingDrain) Drain(ctx context.Context, nodes []string) error {
	err := d.kubectlDrain.Drain(ctx, nodes)
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTime)
	defer cancel()
	work, lookErr := d.client.Workload(ctx, nodes)
	if lookErr != nil {
		return fmt.Errorf("%w; what is left on the nodes could not be read: %w", err, lookErr)
	}
	for _, budget := range work.Blocking() {
		err = fmt.Errorf("%w; PodDisruptionBudget %s/%s allows no disruption of %s", err, budget.Namespace, budget.Name, strings.Join(budget.Pods, ", "))
	}
	return err
}

// lookTime bounds a look at what is left.
const lookTime = 20 * time.Second

func (d kubectlDrain) run(ctx context.Context, args []string) error {
	err := kubectl(ctx, nil, d.out, append(args, d.connection...))
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%w, or say --skip-drain", err)
	}
	return err
}

// kubectl runs the user's own kubectl. An interrupt reaches it first.
func kubectl(ctx context.Context, in io.Reader, out io.Writer, args []string) error {
	cmd := exec.CommandContext(ctx, "kubectl", args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, out
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("kubectl %s: %w: put kubectl on PATH", args[0], err)
	case err != nil:
		return fmt.Errorf("kubectl %s: %w", args[0], err)
	}
	return nil
}
