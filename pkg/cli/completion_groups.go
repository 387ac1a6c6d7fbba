package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/eksnodes/kubectl-eksnodes/pkg/cloud"
	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// completionTime is how long a shell may wait for the names of groups.
const completionTime = 5 * time.Second

// Whose groups a command takes.
const (
	anyTool = ""
	ourTool = nodegroup.ToolOurs
)

// completeGroups completes the one argument of a command to the names of the
// cluster's groups, those of one tool or of any. What cannot be read is
// completed to nothing: a shell has no place for an error.
func completeGroups(conn *connection, tool string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
		defer cancel()
		session, err := conn.open(ctx)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		snap := session.read(ctx, session.base, cloud.Request{Sections: []snapshot.Section{snapshot.SectionGroups}})
		var names []string
		for i := range snap.Groups {
			group := &snap.Groups[i]
			if strings.HasPrefix(group.Name, typed) && (tool == anyTool || group.Tool == tool) {
				names = append(names, group.Name)
			}
		}
		slices.Sort(names)
		return slices.Compact(names), cobra.ShellCompDirectiveNoFileComp
	}
}
