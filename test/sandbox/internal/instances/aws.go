package instances

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/node/imds"
)

// EC2 is what the watcher asks and tells EC2.
type EC2 interface {
	instanceReader
	detailReader
	groupReader
	powerSwitch
}

type instanceReader interface {
	DescribeInstances(context.Context, *ec2.DescribeInstancesInput, ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error)
	DescribeInstanceAttribute(context.Context, *ec2.DescribeInstanceAttributeInput, ...func(*ec2.Options)) (*ec2.DescribeInstanceAttributeOutput, error)
}

// detailReader reads what does not change while an instance lives.
type detailReader interface {
	DescribeSubnets(context.Context, *ec2.DescribeSubnetsInput, ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error)
	DescribeKeyPairs(context.Context, *ec2.DescribeKeyPairsInput, ...func(*ec2.Options)) (*ec2.DescribeKeyPairsOutput, error)
	DescribeImages(context.Context, *ec2.DescribeImagesInput, ...func(*ec2.Options)) (*ec2.DescribeImagesOutput, error)
}

type groupReader interface {
	DescribeSecurityGroups(context.Context, *ec2.DescribeSecurityGroupsInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error)
}

type powerSwitch interface {
	StopInstances(context.Context, *ec2.StopInstancesInput, ...func(*ec2.Options)) (*ec2.StopInstancesOutput, error)
	TerminateInstances(context.Context, *ec2.TerminateInstancesInput, ...func(*ec2.Options)) (*ec2.TerminateInstancesOutput, error)
}

// IAM resolves instance profiles.
type IAM interface {
	GetInstanceProfile(context.Context, *iam.GetInstanceProfileInput, ...func(*iam.Options)) (*iam.GetInstanceProfileOutput, error)
}

// AutoScaling knows which instances are in groups and warm pools.
type AutoScaling interface {
	DescribeAutoScalingGroups(context.Context, *autoscaling.DescribeAutoScalingGroupsInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error)
	DescribeWarmPool(context.Context, *autoscaling.DescribeWarmPoolInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeWarmPoolOutput, error)
}

// Place is the account and region that everything is in.
type Place struct {
	Account, Partition, Region string
	DNSSuffix                  string // the partition's, for example amazonaws.com
	VPCCIDR                    string
}

// reader turns AWS's answers into instances. It is used by one goroutine.
type reader struct {
	ec2   EC2
	iam   IAM
	asg   AutoScaling
	place Place

	details map[string]details // by instance id
}

// details are the parts of an instance that are read once.
type details struct {
	userData             []byte
	publicKey            string
	subnetCIDR, zoneID   string
	family               Family
	shutdown             types.ShutdownBehavior
	profileARN, roleARN  string
	profileID, roleTitle string
}

// list reads all instances. Those that are gone for good carry their state only.
func (r *reader) list(ctx context.Context) ([]Instance, error) {
	targets, err := r.targets(ctx)
	if err != nil {
		return nil, err
	}
	var all []Instance
	pages := ec2.NewDescribeInstancesPaginator(r.ec2, &ec2.DescribeInstancesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("describe instances: %w", err)
		}
		for _, reservation := range page.Reservations {
			for _, i := range reservation.Instances {
				instance := r.instance(ctx, reservation, i)
				instance.TargetState = targets[instance.ID]
				all = append(all, instance)
			}
		}
	}
	r.forget(all)
	return all, nil
}

// instance reads one instance. What could not be read stands in Unread, so that
// one instance's trouble is not that of all.
func (r *reader) instance(ctx context.Context, reservation types.Reservation, i types.Instance) Instance {
	instance := describe(r.place, reservation, i)
	if wanted(instance.State) == powerGone {
		return instance
	}
	d, ok := r.details[instance.ID]
	if !ok || d.profileARN != profileARN(i) {
		var err error
		if d, err = r.detail(ctx, i); err != nil {
			instance.Unread = fmt.Errorf("read instance %s: %w", instance.ID, err)
			return instance
		}
		r.details[instance.ID] = d
	}
	if d.profileARN != "" && d.roleARN == "" { // a role may be put into the profile at any time
		if err := r.readProfile(ctx, i, &d); err != nil {
			instance.Unread = fmt.Errorf("read instance %s: %w", instance.ID, err)
			return instance
		}
		r.details[instance.ID] = d
	}
	instance.UserData, instance.PublicKey = d.userData, d.publicKey
	instance.Family, instance.Shutdown = d.family, d.shutdown
	instance.SubnetCIDR, instance.ZoneID = d.subnetCIDR, d.zoneID
	if d.roleARN != "" {
		instance.Profile = &imds.Profile{ARN: d.profileARN, ID: d.profileID, RoleARN: d.roleARN, RoleName: d.roleTitle}
	}
	return instance
}

// forget drops the details of instances that are gone.
func (r *reader) forget(all []Instance) {
	live := map[string]bool{}
	for _, i := range all {
		live[i.ID] = wanted(i.State) != powerGone
	}
	for id := range r.details {
		if !live[id] {
			delete(r.details, id)
		}
	}
}

func profileARN(i types.Instance) string {
	if i.IamInstanceProfile == nil {
		return ""
	}
	return aws.ToString(i.IamInstanceProfile.Arn)
}

// describe takes what DescribeInstances itself says.
func describe(place Place, reservation types.Reservation, i types.Instance) Instance {
	m := imds.Instance{
		ID: aws.ToString(i.InstanceId), ImageID: aws.ToString(i.ImageId), Type: string(i.InstanceType),
		Architecture: string(i.Architecture),
		Account:      place.Account, Partition: place.Partition, Region: place.Region, DNSSuffix: place.DNSSuffix,
		ReservationID: aws.ToString(reservation.ReservationId), LaunchTime: aws.ToTime(i.LaunchTime),
		LaunchIndex: int(aws.ToInt32(i.AmiLaunchIndex)), Lifecycle: "on-demand",
		PrivateIP: aws.ToString(i.PrivateIpAddress), PrivateDNS: aws.ToString(i.PrivateDnsName),
		PublicIP: aws.ToString(i.PublicIpAddress), PublicDNS: aws.ToString(i.PublicDnsName),
		SubnetID: aws.ToString(i.SubnetId), VPCID: aws.ToString(i.VpcId), VPCCIDR: place.VPCCIDR,
		KeyName: aws.ToString(i.KeyName), Options: options(i.MetadataOptions), Tags: map[string]string{},
	}
	if i.InstanceLifecycle == types.InstanceLifecycleTypeSpot {
		m.Lifecycle = "spot"
	}
	if i.Placement != nil {
		m.Zone = aws.ToString(i.Placement.AvailabilityZone)
	}
	if len(i.NetworkInterfaces) > 0 {
		m.InterfaceID = aws.ToString(i.NetworkInterfaces[0].NetworkInterfaceId)
		m.MAC = aws.ToString(i.NetworkInterfaces[0].MacAddress)
	}
	for _, g := range i.SecurityGroups {
		m.Groups = append(m.Groups, imds.Group{ID: aws.ToString(g.GroupId), Name: aws.ToString(g.GroupName)})
	}
	for _, t := range i.Tags {
		m.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	instance := Instance{Instance: m}
	if i.State != nil {
		instance.State = i.State.Name
	}
	return instance
}

func options(o *types.InstanceMetadataOptionsResponse) imds.Options {
	if o == nil {
		return imds.Options{HopLimit: 1}
	}
	return imds.Options{
		Disabled:       o.HttpEndpoint == types.InstanceMetadataEndpointStateDisabled,
		TokensRequired: o.HttpTokens == types.HttpTokensStateRequired,
		HopLimit:       int(aws.ToInt32(o.HttpPutResponseHopLimit)),
		Tags:           o.InstanceMetadataTags == types.InstanceMetadataTagsStateEnabled,
	}
}

// detail reads what DescribeInstances does not say.
func (r *reader) detail(ctx context.Context, i types.Instance) (details, error) {
	var d details
	for _, read := range []func(context.Context, types.Instance, *details) error{
		r.readUserData, r.readShutdown, r.readKey, r.readSubnet, r.readImage, r.readProfile,
	} {
		if err := read(ctx, i, &d); err != nil {
			return details{}, err
		}
	}
	return d, nil
}

func (r *reader) readUserData(ctx context.Context, i types.Instance, d *details) error {
	out, err := r.ec2.DescribeInstanceAttribute(ctx, &ec2.DescribeInstanceAttributeInput{
		InstanceId: i.InstanceId, Attribute: types.InstanceAttributeNameUserData,
	})
	if err != nil {
		return fmt.Errorf("describe user data: %w", err)
	}
	if out.UserData == nil || aws.ToString(out.UserData.Value) == "" {
		return nil
	}
	text, err := base64.StdEncoding.DecodeString(aws.ToString(out.UserData.Value))
	if err != nil {
		return fmt.Errorf("decode user data: %w", err)
	}
	d.userData = text
	return nil
}

func (r *reader) readShutdown(ctx context.Context, i types.Instance, d *details) error {
	out, err := r.ec2.DescribeInstanceAttribute(ctx, &ec2.DescribeInstanceAttributeInput{
		InstanceId: i.InstanceId, Attribute: types.InstanceAttributeNameInstanceInitiatedShutdownBehavior,
	})
	if err != nil {
		return fmt.Errorf("describe shutdown behaviour: %w", err)
	}
	if out.InstanceInitiatedShutdownBehavior != nil {
		d.shutdown = types.ShutdownBehavior(aws.ToString(out.InstanceInitiatedShutdownBehavior.Value))
	}
	return nil
}

func (r *reader) readKey(ctx context.Context, i types.Instance, d *details) error {
	if aws.ToString(i.KeyName) == "" {
		return nil
	}
	out, err := r.ec2.DescribeKeyPairs(ctx, &ec2.DescribeKeyPairsInput{
		KeyNames: []string{*i.KeyName}, IncludePublicKey: aws.Bool(true),
	})
	if err != nil {
		return fmt.Errorf("describe key pair: %w", err)
	}
	if len(out.KeyPairs) > 0 {
		d.publicKey = strings.TrimSpace(aws.ToString(out.KeyPairs[0].PublicKey))
	}
	return nil
}

func (r *reader) readSubnet(ctx context.Context, i types.Instance, d *details) error {
	out, err := r.ec2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{aws.ToString(i.SubnetId)}})
	if err != nil {
		return fmt.Errorf("describe subnet: %w", err)
	}
	if len(out.Subnets) > 0 {
		d.subnetCIDR, d.zoneID = aws.ToString(out.Subnets[0].CidrBlock), aws.ToString(out.Subnets[0].AvailabilityZoneId)
	}
	return nil
}

func (r *reader) readImage(ctx context.Context, i types.Instance, d *details) error {
	out, err := r.ec2.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{aws.ToString(i.ImageId)}})
	if err != nil {
		return fmt.Errorf("describe image: %w", err)
	}
	d.family = Plain
	if len(out.Images) > 0 {
		d.family = familyOf(aws.ToString(out.Images[0].Name), aws.ToString(out.Images[0].Description))
	}
	return nil
}

// readProfile finds the role of the instance profile. A profile without a role
// gives no credentials, as on EC2.
func (r *reader) readProfile(ctx context.Context, i types.Instance, d *details) error {
	arn := profileARN(i)
	if arn == "" {
		return nil
	}
	name := arn[strings.LastIndex(arn, "/")+1:]
	out, err := r.iam.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: aws.String(name)})
	if err != nil {
		return fmt.Errorf("get instance profile: %w", err)
	}
	d.profileARN, d.profileID = arn, aws.ToString(out.InstanceProfile.InstanceProfileId)
	if len(out.InstanceProfile.Roles) > 0 {
		d.roleARN = aws.ToString(out.InstanceProfile.Roles[0].Arn)
		d.roleTitle = aws.ToString(out.InstanceProfile.Roles[0].RoleName)
	}
	return nil
}
