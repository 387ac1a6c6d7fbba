package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/eksnodes/kubectl-eksnodes/pkg/cloud"
	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const describeHelp = `Describe a node group: its stack, sizes, launch template, the image with its
age against the newest of its family, the role and how it is let in, every node
with what the authenticator would answer to it, and the last scaling activities.

Groups of other tools are described as far as they can be read. It changes
nothing; why a node does not join is what doctor tells.

-o config writes the settings as a file for add -f: those that the group was
made with, and what its stack says by now. Of a group that was made without,
it writes what can be seen from outside, and says what cannot.`

const describeExamples = `  %[1]s describe workers
  %[1]s describe workers -o wide
  %[1]s describe workers -o config > workers.yaml
  %[1]s describe workers -o jsonpath='{.status.image.newest.id}'`

func newDescribe(app *app, conn *connection) *cobra.Command {
	var flags printFlags
	cmd := &cobra.Command{
		Use:               "describe NAME [flags]",
		Short:             "Describe a node group: stack, image and its age, nodes, mapping, activities",
		Long:              describeHelp,
		Example:           fmt.Sprintf(describeExamples, product.Command),
		Args:              oneGroup,
		ValidArgsFunction: completeGroups(conn, anyTool),
		RunE: func(cmd *cobra.Command, args []string) error {
			asConfig := flags.output == configOutput
			if asConfig {
				flags.output = ""
			}
			printer, err := flags.printer()
			if err != nil {
				return err
			}
			session, err := conn.open(cmd.Context())
			if err != nil {
				return err
			}
			description, err := app.describe(cmd.Context(), session, args[0])
			if err != nil {
				return err
			}
			if asConfig {
				return app.writeConfig(cmd.Context(), session, description)
			}
			if printer != nil {
				object := describedObject(description)
				if err := printer.PrintObj(object, app.streams.Out); err != nil {
					return fmt.Errorf("print %s: %w", args[0], err)
				}
				return nil
			}
			return writeDescription(app.streams.Out, description, flags, app.screen.now())
		},
	}
	section(cmd, "Output", func(set *pflag.FlagSet) {
		flags.bind(set)
		set.Lookup("output").Usage = configOutput + ", " + set.Lookup("output").Usage
	})
	completeWords(cmd, map[string]string{"output": configOutput + " wide json yaml name jsonpath="})
	return cmd
}

// oneGroup takes the name of one group, whichever tool made it.
func oneGroup(cmd *cobra.Command, args []string) error {
	switch len(args) {
	case 1:
		return nil
	case 0:
		return usagef("name the node group: %s NAME", cmd.CommandPath())
	}
	return usagef("%s takes one name, got %q", cmd.CommandPath(), args)
}

// describe reads in three rounds: the group, what it is made of, and the
// newest image.
func (a *app) describe(ctx context.Context, s *session, name string) (*nodegroup.Description, error) {
	a.screen.say("reading cluster %s in %s ...", s.cluster, s.aws.Region())
	snap := s.read(ctx, s.base, cloud.Request{
		Sections: []snapshot.Section{
			snapshot.SectionCluster, snapshot.SectionGroups, snapshot.SectionInstances, snapshot.SectionLaunch,
			snapshot.SectionActivities, snapshot.SectionRoles, snapshot.SectionAccessEntries,
		},
		Groups: []string{name}, AllProfiles: true, ListEntries: true,
	}, snapshot.SectionNodes, snapshot.SectionAwsAuth)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err := missing(&snap, snapshot.SectionCluster, snapshot.SectionGroups); err != nil {
		return nil, err
	}
	group := snap.Group(name)
	if group == nil {
		return nil, &nodegroup.AbsentError{Group: name, Cluster: s.cluster}
	}
	snap = s.read(ctx, snap, describeRequest(&snap, group))
	a.tellGaps(&snap)
	group = snap.Group(name)
	newest, unknown := a.newestImage(ctx, s, &snap, group, imageWish{kinds: group.Launch.InstanceTypes})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nodegroup.Describe(&snap, name, newest, unknown)
}

// describeRequest asks for what the group is made of.
func describeRequest(snap *snapshot.Snapshot, group *snapshot.Group) cloud.Request {
	var req cloud.Request
	if group.Stack != nil {
		req.StackNames = []string{group.Stack.Name}
		req.Sections = append(req.Sections, snapshot.SectionStacks)
	}
	if role := nodegroup.RoleOf(snap, group); role != "" && snap.Cluster.AuthMode.ReadsEntries() {
		req.Principals, req.ListEntries = []string{role}, true
		req.Sections = append(req.Sections, snapshot.SectionAccessEntries)
	}
	req.ImageIDs = append(req.ImageIDs, group.Launch.ImageID)
	for i := range snap.Nodes {
		if node := &snap.Nodes[i]; node.Group == group.Name && node.Cloud != nil {
			req.ImageIDs = append(req.ImageIDs, node.Cloud.ImageID)
		}
	}
	if req.ImageIDs = distinct(req.ImageIDs); len(req.ImageIDs) > 0 {
		req.Sections = append(req.Sections, snapshot.SectionImages)
	}
	if len(group.Launch.InstanceTypes) > 0 {
		req.InstanceTypes = group.Launch.InstanceTypes[:1]
		req.Sections = append(req.Sections, snapshot.SectionInstanceTypes)
	}
	return req
}

// imageWish says what the newest image is looked up for.
type imageWish struct {
	kinds   []string // instance types, the first of which decides the architecture
	version string   // Kubernetes minor; "": the cluster's
}

// newestImage looks up the newest image of the family of the group's; unknown
// says why there is none.
func (a *app) newestImage(ctx context.Context, s *session, snap *snapshot.Snapshot, group *snapshot.Group, wish imageWish) (newest *snapshot.Image, unknown string) {
	have := snap.Catalog.Image(group.Launch.ImageID)
	family := nodegroup.ImageFamily(have)
	switch {
	case have == nil:
		return nil, "the image of the launch template could not be read"
	case family == "":
		return nil, "AWS publishes no family that this image is of"
	case len(wish.kinds) == 0:
		return nil, "the launch template has no instance type"
	}
	looked := s.read(ctx, *snap, cloud.Request{
		Sections:      []snapshot.Section{snapshot.SectionImages},
		InstanceTypes: wish.kinds[:1],
		Image:         cloud.ImageQuery{Family: cloud.ImageFamily(family), FIPS: strings.Contains(have.Name, "-fips-"), Version: wish.version},
	})
	if gap, missing := looked.Gap(snapshot.SectionImages, ""); missing {
		return nil, gap.Detail
	}
	if len(looked.Catalog.Images) == 0 {
		return nil, "the published image could not be read"
	}
	return &looked.Catalog.Images[0], ""
}
