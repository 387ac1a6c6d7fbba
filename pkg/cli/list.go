package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/eksnodes/kubectl-eksnodes/pkg/cloud"
	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const listHelp = `List the self-managed node groups of the cluster, whichever tool made them:
every Auto Scaling group that carries the cluster's tag.

READY counts the Ready nodes of the group's instances, by providerID. MAPPING
says where the nodes' role is let in: entry (an access entry), aws-auth, none,
or ? when that could not be read (-o wide says why).

The number of calls does not grow with the number of groups; -o wide, json and
yaml make one more for every launch template.`

const listExamples = `  %[1]s list
  %[1]s list -o wide
  %[1]s list -o name
  %[1]s list -o jsonpath='{.items[*].metadata.name}'`

func newList(app *app, conn *connection) *cobra.Command {
	var flags printFlags
	cmd := &cobra.Command{
		Use:     "list [flags]",
		Aliases: []string{"ls"},
		Short:   "List the node groups of the cluster, whichever tool made them",
		Long:    listHelp,
		Example: fmt.Sprintf(listExamples, product.Command),
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			printer, err := flags.printer()
			if err != nil {
				return err
			}
			session, err := conn.open(cmd.Context())
			if err != nil {
				return err
			}
			sections := []snapshot.Section{snapshot.SectionInstances}
			if flags.output != "" { // a call for every launch template
				sections = append(sections, snapshot.SectionLaunch)
			}
			snap, err := readGroups(cmd.Context(), session, nil, sections...)
			if err != nil {
				return err
			}
			app.tellGaps(snap)
			groups := nodegroup.List(snap)
			if len(groups) == 0 && flags.output == "" {
				app.screen.say("cluster %s has no self-managed node groups: %s add NAME", session.cluster, product.Command)
				return nil
			}
			return printGroups(app.streams.Out, printer, &flags, groups)
		},
	}
	section(cmd, "Output", flags.bind)
	completeWords(cmd, map[string]string{"output": "wide json yaml name jsonpath="})
	return cmd
}

// readGroups reads the groups with their nodes and mappings, the named stacks
// and the further sections.
func readGroups(ctx context.Context, s *session, stacks []string, more ...snapshot.Section) (*snapshot.Snapshot, error) {
	req := cloud.Request{
		Sections:    append(more, snapshot.SectionCluster, snapshot.SectionGroups, snapshot.SectionAccessEntries, snapshot.SectionRoles),
		ListEntries: true, AllProfiles: true, StackNames: stacks,
	}
	snap := s.read(ctx, s.base, req, snapshot.SectionNodes, snapshot.SectionAwsAuth)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return &snap, missing(&snap, snapshot.SectionCluster, snapshot.SectionGroups)
}

// tellGaps says on stderr what could not be read, once each.
func (a *app) tellGaps(snap *snapshot.Snapshot) {
	var told []string // a gap and those that follow from it
	for _, gap := range snap.Gaps {
		if gap.Reason == snapshot.GapNotAsked || slices.Contains(told, gap.Detail) {
			continue
		}
		told = append(told, gap.Detail)
		a.screen.say("%s could not read %s: %s", a.screen.paint(bold, "note:"), gap.Section, gap.Detail)
	}
}
