package cloud

import (
	"cmp"
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"golang.org/x/sync/errgroup"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// launch reads the launch templates of the wanted groups, one call for each
// distinct template and version. One that is not there is a gap of its groups
// alone.
func (r reader) launch(ctx context.Context, known *snapshot.Snapshot) (gather.Fill, error) {
	type version struct{ id, number string }
	type answer struct {
		launch *snapshot.Launch
		absent error
	}
	groups := r.wanted(known)
	found := map[version]*answer{}
	for _, group := range groups {
		if group.Launch.TemplateID != "" {
			found[version{group.Launch.TemplateID, group.Launch.TemplateVersion}] = &answer{}
		}
	}
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.SetLimit(fanOut)
	for v, answer := range found {
		tasks.Go(func() error {
			template, err := r.DescribeLaunchTemplate(ctx, v.id, v.number)
			switch {
			case oneTemplate(err):
				answer.absent = err
			case err != nil:
				return err
			case template == nil:
				answer.absent = &Error{Op: "ec2:DescribeLaunchTemplateVersions", Kind: Absent, Message: "launch template " + v.id + " has no version " + v.number}
			}
			answer.launch = template
			return nil
		})
	}
	if err := tasks.Wait(); err != nil {
		return nil, err
	}
	return func(snap *snapshot.Snapshot) {
		for _, group := range groups {
			answer := found[version{group.Launch.TemplateID, group.Launch.TemplateVersion}]
			switch {
			case answer == nil:
			case answer.absent != nil:
				gap := gather.GapOf(snapshot.SectionLaunch, answer.absent)
				gap.Subject = group.Name
				snap.Gaps = append(slices.Clip(snap.Gaps), gap)
			default:
				changeGroup(snap, group.ASGName, func(g *snapshot.Group) { g.Launch = mergeLaunch(g.Launch, *answer.launch) })
			}
		}
	}, nil
}

// oneTemplate reports whether an error says nothing of other templates: this
// one is gone, or nobody collected it.
func oneTemplate(err error) bool {
	reason := gather.ReasonOf(err, snapshot.GapOther)
	return err != nil && (reason == snapshot.GapAbsent || reason == snapshot.GapNoFile)
}

// DescribeLaunchTemplate reads a version of a launch template, "" being the
// default one; nil when there is no such version.
func (c *Client) DescribeLaunchTemplate(ctx context.Context, id, version string) (*snapshot.Launch, error) {
	if version == "" {
		version = "$Default"
	}
	out, err := c.ec2().DescribeLaunchTemplateVersions(ctx, &ec2.DescribeLaunchTemplateVersionsInput{
		LaunchTemplateId: aws.String(id), Versions: []string{version},
	})
	if err != nil {
		return nil, wrap(err)
	}
	if len(out.LaunchTemplateVersions) == 0 {
		return nil, nil
	}
	launch := ConvertLaunch(out.LaunchTemplateVersions[0])
	if strings.HasPrefix(launch.ImageID, imageAlias) {
		image, err := c.resolveImage(ctx, id, version)
		if err != nil {
			return nil, err
		}
		launch.ImageID = cmp.Or(image, launch.ImageID)
	}
	launch.TemplateVersion = version
	return &launch, nil
}

// imageAlias begins an image id that is the name of an SSM parameter.
const imageAlias = "resolve:ssm:"

// resolveImage has EC2 look up the image that a template names by an SSM
// parameter. It is a call of its own because it takes the right to read the
// parameter: a caller without it knows the template all the same, and gets ""
// here.
func (c *Client) resolveImage(ctx context.Context, id, version string) (string, error) {
	out, err := c.ec2().DescribeLaunchTemplateVersions(ctx, &ec2.DescribeLaunchTemplateVersionsInput{
		LaunchTemplateId: aws.String(id), Versions: []string{version}, ResolveAlias: aws.Bool(true),
	})
	if err := wrap(err); err != nil && !IsKind(err, Denied, Absent, Invalid) {
		return "", err
	}
	if out == nil || len(out.LaunchTemplateVersions) == 0 || out.LaunchTemplateVersions[0].LaunchTemplateData == nil {
		return "", nil
	}
	return aws.ToString(out.LaunchTemplateVersions[0].LaunchTemplateData.ImageId), nil
}

// mergeLaunch completes what the group says with what the template says; the
// group's own types win.
func mergeLaunch(group, template snapshot.Launch) snapshot.Launch {
	if len(group.InstanceTypes) > 0 {
		template.InstanceTypes = group.InstanceTypes
	}
	template.TemplateID, template.TemplateName, template.TemplateVersion = group.TemplateID, group.TemplateName, group.TemplateVersion
	return template
}

// ConvertLaunch turns a launch template's version into facts. The user data
// is decoded; it may hold secrets of its author and is never printed whole.
func ConvertLaunch(in ec2types.LaunchTemplateVersion) snapshot.Launch {
	data := in.LaunchTemplateData
	if data == nil {
		data = &ec2types.ResponseLaunchTemplateData{}
	}
	launch := snapshot.Launch{
		TemplateID:       aws.ToString(in.LaunchTemplateId),
		TemplateName:     aws.ToString(in.LaunchTemplateName),
		TemplateNumber:   int(aws.ToInt64(in.VersionNumber)),
		ImageID:          aws.ToString(data.ImageId),
		KeyName:          aws.ToString(data.KeyName),
		SecurityGroupIDs: data.SecurityGroupIds,
		UserData:         decodeUserData(aws.ToString(data.UserData)),
	}
	if data.InstanceType != "" {
		launch.InstanceTypes = []string{string(data.InstanceType)}
	}
	if profile := data.IamInstanceProfile; profile != nil {
		launch.InstanceProfile = aws.ToString(profile.Arn)
		if launch.InstanceProfile == "" {
			launch.InstanceProfile = aws.ToString(profile.Name)
		}
	}
	if len(data.NetworkInterfaces) > 0 {
		first := data.NetworkInterfaces[0]
		launch.PublicIP = first.AssociatePublicIpAddress
		launch.SecurityGroupIDs = append(launch.SecurityGroupIDs, first.Groups...)
	}
	if options := data.MetadataOptions; options != nil {
		launch.HTTPTokens = string(options.HttpTokens)
		launch.HopLimit = int(aws.ToInt32(options.HttpPutResponseHopLimit))
	}
	for _, device := range data.BlockDeviceMappings {
		if device.Ebs == nil {
			continue
		}
		launch.Volumes = append(launch.Volumes, snapshot.Volume{Device: aws.ToString(device.DeviceName), SizeGiB: int(aws.ToInt32(device.Ebs.VolumeSize))})
		if launch.VolumeSizeGiB == 0 {
			launch.VolumeSizeGiB = int(aws.ToInt32(device.Ebs.VolumeSize))
			launch.VolumeType = string(device.Ebs.VolumeType)
		}
	}
	return launch
}

func decodeUserData(s string) string {
	if raw, err := base64.StdEncoding.DecodeString(s); err == nil {
		return string(raw)
	}
	return s
}
