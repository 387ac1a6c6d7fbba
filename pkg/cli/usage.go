package cli

import (
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpWidth keeps help readable in a terminal of the old width.
const helpWidth = 80

// flagGroup is the annotation that puts a flag under a heading of the help.
const flagGroup = "group"

// section adds the flags of a set to a command under a heading.
func section(cmd *cobra.Command, heading string, define func(*pflag.FlagSet)) {
	set := pflag.NewFlagSet(heading, pflag.ContinueOnError)
	set.SortFlags = false
	define(set)
	set.VisitAll(func(flag *pflag.Flag) {
		if flag.Annotations == nil {
			flag.Annotations = map[string][]string{}
		}
		flag.Annotations[flagGroup] = []string{heading}
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
	var headings []string
	groups := map[string]*pflag.FlagSet{}
	inherited := cmd.Root().PersistentFlags()
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if inherited.Lookup(flag.Name) != nil {
			return
		}
		heading := "Options"
		if group := flag.Annotations[flagGroup]; len(group) > 0 {
			heading = group[0]
		}
		if groups[heading] == nil {
			groups[heading] = pflag.NewFlagSet(heading, pflag.ContinueOnError)
			groups[heading].SortFlags = false
			headings = append(headings, heading)
		}
		groups[heading].AddFlag(flag)
	})
	if i := slices.Index(headings, "Options"); i >= 0 { // --help and the like come last
		headings = append(slices.Delete(headings, i, i+1), "Options")
	}
	for _, heading := range headings {
		if usages := groups[heading].FlagUsagesWrapped(helpWidth); usages != "" {
			fmt.Fprintf(w, "\n%s:\n%s", heading, usages)
		}
	}
	persistent := cmd.Root().PersistentFlags()
	if usages := persistent.FlagUsagesWrapped(helpWidth); usages != "" {
		fmt.Fprintf(w, "\nCluster:\n%s", usages)
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\nMore on a command: %s COMMAND --help\n", cmd.CommandPath())
	}
}
