package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/eksnodes/kubectl-eksnodes/pkg/cloud"
	"github.com/eksnodes/kubectl-eksnodes/pkg/groupconfig"
	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/version"
)

// readWish reads the file of -f and puts the flags given beside it into it.
func (c *upgradeCommand) readWish() error {
	if c.flags.file == "" {
		return nil
	}
	config, err := c.app.readConfig(c.flags.file)
	if err != nil {
		return err
	}
	c.wish = config
	into(&config.Spec, launchWish{
		image: c.flags.image, kind: c.flags.instanceType, volumeType: c.flags.volumeType, volumeSize: c.flags.volumeSize,
	})
	if c.flags.image = config.Spec.AMI; c.flags.image != "" && c.flags.version != "" {
		return usagef("--kubernetes-version: the file names an image, which decides the version")
	}
	return nil
}

// launchWish is what machines are to be, as far as parameters of the stack say
// it. Zero values leave it open.
type launchWish struct {
	image, kind, volumeType string
	volumeSize              int // GiB
}

// into puts a wish into the settings of a group.
func into(spec *groupconfig.Spec, wish launchWish) {
	spec.AMI = cmp.Or(wish.image, spec.AMI)
	spec.VolumeType = cmp.Or(wish.volumeType, spec.VolumeType)
	if wish.kind != "" {
		others := slices.Clone(spec.InstanceType[min(1, len(spec.InstanceType)):])
		others = slices.DeleteFunc(others, func(kind string) bool { return kind == wish.kind })
		spec.InstanceType = append(groupconfig.Texts{wish.kind}, others...)
	}
	if wish.volumeSize > 0 {
		spec.VolumeSize = &wish.volumeSize
	}
}

// remaking makes the stack of a group anew, when parameters alone do not lead
// to what was asked for.
type remaking struct {
	command *upgradeCommand
	session *session
	snap    *snapshot.Snapshot
	body    string   // of the stack's template
	notes   []string // on what was left alone
}

// remake is nil when only parameters change.
func (r *remaking) remake(ctx context.Context, group *snapshot.Group, req *nodegroup.UpgradeRequest, versions []snapshot.TemplateVersion, history []nodegroup.StackEvent) (*nodegroup.Remade, error) {
	if r.body == "" {
		return nil, nil // refused by the plan
	}
	if r.command.flags.rollback {
		target, template, err := nodegroup.Rollback(group, versions, history)
		if err != nil || !template {
			return nil, err
		}
		return r.back(ctx, group, &target.Launch)
	}
	if r.command.wish == nil {
		return nil, nil
	}
	kept, err := r.kept(ctx, group)
	if err != nil {
		return nil, err
	}
	if kept.Now == nil {
		return nil, fmt.Errorf("stack %s keeps no settings of the group, so that it cannot be told what -f would change: add a group beside and delete this one", group.Stack.Name)
	}
	wish, notes, err := nodegroup.Adjust(kept.Now, r.command.wish)
	if err != nil {
		return nil, err
	}
	r.notes = notes
	return r.make(ctx, kept, wish, req.ImageID)
}

// back makes the stack of the settings that it keeps of before; nil when there
// are none.
func (r *remaking) back(ctx context.Context, group *snapshot.Group, launch *snapshot.Launch) (*nodegroup.Remade, error) {
	kept, err := r.kept(ctx, group)
	if err != nil || kept.Before == nil || kept.Now == nil {
		return nil, err
	}
	before, _, err := nodegroup.Adjust(kept.Now, kept.Before)
	if err != nil {
		return nil, err
	}
	wish := launchWish{volumeType: launch.VolumeType, volumeSize: launch.VolumeSizeGiB}
	if len(launch.InstanceTypes) > 0 {
		wish.kind = launch.InstanceTypes[0]
	}
	into(&before.Spec, wish)
	return r.make(ctx, kept, before, launch.ImageID)
}

func (r *remaking) kept(ctx context.Context, group *snapshot.Group) (nodegroup.KeptSettings, error) {
	name := group.Stack.Name
	stack := r.snap.Stack(name)
	if stack == nil {
		return nodegroup.KeptSettings{}, fmt.Errorf("stack %s was not read", name)
	}
	metadata, err := r.session.aws.StackMetadata(ctx, stack.ID)
	if err != nil {
		return nodegroup.KeptSettings{}, fmt.Errorf("read the settings that stack %s keeps: %w", name, err)
	}
	return nodegroup.ReadKeptSettings(metadata, stack, group)
}

// make plans the stack as `add` would, of the image that was chosen.
func (r *remaking) make(ctx context.Context, kept nodegroup.KeptSettings, want *groupconfig.Config, image string) (*nodegroup.Remade, error) {
	if want.Spec.AMIFamily == string(nodegroup.FamilyCustom) {
		want.Spec.AMI = cmp.Or(want.Spec.AMI, image, r.snap.Group(r.command.name).Launch.ImageID) // there is no newest of them
	}
	add := addCommand{app: r.command.app, conn: r.command.conn, session: r.session, flags: &addFlags{}, name: r.command.name}
	cmd := &cobra.Command{}
	add.flags.bind(cmd)
	add.given = cmd.Flags()
	if err := add.flags.take(add.given, &want.Spec); err != nil {
		return nil, err
	}
	var err error
	if add.req, err = add.flags.request(add.name, add.given); err != nil {
		return nil, err
	}
	have := &kept.Now.Spec
	add.req.Subnets.Anew = isTrue(have.Private) != isTrue(want.Spec.Private) || isTrue(have.Public) != isTrue(want.Spec.Public)
	add.req.ImageID = cmp.Or(image, add.req.ImageID)
	if err := r.read(ctx, &add); err != nil {
		return nil, err
	}
	return nodegroup.Remake(r.snap, add.req, kept, r.body, version.Current().Version)
}

func isTrue(setting *bool) bool { return setting != nil && *setting }

// read reads what a plan of `add` is made from besides what an upgrade has
// read already.
func (r *remaking) read(ctx context.Context, add *addCommand) error {
	var role cloud.Request
	if askRole(&role, add.req.Identity); len(role.Sections) > 0 {
		*r.snap = r.session.read(ctx, *r.snap, role)
	}
	more, kube := add.second(r.snap, nil)
	more.Sections = slices.DeleteFunc(more.Sections, func(section snapshot.Section) bool {
		return slices.Contains([]snapshot.Section{snapshot.SectionImages, snapshot.SectionInstanceTypes, snapshot.SectionOfferings, snapshot.SectionSubnets, snapshot.SectionQuotas}, section)
	})
	*r.snap = r.session.read(ctx, *r.snap, more, kube...)
	if err := r.command.readImage(ctx, r.session, r.snap, add.req.ImageID); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// Of these two it would be guessed what the group is made of, and the guess
	// written.
	return missing(r.snap, snapshot.SectionRouteTables, snapshot.SectionCNI)
}
