package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/printers"

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
yaml make one more for every launch template.

--all-clusters lists the groups of every cluster of the region by what Auto
Scaling says, with one call per hundred groups: INSERVICE counts instances,
since nobody asked the clusters whether they are Ready nodes.

--watch goes on and prints a group again when its row has changed.`

const listExamples = `  %[1]s list
  %[1]s list -o wide
  %[1]s list -o name
  %[1]s list -o jsonpath='{.items[*].metadata.name}'
  %[1]s list --all-clusters --region us-west-2
  %[1]s list --watch`

func newList(app *app, conn *connection) *cobra.Command {
	var flags listFlags
	cmd := &cobra.Command{
		Use:     "list [flags]",
		Aliases: []string{"ls"},
		Short:   "List the node groups of the cluster, whichever tool made them",
		Long:    listHelp,
		Example: fmt.Sprintf(listExamples, product.Command),
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			printer, err := flags.check()
			if err != nil {
				return err
			}
			session, err := conn.open(cmd.Context())
			if err != nil {
				return err
			}
			run := listCommand{app: app, session: session, flags: flags, printer: printer}
			if flags.watch {
				return run.watch(cmd.Context())
			}
			return run.once(cmd.Context())
		},
	}
	section(cmd, "Output", func(set *pflag.FlagSet) {
		flags.bind(set)
		set.BoolVarP(&flags.allClusters, "all-clusters", "A", false, "the groups of every cluster of the region")
		set.BoolVarP(&flags.watch, "watch", "w", false, "go on, and print groups again that have changed")
		set.DurationVar(&flags.interval, "interval", 10*time.Second, "`time` between two looks of --watch")
	})
	completeWords(cmd, map[string]string{"output": "wide json yaml name jsonpath="})
	return cmd
}

// listFlags are the flags of `list`.
type listFlags struct {
	printFlags
	allClusters, watch bool
	interval           time.Duration
}

func (f *listFlags) check() (printers.ResourcePrinter, error) {
	printer, err := f.printer()
	switch {
	case err != nil:
		return nil, err
	case f.watch && printer != nil:
		return nil, usagef("--watch prints a table: leave out -o %s", f.output)
	case f.interval <= 0:
		return nil, usagef("--interval %s: it must be more than 0", f.interval)
	}
	return printer, nil
}

// listCommand is one run of `list`.
type listCommand struct {
	app     *app
	session *session
	flags   listFlags
	printer printers.ResourcePrinter
	told    []string // gaps that were told
}

// read returns the rows.
func (c *listCommand) read(ctx context.Context) ([]nodegroup.Listed, error) {
	if c.flags.allClusters {
		snap := c.session.read(ctx, c.session.base, cloud.Request{Sections: []snapshot.Section{snapshot.SectionGroups}, AllClusters: true})
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nodegroup.ListAll(&snap), missing(&snap, snapshot.SectionGroups)
	}
	sections := []snapshot.Section{snapshot.SectionInstances}
	if c.flags.output != "" { // a call for every launch template
		sections = append(sections, snapshot.SectionLaunch)
	}
	snap, err := readGroups(ctx, c.session, nil, sections...)
	if err != nil {
		return nil, err
	}
	c.told = c.app.tellNewGaps(snap, c.told)
	return nodegroup.List(snap), nil
}

func (c *listCommand) once(ctx context.Context) error {
	groups, err := c.read(ctx)
	if err != nil {
		return err
	}
	if len(groups) == 0 && c.flags.output == "" {
		where := "cluster " + c.session.cluster + " has"
		if c.flags.allClusters {
			where = "the clusters of " + c.session.aws.Region() + " have"
		}
		c.app.screen.say("%s no self-managed node groups: %s add NAME", where, product.Command)
		return nil
	}
	return c.print(groups, c.flags.noHeaders)
}

func (c *listCommand) print(groups []nodegroup.Listed, noHeaders bool) error {
	flags := c.flags.printFlags
	flags.noHeaders = noHeaders
	return printGroups(c.app.streams.Out, c.printer, &flags, c.flags.allClusters, groups)
}

// watch lists until the user has seen enough. Rows are printed again when
// anything but their age has changed. A look that fails is told, and the next
// one made; only the first has to succeed.
func (c *listCommand) watch(ctx context.Context) error {
	seen := map[string]string{}
	tick := time.NewTicker(c.flags.interval)
	defer tick.Stop()
	for first := true; ; {
		groups, err := c.read(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && first:
			return err
		case err != nil:
			c.app.note("%v", err)
		default:
			changed := changedRows(groups, seen)
			if len(changed) > 0 {
				if err := c.print(changed, c.flags.noHeaders || !first); err != nil {
					return err
				}
				first = false
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// changedRows are the rows that are new or otherwise than they were seen, and
// takes note of them.
func changedRows(groups []nodegroup.Listed, seen map[string]string) []nodegroup.Listed {
	var changed []nodegroup.Listed
	for _, group := range groups {
		now := fmt.Sprint(group.Ready, group.InService, group.Min, group.Desired, group.Max, group.Mapping, group.ImageID) // what the row shows
		if seen[group.ASGName] != now {
			seen[group.ASGName] = now
			changed = append(changed, group)
		}
	}
	return changed
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
func (a *app) tellGaps(snap *snapshot.Snapshot) { a.tellNewGaps(snap, nil) }

// tellNewGaps leaves out what was told already, and returns all that is.
func (a *app) tellNewGaps(snap *snapshot.Snapshot, told []string) []string {
	for _, gap := range snap.Gaps {
		if gap.Reason == snapshot.GapNotAsked || slices.Contains(told, gap.Detail) { // or follows from one that was told
			continue
		}
		told = append(told, gap.Detail)
		a.note("could not read %s: %s", gap.Section, gap.Detail)
	}
	return told
}
