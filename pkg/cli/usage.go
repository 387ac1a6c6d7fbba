package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/eksnodes/kubectl-eksnodes/pkg/reference"
)

// helpWidth keeps help readable in a terminal of the old width.
const helpWidth = 80

// connectionHeading is that of the flags that all commands have.
const connectionHeading = "Cluster"

// section adds the flags of a set to a command under a heading.
func section(cmd *cobra.Command, heading string, define func(*pflag.FlagSet)) {
	set := pflag.NewFlagSet(heading, pflag.ContinueOnError)
	set.SortFlags = false
	define(set)
	set.VisitAll(func(flag *pflag.Flag) {
		if flag.Annotations == nil {
			flag.Annotations = map[string][]string{}
		}
		flag.Annotations[reference.HeadingAnnotation] = []string{heading}
	})
	cmd.Flags().SortFlags = false
	cmd.Flags().AddFlagSet(set)
}

// setUsage gives the whole tree of commands one way of showing its flags.
func setUsage(root *cobra.Command) {
	root.SetUsageFunc(func(cmd *cobra.Command) error {
		printUsage(cmd.OutOrStderr(), cmd)
		return nil
	})
}

func printUsage(w io.Writer, cmd *cobra.Command) {
	fmt.Fprintf(w, "Usage:\n")
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "  %s COMMAND\n", cmd.CommandPath())
	} else {
		fmt.Fprintf(w, "  %s\n", cmd.UseLine())
	}
	if cmd.HasExample() {
		fmt.Fprintf(w, "\nExamples:\n%s\n", cmd.Example)
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\nCommands:\n")
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				fmt.Fprintf(w, "  %-12s %s\n", sub.Name(), sub.Short)
			}
		}
	}
	for _, section := range reference.Sections(cmd) {
		fmt.Fprintf(w, "\n%s:\n%s", section.Heading, section.Flags.FlagUsagesWrapped(helpWidth))
	}
	persistent := cmd.Root().PersistentFlags()
	if usages := persistent.FlagUsagesWrapped(helpWidth); usages != "" {
		fmt.Fprintf(w, "\n%s:\n%s", connectionHeading, usages)
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\nMore on a command: %s COMMAND --help\n", cmd.CommandPath())
	}
}
