package cloud

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// instanceTypes reads the types asked for. A filter leaves out what does not
// exist, where InstanceTypes would fail for all.
func (r reader) instanceTypes(ctx context.Context, _ *snapshot.Snapshot) (gather.Fill, error) {
	if len(r.req.InstanceTypes) == 0 {
		return nil, nil
	}
	pages := ec2.NewDescribeInstanceTypesPaginator(r.ec2(), &ec2.DescribeInstanceTypesInput{
		Filters: []ec2types.Filter{filter("instance-type", r.req.InstanceTypes...)},
	})
	return fillPages(ctx, pages, func(p *ec2.DescribeInstanceTypesOutput) []ec2types.InstanceTypeInfo { return p.InstanceTypes }, ConvertInstanceType,
		func(snap *snapshot.Snapshot, types []snapshot.InstanceType) { snap.Catalog.InstanceTypes = types })
}

// offerings reads the zones that sell the types asked for.
func (r reader) offerings(ctx context.Context, _ *snapshot.Snapshot) (gather.Fill, error) {
	if len(r.req.InstanceTypes) == 0 {
		return nil, nil
	}
	pages := ec2.NewDescribeInstanceTypeOfferingsPaginator(r.ec2(), &ec2.DescribeInstanceTypeOfferingsInput{
		LocationType: ec2types.LocationTypeAvailabilityZone,
		Filters:      []ec2types.Filter{filter("instance-type", r.req.InstanceTypes...)},
	})
	zones := map[string][]string{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap(err)
		}
		for _, in := range page.InstanceTypeOfferings {
			zones[string(in.InstanceType)] = append(zones[string(in.InstanceType)], aws.ToString(in.Location))
		}
	}
	for _, list := range zones {
		slices.Sort(list)
	}
	return func(snap *snapshot.Snapshot) { snap.Catalog.Offerings = zones }, nil
}

func (r reader) keyPairs(ctx context.Context, _ *snapshot.Snapshot) (gather.Fill, error) {
	wanted := r.req.KeyNames
	if r.req.KeyName != "" {
		wanted = append(slices.Clone(wanted), r.req.KeyName)
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	out, err := r.ec2().DescribeKeyPairs(ctx, &ec2.DescribeKeyPairsInput{Filters: []ec2types.Filter{filter("key-name", wanted...)}})
	if err != nil {
		return nil, wrap(err)
	}
	var names []string
	for _, pair := range out.KeyPairs {
		names = append(names, aws.ToString(pair.KeyName))
	}
	return func(snap *snapshot.Snapshot) { snap.Catalog.KeyPairs = names }, nil
}

// ConvertInstanceType turns EC2's instance type into facts.
func ConvertInstanceType(in ec2types.InstanceTypeInfo) snapshot.InstanceType {
	out := snapshot.InstanceType{
		Name:       string(in.InstanceType),
		Hypervisor: string(in.Hypervisor),
		Neuron:     in.NeuronInfo != nil || in.InferenceAcceleratorInfo != nil,
	}
	if in.ProcessorInfo != nil {
		for _, arch := range in.ProcessorInfo.SupportedArchitectures {
			out.Architectures = append(out.Architectures, string(arch))
		}
	}
	if in.VCpuInfo != nil {
		out.VCPUs = int(aws.ToInt32(in.VCpuInfo.DefaultVCpus))
	}
	if in.MemoryInfo != nil {
		out.MemoryMiB = int(aws.ToInt64(in.MemoryInfo.SizeInMiB))
	}
	if in.GpuInfo != nil && len(in.GpuInfo.Gpus) > 0 {
		out.GPU = aws.ToString(in.GpuInfo.Gpus[0].Manufacturer)
	}
	if in.NetworkInfo != nil {
		out.MaxENIs = int(aws.ToInt32(in.NetworkInfo.MaximumNetworkInterfaces))
		out.IPsPerENI = int(aws.ToInt32(in.NetworkInfo.Ipv4AddressesPerInterface))
	}
	return out
}

// ConvertImage turns EC2's image into facts.
func ConvertImage(in ec2types.Image) snapshot.Image {
	image := snapshot.Image{
		ID:           aws.ToString(in.ImageId),
		Name:         aws.ToString(in.Name),
		OwnerID:      aws.ToString(in.OwnerId),
		Architecture: string(in.Architecture),
		State:        string(in.State),
		RootDevice:   aws.ToString(in.RootDeviceName),
		CreatedAt:    parseTime(aws.ToString(in.CreationDate)),
		DeprecatedAt: parseTime(aws.ToString(in.DeprecationTime)),
	}
	for _, device := range in.BlockDeviceMappings {
		if aws.ToString(device.DeviceName) == image.RootDevice && device.Ebs != nil {
			image.SnapshotSizeGiB = int(aws.ToInt32(device.Ebs.VolumeSize))
		}
	}
	return image
}

// parseTime reads EC2's times in text: 2026-01-02T03:04:05.000Z. Anything
// else is the zero time: not known.
func parseTime(s string) time.Time {
	at, err := time.Parse(time.RFC3339, strings.TrimSpace(s))
	if err != nil {
		return time.Time{}
	}
	return at
}
