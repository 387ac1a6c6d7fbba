package cloud

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// versionsPage is the most that DescribeLaunchTemplateVersions gives at once.
const versionsPage = 200

// TemplateVersions returns the versions of a launch template from oldest to
// newest, both included, by number. Versions that were deleted are left out.
func (c *Client) TemplateVersions(ctx context.Context, templateID string, oldest, newest int) ([]snapshot.TemplateVersion, error) {
	pages := ec2.NewDescribeLaunchTemplateVersionsPaginator(c.ec2(), &ec2.DescribeLaunchTemplateVersionsInput{
		LaunchTemplateId: aws.String(templateID),
		MinVersion:       aws.String(strconv.Itoa(oldest)), MaxVersion: aws.String(strconv.Itoa(newest)), MaxResults: aws.Int32(versionsPage),
	})
	var versions []snapshot.TemplateVersion
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap(err)
		}
		for _, in := range page.LaunchTemplateVersions {
			version, err := ConvertTemplateVersion(in)
			if err != nil {
				return nil, err
			}
			versions = append(versions, version)
		}
	}
	slices.SortFunc(versions, func(a, b snapshot.TemplateVersion) int { return a.Number - b.Number })
	return versions, nil
}

// ConvertTemplateVersion turns a launch template's version into facts.
func ConvertTemplateVersion(in ec2types.LaunchTemplateVersion) (snapshot.TemplateVersion, error) {
	launch := ConvertLaunch(in)
	version := snapshot.TemplateVersion{Number: launch.TemplateNumber, Launch: launch}
	var err error
	if version.Digest, err = digestOf(in.LaunchTemplateData); err != nil {
		return version, err
	}
	version.Rest, err = digestOf(withoutSettings(in.LaunchTemplateData))
	return version, err
}

func digestOf(data *ec2types.ResponseLaunchTemplateData) (string, error) {
	text, err := json.Marshal(data)
	if err != nil {
		return "", fmt.Errorf("digest a launch template: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// withoutSettings is a copy without image, type and what [ConvertLaunch] takes
// for the volume.
func withoutSettings(data *ec2types.ResponseLaunchTemplateData) *ec2types.ResponseLaunchTemplateData {
	if data == nil {
		return nil
	}
	out := *data
	out.ImageId, out.InstanceType = nil, ""
	out.BlockDeviceMappings = slices.Clone(data.BlockDeviceMappings)
	for i, device := range out.BlockDeviceMappings {
		if device.Ebs != nil && aws.ToInt32(device.Ebs.VolumeSize) > 0 {
			volume := *device.Ebs
			volume.VolumeSize, volume.VolumeType = nil, ""
			out.BlockDeviceMappings[i].Ebs = &volume
			break
		}
	}
	return &out
}
