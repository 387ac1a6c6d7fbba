package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/control"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/seat"
)

func (a *app) exec() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "exec -- COMMAND [ARGUMENT...]",
		Short: "Run a command at the user's seat",
		Long: `Run a command at the user's seat: in the network of the user's laptop, with KUBECONFIG, AWS keys
and AWS's host names as the sandbox has them, an otherwise empty environment and the current
directory. Standard streams, signals and the exit code are passed through.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needRoot(); err != nil {
				return err
			}
			s, pid, err := a.running()
			if err != nil {
				return err
			}
			if path != "" {
				if path, err = filepath.Abs(path); err != nil {
					return fmt.Errorf("find folder of --path: %w", err)
				}
			}
			return exit(seat.Run(cmd.Context(), s, pid, path, args))
		},
	}
	cmd.Flags().StringVar(&path, "path", "", "folder to put first in the command's search path")
	return cmd
}

func (a *app) node() *cobra.Command {
	return &cobra.Command{
		Use:   "node NAME -- COMMAND [ARGUMENT...]",
		Short: "Run a command in a node, given by instance id or private DNS name",
		Args:  cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needRoot(); err != nil {
				return err
			}
			s, pid, err := a.running()
			if err != nil {
				return err
			}
			n, err := findNode(cmd.Context(), control.NewClient(s.ControlSocket()), args[0])
			if err != nil {
				return err
			}
			return exit(seat.RunInNode(cmd.Context(), s, pid, n.PID, args[1:]))
		},
	}
}

func findNode(ctx context.Context, client *control.Client, name string) (control.Node, error) {
	status, err := client.Status(ctx)
	if err != nil {
		return control.Node{}, err
	}
	for _, n := range status.Nodes {
		if n.InstanceID != name && n.PrivateDNSName != name {
			continue
		}
		if n.PID == 0 {
			return control.Node{}, fmt.Errorf("node %s is %s", name, n.State)
		}
		return n, nil
	}
	return control.Node{}, fmt.Errorf("no node %q: `status` lists the nodes", name)
}

// exit turns a command's exit code into this program's.
func exit(code int, err error) error {
	if err != nil {
		return err
	}
	if code != 0 {
		return ExitError(code)
	}
	return nil
}
