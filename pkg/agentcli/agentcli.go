//go:build linux

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
	exitOK           = 0
	exitError        = 1
	exitUsage        = 2
	exitFails        = 3
	exitInconclusive = 4
	exitInterrupted  = 130
)

// usageError is a command line that makes no sense.
type usageError struct{ error }

// verdictError ends a command whose output has said everything.
type verdictError struct{ inconclusive bool }

// Error says how it was judged.
func (e *verdictError) Error() string {
	if e.inconclusive {
		return "nothing fails, but not everything could be read"
	}
	return "something fails"
}

// Streams are the program's.
type Streams struct {
	In          io.Reader
	Out, ErrOut io.Writer
}

// app is what all commands share.
type app struct {
	streams Streams
	root    string // of the machine
	machine func(root string) *host.Machine
}

// Main runs one command line (without the program's name) and returns the
// exit code.
func Main(ctx context.Context, args []string, streams Streams) int {
	return run(ctx, args, &app{streams: streams, machine: host.Local})
}

func run(ctx context.Context, args []string, a *app) int {
	root := newRoot(a)
	root.SetArgs(args)
	root.SetOut(a.streams.Out)
	root.SetErr(a.streams.ErrOut)
	err := root.ExecuteContext(ctx)
	code := exitCode(ctx, err)
	if err != nil && code != exitFails && code != exitInconclusive {
		fmt.Fprintln(a.streams.ErrOut, "error:", err)
	}
	return code
}

func exitCode(ctx context.Context, err error) int {
	var verdict *verdictError
	switch usage := (usageError{}); {
	case err == nil:
		return exitOK
	case ctx.Err() != nil, errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &verdict) && verdict.inconclusive:
		return exitInconclusive
	case errors.As(err, &verdict):
		return exitFails
	}
	return exitError
}

const rootHelp = `node-agent runs on an EKS node and says what only the machine itself can know:
its identity and the token it would show, whom the cluster takes it for, the
way to the API server, the state of kubelet, runtime, CNI and disks.

It only looks. It writes nothing, listens nowhere, starts no unit, and no
credential leaves it. Only serve, which is for pods, listens, and tells the
cluster what it sees.`

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:               "node-agent",
		Short:             "What an EKS node says of itself",
		Long:              rootHelp,
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		Args:              cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q: see node-agent --help", args[0])}
			}
			return cmd.Help()
		},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.PersistentFlags().StringVar(&a.root, "root", "/", "where the machine's root is mounted, in a pod: `path`")
	root.AddCommand(newReport(a), newDoctor(a), newWhoami(a), newToken(a), newVerify(a), newServe(a), newVersion())
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

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("%s takes no arguments, got %d", cmd.CommandPath(), len(args))}
	}
	return nil
}
