package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/eksnodes/kubectl-eksnodes/pkg/check"
	"github.com/eksnodes/kubectl-eksnodes/pkg/cloud"
	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/stack"
)

// plan reads what the group's machines are made from, and would be, into the
// snapshot, and plans.
func (c *upgradeCommand) plan(ctx context.Context, s *session, snap *snapshot.Snapshot) (*nodegroup.UpgradePlan, error) {
	req := nodegroup.UpgradeRequest{
		Name: c.name, ImageID: c.flags.image, InstanceType: c.flags.instanceType,
		VolumeSize: c.flags.volumeSize, VolumeType: c.flags.volumeType, Rollback: c.flags.rollback, Pace: c.flags.pace,
	}
	group := snap.Group(c.name)
	if group == nil {
		return nil, &nodegroup.AbsentError{Group: c.name, Cluster: s.cluster}
	}
	kinds := distinct([]string{c.flags.instanceType})
	if c.wish != nil {
		kinds = slices.Clone(c.wish.Spec.InstanceType)
	}
	if len(kinds) == 0 {
		kinds = group.Launch.InstanceTypes[:min(1, len(group.Launch.InstanceTypes))]
	}
	*snap = s.read(ctx, *snap, cloud.Request{
		Sections: []snapshot.Section{snapshot.SectionImages, snapshot.SectionInstanceTypes, snapshot.SectionOfferings, snapshot.SectionSubnets},
		ImageIDs: distinct([]string{group.Launch.ImageID, c.flags.image}), InstanceTypes: kinds,
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	body, err := c.template(ctx, s, group)
	if err != nil {
		return nil, err
	}
	note, err := c.newest(ctx, s, snap, kinds, &req)
	if err != nil {
		return nil, err
	}
	versions, history, err := c.past(ctx, s, group)
	if err != nil {
		return nil, err
	}
	remaking := remaking{command: c, session: s, snap: snap, body: body}
	if req.Remade, err = remaking.remake(ctx, group, &req, versions, history); err != nil {
		return nil, err
	}
	plan, err := nodegroup.MakeUpgradePlan(snap, versions, history, req)
	if err != nil {
		return nil, err
	}
	plan.Notes = append(plan.Notes, remaking.notes...)
	if note != "" {
		plan.Notes = append(plan.Notes, note)
	}
	plan.SkipDrain, plan.ServiceRole = c.flags.skipDrain, c.flags.stackRole
	if c.wish != nil {
		plan.ServiceRole = cmp.Or(plan.ServiceRole, c.wish.Spec.RoleARN)
	}
	var nodes []string
	for _, victim := range plan.Replace {
		if victim.Node != "" {
			nodes = append(nodes, victim.Node)
		}
	}
	plan.Workload, plan.WorkloadGap = workloadOf(ctx, s, nodes)
	c.readTypes(ctx, s, snap, plan.Proposed.Launch.InstanceTypes)
	return plan, c.readImage(ctx, s, snap, plan.Proposed.Launch.ImageID)
}

// readTypes reads the types that machines will have, if they have not been read
// yet: what a rollback goes back to, or what a file leaves open. What cannot be
// read is a gap, which the checks name.
func (c *upgradeCommand) readTypes(ctx context.Context, s *session, snap *snapshot.Snapshot, kinds []string) {
	if !slices.ContainsFunc(kinds, func(kind string) bool { return snap.Catalog.InstanceType(kind) == nil }) {
		return
	}
	*snap = s.read(ctx, *snap, cloud.Request{
		Sections: []snapshot.Section{snapshot.SectionInstanceTypes, snapshot.SectionOfferings}, InstanceTypes: kinds,
	})
}

// template reads the template of the group's stack. One by which
// CloudFormation would replace the instances itself is refused.
func (c *upgradeCommand) template(ctx context.Context, s *session, group *snapshot.Group) (string, error) {
	if group.Tool != nodegroup.ToolOurs || group.Stack == nil {
		return "", nil // refused by the plan
	}
	body, err := s.aws.StackTemplate(ctx, group.Stack.Name)
	if err != nil {
		return "", fmt.Errorf("read the template of stack %s: %w", group.Stack.Name, err)
	}
	rolls, err := stack.Rolls(body)
	if err != nil {
		return "", err
	}
	if rolls {
		return "", fmt.Errorf("the template of stack %s has CloudFormation replace the instances itself, undrained: take its UpdatePolicy out, or add a group beside and delete this one", group.Stack.Name)
	}
	return body, nil
}

// newest puts the newest image into the request, unless the user has named
// one; note says why there is none.
func (c *upgradeCommand) newest(ctx context.Context, s *session, snap *snapshot.Snapshot, kinds []string, req *nodegroup.UpgradeRequest) (note string, err error) {
	if req.ImageID != "" || req.Rollback {
		return "", nil
	}
	have := snap.Catalog.Images
	image, unknown := c.app.newestImage(ctx, s, snap, snap.Group(c.name), imageWish{kinds: kinds, version: c.flags.version})
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case image != nil:
		req.ImageID = image.ID
		if snap.Catalog.Image(image.ID) == nil {
			snap.Catalog.Images = append(slices.Clone(have), *image)
		}
		return "", nil
	case c.flags.version != "":
		return "", fmt.Errorf("look up the image for Kubernetes %s: %s", c.flags.version, unknown)
	}
	return "the image stays as it is: " + unknown + "; --ami names another", nil
}

// past reads the versions of the group's launch template and, for a rollback,
// the events of its stack.
func (c *upgradeCommand) past(ctx context.Context, s *session, group *snapshot.Group) ([]snapshot.TemplateVersion, []nodegroup.StackEvent, error) {
	oldest, newest, err := nodegroup.VersionsToRead(group)
	if err != nil {
		return nil, nil, err
	}
	versions, err := s.aws.TemplateVersions(ctx, group.Launch.TemplateID, oldest, newest)
	if err != nil {
		return nil, nil, fmt.Errorf("read the versions of launch template %s: %w", group.Launch.TemplateID, err)
	}
	if !c.flags.rollback || group.Stack == nil {
		return versions, nil, nil
	}
	history, err := awsPort{s.aws}.StackEvents(ctx, group.Stack.Name, "")
	if err != nil {
		return nil, nil, fmt.Errorf("read the events of stack %s: %w", group.Stack.Name, err)
	}
	return versions, history, nil
}

// readImage reads the image that machines will be started from, if it has not
// been read yet: what a rollback goes back to.
func (c *upgradeCommand) readImage(ctx context.Context, s *session, snap *snapshot.Snapshot, id string) error {
	if id == "" || snap.Catalog.Image(id) != nil {
		return nil
	}
	image, err := s.aws.DescribeImage(ctx, id)
	if err != nil {
		return fmt.Errorf("read image %s: %w", id, err)
	}
	if image != nil {
		snap.Catalog.Images = append(slices.Clone(snap.Catalog.Images), *image)
	}
	return nil
}

// judgeProposed runs the preflight checks about image and type, and with a file
// about the key pair, over the group as its machines will be. What the others
// judge, stands.
func (c *upgradeCommand) judgeProposed(snap *snapshot.Snapshot, group *snapshot.Group) report.Report {
	read := []snapshot.Section{
		snapshot.SectionGroups, snapshot.SectionLaunch, snapshot.SectionCluster, snapshot.SectionImages,
		snapshot.SectionInstanceTypes, snapshot.SectionOfferings, snapshot.SectionSubnets,
	}
	if c.wish != nil {
		read = append(read, snapshot.SectionKeyPairs)
	}
	checks := slices.DeleteFunc(check.Preflight(), func(c check.Check) bool {
		return c.PlanOnly || c.Group == nil || !slices.Contains(c.Needs, snapshot.SectionLaunch) ||
			slices.ContainsFunc(c.Needs, func(s snapshot.Section) bool { return !slices.Contains(read, s) })
	})
	preview := *snap
	preview.Groups, preview.Nodes = []snapshot.Group{*group}, nil
	return check.Run(&preview, checks)
}
