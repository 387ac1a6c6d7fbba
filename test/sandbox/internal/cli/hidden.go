package cli

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/node"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/seat"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/supervise"
)

// hidden are the commands by which the sandbox calls itself inside namespaces.
func (a *app) hidden() []*cobra.Command {
	withConfig := func(name string, run func(*cobra.Command, supervise.Config) error) *cobra.Command {
		return &cobra.Command{Use: name, Hidden: true, Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
			c, err := supervise.LoadConfig(args[0])
			if err != nil {
				return err
			}
			return run(cmd, c)
		}}
	}
	return []*cobra.Command{
		withConfig(supervise.Command, func(_ *cobra.Command, c supervise.Config) error { return supervise.Init(c) }),
		withConfig(supervise.WorldCommand, func(cmd *cobra.Command, c supervise.Config) error {
			return supervise.Run(cmd.Context(), c)
		}),
		{
			Use: seat.SitCommand, Hidden: true, DisableFlagParsing: true, Args: cobra.MinimumNArgs(2),
			RunE: func(_ *cobra.Command, args []string) error { return seat.Sit(args[0], args[1:]) },
		},
		{
			Use: seat.NodeCommand, Hidden: true, DisableFlagParsing: true, Args: cobra.MinimumNArgs(2),
			RunE: func(cmd *cobra.Command, args []string) error {
				pid, err := strconv.Atoi(args[0])
				if err != nil {
					return fmt.Errorf("process id: %w", err)
				}
				return exit(seat.Node(cmd.Context(), pid, args[1:]))
			},
		},
		{
			Use: node.InitCommand, Hidden: true, Args: cobra.ExactArgs(1),
			RunE: func(_ *cobra.Command, args []string) error { return node.Init(args[0]) },
		},
	}
}
