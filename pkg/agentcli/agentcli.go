// Package agentcli is node-agent's command line.
package agentcli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/eksnodes/kubectl-eksnodes/pkg/host"
	"github.com/eksnodes/kubectl-eksnodes/pkg/version"
)

// Exit codes, as those of the plugin.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// usageError is a command line that makes no sense.
type usageError struct{ error }

// Main runs one command line (without the program's name) and returns the
// exit code.
func Main(ctx context.Context, args []string, out, errOut io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	if err != nil {
		fmt.Fprintln(errOut, "error:", err)
	}
	switch usage := (usageError{}); {
	case err == nil:
		return exitOK
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &usage):
		return exitUsage
	}
	return exitError
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "node-agent",
		Short: "What an EKS node says of itself",
		Long: `node-agent runs on an EKS node. It can say which build it is and which AWS
identity the machine has; full reports of a machine are not part of this
version.`,
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		Args:              cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q: this version has version and whoami", args[0])}
			}
			return cmd.Help()
		},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(newVersion(), newWhoami())
	return root
}

func newVersion() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print version, commit, Go and platform",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains([]string{"", "json", "yaml"}, output) {
				return usageError{fmt.Errorf("-o %q: use json or yaml", output)}
			}
			return version.Current().Print(cmd.OutOrStdout(), output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "json or yaml")
	return cmd
}

func newWhoami() *cobra.Command {
	return &cobra.Command{
		Use:   "whoami",
		Short: "Print the ARN that AWS knows this machine by",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			arn, err := host.CallerARN(cmd.Context())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), arn)
			return err
		},
	}
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("%s takes no arguments, got %q", cmd.CommandPath(), args)}
	}
	return nil
}
