package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

const rootHelp = `Add self-managed node groups to an Amazon EKS cluster, see them, delete them,
and learn why a node does not join.

The cluster is the one of the current kubeconfig context; nothing is written
before AWS has confirmed that it is the same cluster.`

const rootExamples = `  # three nodes, to Ready
  %[1]s add workers

  # what would be made, and would it join
  %[1]s add workers --instance-type m7g.large --desired 5 --dry-run

  # all groups of the cluster, whichever tool made them
  %[1]s list`

// newRoot builds the tree of commands. It reads nothing: what a command
// needs it opens when it runs.
func newRoot(app *app) *cobra.Command {
	root := &cobra.Command{
		Use:           product.PluginName,
		Short:         "Self-managed node groups for Amazon EKS",
		Long:          rootHelp,
		Example:       fmt.Sprintf(rootExamples, product.Command),
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: product.Command},
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q for %q: see %s --help", args[0], product.Command, product.Command)
			}
			return cmd.Help()
		},
	}
	root.SetIn(app.streams.In)
	root.SetOut(app.streams.Out)
	root.SetErr(app.streams.ErrOut)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w: see %s --help", err, cmd.CommandPath())
	})
	setUsage(root)
	conn := &connection{}
	conn.bind(root.PersistentFlags())
	root.AddCommand(
		newAdd(app, conn), newList(app, conn), newDelete(app, conn), newAuth(app, conn),
		newDescribe(app, conn), newScale(app, conn), newUpgrade(app, conn), newTeardown(app, conn),
		newDoctor(app, conn), newExplain(app), newSSH(app, conn), newToken(app, conn), newAgent(app, conn),
		newVersion(app), newCompletion(app),
	)
	root.CompletionOptions.DisableDefaultCmd = true // its scripts are for programs, not for plugins of kubectl
	return root
}

// noArgs refuses arguments as a usage error.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no arguments, got %q", cmd.CommandPath(), args)
	}
	return nil
}

// oneName takes exactly one node group name.
func oneName(cmd *cobra.Command, args []string) error {
	switch len(args) {
	case 1:
		return nodegroup.ValidateName(args[0])
	case 0:
		return usagef("name the node group: %s NAME", cmd.CommandPath())
	}
	return usagef("%s takes one name, got %q", cmd.CommandPath(), args)
}
