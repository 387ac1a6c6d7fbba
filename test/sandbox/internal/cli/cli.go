// Package cli is the sandbox's command line.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/control"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/supervise"
)

// ExitError carries the exit code of a command that was run in the sandbox. It is
// no message: the command has said what it had to say.
type ExitError int

func (e ExitError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// app is what all commands share.
type app struct {
	name   string
	stdout io.Writer
	stderr io.Writer
}

// Run runs the command line and returns the process's exit code.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a := &app{stdout: stdout, stderr: stderr}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var exit ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return int(exit)
	}
	if _, werr := fmt.Fprintln(stderr, "sandbox:", err); werr != nil {
		return 2
	}
	return 1
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "sandbox",
		Short: "Run an EKS lookalike of real parts on this machine",
		Long: `Run an EKS lookalike of real parts on this machine: a Kubernetes control plane with
aws-iam-authenticator, moto behind a front that plays AWS under its true host names, and EC2-like
nodes with systemd, cloud-init, nodeadm and the kubelet. Needs Linux and root. Nothing of it is
seen outside its own namespaces, and "down" leaves nothing behind.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().StringVar(&a.name, "name", "", "name of the sandbox (default: $"+layout.NameEnv+", or one made from the repository's folder)")
	root.AddCommand(a.up(), a.buildParts(), a.down(), a.status(), a.exec(), a.node(), a.fault(), a.clock(), a.calls(), a.logs(), a.testMoto())
	root.AddCommand(a.hidden()...)
	return root
}

// sandbox resolves the sandbox that a command is about.
func (a *app) sandbox() (layout.Sandbox, error) {
	name := a.name
	if name == "" {
		name = os.Getenv(layout.NameEnv)
	}
	if name == "" {
		var err error
		if name, err = defaultName(); err != nil {
			return layout.Sandbox{}, err
		}
	}
	state, cache, err := layout.Bases(os.Getenv)
	if err != nil {
		return layout.Sandbox{}, err
	}
	return layout.New(name, state, cache)
}

// running resolves the sandbox and the process id of its supervisor.
func (a *app) running() (layout.Sandbox, int, error) {
	s, err := a.sandbox()
	if err != nil {
		return layout.Sandbox{}, 0, err
	}
	pid, ok := supervise.Find(s)
	if !ok {
		return layout.Sandbox{}, 0, fmt.Errorf("sandbox %s is not up: start it with `up`", s.Name)
	}
	return s, pid, nil
}

// client makes a client of the running sandbox's supervisor.
func (a *app) client() (*control.Client, error) {
	s, _, err := a.running()
	if err != nil {
		return nil, err
	}
	return control.NewClient(s.ControlSocket()), nil
}

func needRoot() error {
	if os.Geteuid() != 0 {
		return errors.New("the sandbox makes namespaces, mounts and cgroups: run it as root")
	}
	return nil
}

// print writes to stdout; an error there ends the command.
func (a *app) print(format string, args ...any) error {
	_, err := fmt.Fprintf(a.stdout, format, args...)
	return err
}

// say writes progress to stderr, where failing to is no reason to stop.
func (a *app) say(format string, args ...any) {
	_, _ = fmt.Fprintf(a.stderr, format+"\n", args...)
}
