package cloud

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// ImageQuery says which AMI to look up.
type ImageQuery struct {
	ID      string      // an AMI id ends the search
	Family  ImageFamily // empty: FamilyAL2023
	Version string      // Kubernetes minor; empty: the cluster's
	FIPS    bool        // Bottlerocket only
}

// ImageFamily is a line of node images.
type ImageFamily string

// The families.
const (
	FamilyAL2023       ImageFamily = "al2023"
	FamilyBottlerocket ImageFamily = "bottlerocket"
	FamilyCustom       ImageFamily = "custom" // ImageQuery.ID says which
)

// imageVariant is what a type's hardware asks of an image.
type imageVariant struct {
	family ImageFamily
	arch   string // x86_64 or arm64
	accel  string // "", nvidia, neuron
	fips   bool
}

// imageParameters are the public parameters that AWS publishes the ids of
// node images under, %s being the Kubernetes minor. A table and not a format:
// not every combination exists. Sources: "Retrieve recommended Amazon Linux
// AMI IDs" and "Retrieve recommended Bottlerocket AMI IDs",
// https://docs.aws.amazon.com/eks/latest/userguide/retrieve-ami-id.html and
// https://docs.aws.amazon.com/eks/latest/userguide/retrieve-ami-id-bottlerocket.html
func imageParameters() map[imageVariant]string {
	const (
		al     = "/aws/service/eks/optimized-ami/%s/amazon-linux-2023/"
		br     = "/aws/service/bottlerocket/aws-k8s-%s"
		newest = "/recommended/image_id"
		latest = "/latest/image_id"
	)
	return map[imageVariant]string{
		{FamilyAL2023, "x86_64", "", false}:             al + "x86_64/standard" + newest,
		{FamilyAL2023, "arm64", "", false}:              al + "arm64/standard" + newest,
		{FamilyAL2023, "x86_64", "nvidia", false}:       al + "x86_64/nvidia" + newest,
		{FamilyAL2023, "arm64", "nvidia", false}:        al + "arm64/nvidia" + newest,
		{FamilyAL2023, "x86_64", "neuron", false}:       al + "x86_64/neuron" + newest,
		{FamilyBottlerocket, "x86_64", "", false}:       br + "/x86_64" + latest,
		{FamilyBottlerocket, "arm64", "", false}:        br + "/arm64" + latest,
		{FamilyBottlerocket, "x86_64", "nvidia", false}: br + "-nvidia/x86_64" + latest,
		{FamilyBottlerocket, "arm64", "nvidia", false}:  br + "-nvidia/arm64" + latest,
		{FamilyBottlerocket, "x86_64", "", true}:        br + "-fips/x86_64" + latest,
		{FamilyBottlerocket, "arm64", "", true}:         br + "-fips/arm64" + latest,
	}
}

// ImageParameter names the public SSM parameter for an instance type. The
// architecture and the accelerators are the type's, as DescribeInstanceTypes
// tells them.
func ImageParameter(query ImageQuery, version string, on snapshot.InstanceType) (string, error) {
	variant := imageVariant{family: query.Family, fips: query.FIPS}
	if variant.family == "" {
		variant.family = FamilyAL2023
	}
	for _, arch := range on.Architectures { // i386 and x86_64_mac may stand beside
		if arch == "x86_64" || arch == "arm64" {
			variant.arch = arch
			break
		}
	}
	switch {
	case on.Neuron:
		variant.accel = "neuron"
	case strings.EqualFold(on.GPU, "nvidia"):
		variant.accel = "nvidia"
	}
	if path, ok := imageParameters()[variant]; ok {
		return fmt.Sprintf(path, version), nil
	}
	kind := strings.TrimSpace(variant.arch + " " + variant.accel)
	if variant.fips {
		kind += " fips"
	}
	return "", fmt.Errorf("no %s image is published for %s (%s): give --ami", variant.family, on.Name, kind)
}

// beforeImages are the sections that an image is looked up by.
func (r reader) beforeImages() []snapshot.Section {
	if len(r.req.ImageIDs) > 0 {
		return nil
	}
	return after(snapshot.SectionCluster, snapshot.SectionInstanceTypes)
}

// images looks the image up, unless its id is given, and reads it: at most
// two calls. An image that does not exist is left out.
func (r reader) images(ctx context.Context, known *snapshot.Snapshot) (gather.Fill, error) {
	if len(r.req.ImageIDs) > 0 {
		images, err := r.describeImages(ctx, r.req.ImageIDs...)
		return func(snap *snapshot.Snapshot) { snap.Catalog.Images = images }, err
	}
	query := r.req.Image
	id, parameter := query.ID, ""
	if id == "" {
		if query.Family == FamilyCustom || len(r.req.InstanceTypes) == 0 {
			return nil, nil
		}
		on := known.Catalog.InstanceType(r.req.InstanceTypes[0])
		if on == nil {
			return nil, fmt.Errorf("instance type %q does not exist in %s", r.req.InstanceTypes[0], r.region)
		}
		version := query.Version
		if version == "" {
			version = known.Cluster.Version
		}
		var err error
		if parameter, err = ImageParameter(query, version, *on); err != nil {
			return nil, err
		}
		if id, err = r.parameter(ctx, parameter); err != nil {
			return nil, err
		}
	}
	image, err := r.DescribeImage(ctx, id)
	if err != nil || image == nil {
		return nil, err
	}
	image.SSMParameter = parameter
	return func(snap *snapshot.Snapshot) { snap.Catalog.Images = []snapshot.Image{*image} }, nil
}

// parameter reads a public SSM parameter.
func (c *Client) parameter(ctx context.Context, name string) (string, error) {
	out, err := c.ssm().GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String(name)})
	if err := wrap(err); err != nil {
		if IsKind(err, Absent) {
			return "", fmt.Errorf("AWS publishes no image under %s: %w", name, err)
		}
		return "", err
	}
	if out.Parameter == nil {
		return "", emptyAnswer("ssm:GetParameter")
	}
	return aws.ToString(out.Parameter.Value), nil
}

// DescribeImage returns an image, or nil when there is none that the caller
// may see.
func (c *Client) DescribeImage(ctx context.Context, id string) (*snapshot.Image, error) {
	images, err := c.describeImages(ctx, id)
	if err != nil || len(images) == 0 {
		return nil, err
	}
	return &images[0], nil
}

// describeImages leaves out what does not exist: a filter does, where
// ImageIds would fail for all.
func (c *Client) describeImages(ctx context.Context, ids ...string) ([]snapshot.Image, error) {
	pages := ec2.NewDescribeImagesPaginator(c.ec2(), &ec2.DescribeImagesInput{
		Filters: []ec2types.Filter{filter("image-id", ids...)}, IncludeDeprecated: aws.Bool(true),
	})
	return readPages(ctx, pages, func(p *ec2.DescribeImagesOutput) []ec2types.Image { return p.Images }, ConvertImage)
}
