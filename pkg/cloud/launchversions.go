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
	text, err := json.Marshal(in.LaunchTemplateData)
	if err != nil {
		return snapshot.TemplateVersion{}, fmt.Errorf("digest a launch template: %w", err)
	}
	sum := sha256.Sum256(text)
	launch := ConvertLaunch(in)
	return snapshot.TemplateVersion{Number: launch.TemplateNumber, Launch: launch, Digest: hex.EncodeToString(sum[:])}, nil
}
