package cloud

import (
	"context"
	"encoding/base64"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// maxConsole is what EC2 keeps of a serial console.
const maxConsole = 64 << 10

// maxFilterValues is how many values EC2 takes in one filter.
const maxFilterValues = 200

// DescribeInstances returns the instances with the ids, by id. One that EC2
// does not know (yet, or any more) is missing from the map.
func (c *Client) DescribeInstances(ctx context.Context, ids ...string) (map[string]snapshot.Instance, error) {
	found := map[string]snapshot.Instance{}
	for chunk := range slices.Chunk(ids, maxFilterValues) {
		some, err := c.instancesBy(ctx, filter("instance-id", chunk...))
		if err != nil {
			return nil, err
		}
		maps.Copy(found, some)
	}
	return found, nil
}

// instancesBy uses filters, which leave out what does not exist, where
// InstanceIds would fail for all.
func (c *Client) instancesBy(ctx context.Context, filters ...ec2types.Filter) (map[string]snapshot.Instance, error) {
	pages := ec2.NewDescribeInstancesPaginator(c.ec2(), &ec2.DescribeInstancesInput{MaxResults: aws.Int32(1000), Filters: filters})
	found := map[string]snapshot.Instance{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap(err)
		}
		for _, reservation := range page.Reservations {
			for _, in := range reservation.Instances {
				found[aws.ToString(in.InstanceId)] = ConvertInstance(in)
			}
		}
	}
	return found, nil
}

// instances reads every machine that carries the cluster's tag: one call per
// thousand. Machines of groups that the request leaves out are dropped.
func (r reader) instances(ctx context.Context, known *snapshot.Snapshot) (gather.Fill, error) {
	found, err := r.instancesBy(ctx, filter("tag-key", ClusterTag(r.req.Cluster)))
	if err != nil {
		return nil, err
	}
	groupOf, poolOf := map[string]string{}, map[string]string{}
	var untagged []string
	for _, group := range r.wanted(known) {
		if group.WarmPool != nil {
			poolOf[group.ASGName] = group.Name
		}
		for _, id := range group.InstanceIDs {
			groupOf[id] = group.Name
			if _, have := found[id]; !have {
				untagged = append(untagged, id)
			}
		}
	}
	// A member without the tag is a fault to be seen, not a machine to miss.
	others, err := r.DescribeInstances(ctx, untagged...)
	if err != nil {
		return nil, err
	}
	maps.Copy(found, others)
	var machines []snapshot.Node
	for _, id := range slices.Sorted(maps.Keys(found)) {
		instance := found[id]
		group, member := groupOf[id]
		warm := false
		if !member {
			group, warm = inPool(&instance, poolOf)
		}
		if !member && !warm && len(r.req.Groups) > 0 {
			continue
		}
		machines = append(machines, snapshot.Node{InstanceID: id, Group: group, Warm: warm, Cloud: &instance})
	}
	return func(snap *snapshot.Snapshot) { snap.AddNodes(machines...) }, nil
}

// asgTag is put by Auto Scaling on every machine of a group, in its warm pool
// as well.
const asgTag = "aws:autoscaling:groupName"

// inPool names the group in whose warm pool a machine is that is no member of
// it: DescribeAutoScalingGroups does not list those. poolOf has the names of
// groups with a pool by their Auto Scaling groups' names.
func inPool(instance *snapshot.Instance, poolOf map[string]string) (group string, warm bool) {
	switch instance.State {
	case "shutting-down", "terminated":
		return "", false // a member that was, or one of the pool that is no more
	}
	group, warm = poolOf[instance.Tags[asgTag]]
	return group, warm
}

// ConsoleOutput returns what the serial console of an instance holds, cleaned
// and cut to its last 64 KiB. Latest asks Nitro machines for the state of now.
func (c *Client) ConsoleOutput(ctx context.Context, id string) (*snapshot.Console, error) {
	out, err := c.ec2().GetConsoleOutput(ctx, &ec2.GetConsoleOutputInput{InstanceId: aws.String(id), Latest: aws.Bool(true)})
	if err := wrap(err); err != nil {
		if !IsKind(err, Invalid, Other) {
			return nil, err
		}
		// Xen machines know no Latest.
		var again error
		if out, again = c.ec2().GetConsoleOutput(ctx, &ec2.GetConsoleOutputInput{InstanceId: aws.String(id)}); again != nil {
			return nil, wrap(again)
		}
	}
	console := ConvertConsole(out)
	return &console, nil
}

// consoles reads the consoles asked for. One that cannot be read is a gap of
// its own.
func (r reader) consoles(ctx context.Context, _ *snapshot.Snapshot) (gather.Fill, error) {
	return eachMachine(ctx, snapshot.SectionConsole, r.req.ConsoleOf, func(ctx context.Context, id string) (snapshot.Node, error) {
		console, err := r.ConsoleOutput(ctx, id)
		if err != nil {
			return snapshot.Node{}, err
		}
		return snapshot.Node{Console: console, Logs: ConsoleLogs(console)}, nil
	})
}

// ConvertConsole decodes, cuts and cleans the console's text.
func ConvertConsole(in *ec2.GetConsoleOutputOutput) snapshot.Console {
	text, err := base64.StdEncoding.DecodeString(aws.ToString(in.Output))
	if err != nil {
		text = []byte(aws.ToString(in.Output))
	}
	if len(text) > maxConsole {
		text = text[len(text)-maxConsole:]
	}
	return snapshot.Console{Text: redact.Text(string(text)), At: aws.ToTime(in.Timestamp)}
}

// ConvertInstance turns EC2's instance into facts.
func ConvertInstance(in ec2types.Instance) snapshot.Instance {
	out := snapshot.Instance{
		Type:           string(in.InstanceType),
		ImageID:        aws.ToString(in.ImageId),
		SubnetID:       aws.ToString(in.SubnetId),
		VPCID:          aws.ToString(in.VpcId),
		PrivateIP:      aws.ToString(in.PrivateIpAddress),
		PublicIP:       aws.ToString(in.PublicIpAddress),
		PrivateDNSName: aws.ToString(in.PrivateDnsName),
		KeyName:        aws.ToString(in.KeyName),
		LaunchedAt:     aws.ToTime(in.LaunchTime),
		Tags:           ec2Tags(in.Tags),
		Interfaces:     len(in.NetworkInterfaces),
	}
	if in.State != nil {
		out.State = string(in.State.Name)
	}
	if in.StateReason != nil {
		out.StateReason = redact.Line(aws.ToString(in.StateReason.Code) + ": " + aws.ToString(in.StateReason.Message))
	}
	if in.Placement != nil {
		out.Zone = aws.ToString(in.Placement.AvailabilityZone)
	}
	if in.IamInstanceProfile != nil {
		out.InstanceProfile = aws.ToString(in.IamInstanceProfile.Arn)
	}
	for _, group := range in.SecurityGroups {
		out.SecurityGroupIDs = append(out.SecurityGroupIDs, aws.ToString(group.GroupId))
	}
	if in.MetadataOptions != nil {
		out.HTTPTokens = string(in.MetadataOptions.HttpTokens)
		out.HopLimit = int(aws.ToInt32(in.MetadataOptions.HttpPutResponseHopLimit))
		out.HTTPEndpoint = string(in.MetadataOptions.HttpEndpoint)
	}
	return out
}
