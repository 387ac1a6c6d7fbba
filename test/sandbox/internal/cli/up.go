package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/build"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/control"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/controlplane"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/supervise"
)

type upOptions struct {
	mode      string
	cloudInit bool
}

func (a *app) up() *cobra.Command {
	var o upOptions
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Build what is missing, start the sandbox and wait until it is ready",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.runUp(cmd.Context(), o) },
	}
	cmd.Flags().StringVar(&o.mode, "authentication-mode", controlplane.ModeAPIAndConfigMap,
		"the cluster's authentication mode: CONFIG_MAP, API_AND_CONFIG_MAP or API")
	cmd.Flags().BoolVar(&o.cloudInit, "cloud-init", true, "boot nodes through cloud-init as on EC2; without it they are up some seconds sooner")
	return cmd
}

func (a *app) runUp(ctx context.Context, o upOptions) error {
	if err := needRoot(); err != nil {
		return err
	}
	if err := controlplane.ValidMode(o.mode); err != nil {
		return err
	}
	s, err := a.sandbox()
	if err != nil {
		return err
	}
	artefacts, source, err := a.build(ctx, s)
	if err != nil {
		return err
	}
	unlock, err := supervise.Lock(ctx, s)
	if err != nil {
		return err
	}
	err = a.startAndWait(ctx, supervise.Config{
		Sandbox: s, Artefacts: artefacts, Source: source, AuthenticationMode: o.mode, CloudInit: o.cloudInit})
	return errors.Join(err, unlock())
}

func (a *app) build(ctx context.Context, s layout.Sandbox) (build.Artefacts, string, error) {
	source, err := build.FindSource(".")
	if err != nil {
		return build.Artefacts{}, "", err
	}
	artefacts, err := build.Builder{Source: source, Cache: s.Cache, Progress: a.say}.All(ctx)
	if err != nil && ctx.Err() != nil {
		return build.Artefacts{}, "", errors.New("interrupted: what was built so far is kept")
	}
	return artefacts, source, err
}

// startAndWait makes sure that the sandbox runs and is ready. One that was started
// here and does not get ready, or is not waited for to the end, is removed.
func (a *app) startAndWait(ctx context.Context, c supervise.Config) error {
	s := c.Sandbox
	begun := time.Now()
	var ended <-chan error
	if _, ok := supervise.Find(s); !ok {
		if err := supervise.Clean(ctx, s); err != nil {
			return fmt.Errorf("clean up after a former sandbox: %w", err)
		}
		was, err := supervise.RaiseWatchers(supervise.WatchersPath)
		switch {
		case err != nil:
			a.say("warning: %v", err)
		case was > 0:
			a.say("fs.inotify.max_user_instances of this machine was %d, too few for several nodes: raised", was)
		}
		if ended, err = supervise.Start(c); err != nil {
			return err
		}
	}
	status, err := a.wait(ctx, s, ended)
	if err == nil {
		return a.greet(s, status, time.Since(begun))
	}
	if ended == nil {
		return err // another one's sandbox
	}
	if ctx.Err() == nil {
		a.say("the sandbox did not get ready; its logs' ends:")
		a.tailLogs(s)
	}
	// ctx may be done; the cleaning must not be.
	if rerr := supervise.Remove(context.WithoutCancel(ctx), s); rerr != nil {
		return errors.Join(err, rerr)
	}
	return err
}

// readyTimeout is long: a machine may be compiling at the same time.
const readyTimeout = 5 * time.Minute

// wait follows the start until the sandbox is ready.
func (a *app) wait(ctx context.Context, s layout.Sandbox, ended <-chan error) (control.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	client := control.NewClient(s.ControlSocket())
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	shown := 0
	for {
		status, err := client.Status(ctx)
		if err == nil {
			shown = a.showSteps(status, shown)
			switch status.Phase {
			case control.PhaseReady:
				return status, nil
			case control.PhaseFailed:
				return status, fmt.Errorf("start of sandbox %s: %s", s.Name, status.Error)
			}
		}
		select {
		case err := <-ended:
			return control.Status{}, fmt.Errorf("the supervisor ended: %w (see %s)", err, s.Log("supervisor"))
		case <-ctx.Done():
			return control.Status{}, fmt.Errorf("wait for sandbox %s: %w", s.Name, ctx.Err())
		case <-tick.C:
		}
	}
}

// showSteps prints the steps that were done since the last call.
func (a *app) showSteps(s control.Status, shown int) int {
	for ; shown < len(s.Steps) && s.Steps[shown].Took > 0; shown++ {
		a.say("  %-20s %6.2fs", s.Steps[shown].Name, s.Steps[shown].Took.Seconds())
	}
	return shown
}

func (a *app) greet(s layout.Sandbox, status control.Status, took time.Duration) error {
	a.say("sandbox %s is ready (%.1fs, %d parts, %d nodes)", s.Name, took.Seconds(), len(status.Parts), len(status.Nodes))
	a.say(`
Go on with
  go -C test/sandbox run . exec -- kubectl get nodes     a command at the user's seat
  go -C test/sandbox run . exec -- bash                  a shell there
  go -C test/sandbox run . status                        what runs
  go -C test/sandbox run . down                          take everything away`)
	return nil
}
