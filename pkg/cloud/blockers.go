package cloud

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// cniInstanceTag is what the VPC CNI puts on the interfaces that it makes: the
// instance that they are for
// (https://docs.aws.amazon.com/eks/latest/userguide/cni-iam-role.html).
const cniInstanceTag = "node.k8s.amazonaws.com/instance_id"

// InterfacesIn lists the network interfaces that a security group is on, with
// whether each was left behind by the VPC CNI: detached, tagged by it, and its
// instance gone.
func (c *Client) InterfacesIn(ctx context.Context, groupID string) ([]snapshot.Interface, error) {
	pages := ec2.NewDescribeNetworkInterfacesPaginator(c.ec2(), &ec2.DescribeNetworkInterfacesInput{
		MaxResults: aws.Int32(1000), Filters: []ec2types.Filter{filter("group-id", groupID)},
	})
	var found []snapshot.Interface
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap(err)
		}
		for _, in := range page.NetworkInterfaces {
			found = append(found, ConvertInterface(in))
		}
	}
	var owners []string
	for _, one := range found {
		if one.InstanceID != "" {
			owners = append(owners, one.InstanceID)
		}
	}
	if len(owners) == 0 {
		return found, nil
	}
	machines, err := c.DescribeInstances(ctx, owners...)
	if err != nil {
		return nil, err
	}
	for i := range found {
		machine, there := machines[found[i].InstanceID]
		gone := !there || machine.State == "terminated"
		found[i].Leaked = found[i].FromCNI && found[i].Status == string(ec2types.NetworkInterfaceStatusAvailable) && gone
	}
	return found, nil
}

// ConvertInterface turns EC2's network interface into facts.
func ConvertInterface(in ec2types.NetworkInterface) snapshot.Interface {
	out := snapshot.Interface{
		ID: aws.ToString(in.NetworkInterfaceId), Status: string(in.Status), Description: redact.Line(aws.ToString(in.Description)),
	}
	if in.Attachment != nil {
		out.InstanceID = aws.ToString(in.Attachment.InstanceId)
	}
	for _, tag := range in.TagSet {
		if aws.ToString(tag.Key) == cniInstanceTag {
			out.FromCNI, out.InstanceID = true, aws.ToString(tag.Value)
		}
	}
	return out
}

// DeleteInterface deletes a network interface; one that is gone is no error.
func (c *Client) DeleteInterface(ctx context.Context, id string) error {
	_, err := c.ec2().DeleteNetworkInterface(ctx, &ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: aws.String(id)})
	if err := wrap(err); !IsKind(err, Absent) {
		return err
	}
	return nil
}

// RulesNaming lists the rules of other security groups that name a group.
func (c *Client) RulesNaming(ctx context.Context, groupID string) ([]snapshot.ForeignRule, error) {
	var found []snapshot.ForeignRule
	for _, name := range []string{"ip-permission.group-id", "egress.ip-permission.group-id"} {
		pages := ec2.NewDescribeSecurityGroupsPaginator(c.ec2(), &ec2.DescribeSecurityGroupsInput{
			MaxResults: aws.Int32(1000), Filters: []ec2types.Filter{filter(name, groupID)},
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, wrap(err)
			}
			for _, in := range page.SecurityGroups {
				found = append(found, foreignRules(in, groupID, name != "ip-permission.group-id")...)
			}
		}
	}
	return found, nil
}

func foreignRules(in ec2types.SecurityGroup, groupID string, egress bool) []snapshot.ForeignRule {
	group := ConvertSecurityGroup(in)
	if group.ID == groupID {
		return nil
	}
	rules := group.Ingress
	if egress {
		rules = group.Egress
	}
	var found []snapshot.ForeignRule
	for _, rule := range rules {
		if rule.Peer == groupID {
			found = append(found, snapshot.ForeignRule{GroupID: group.ID, GroupName: group.Name, Egress: egress, Rule: rule})
		}
	}
	return found
}

// RevokeRule takes a rule out of its security group; one that is gone is no
// error.
func (c *Client) RevokeRule(ctx context.Context, in snapshot.ForeignRule) error {
	permission := ec2types.IpPermission{
		IpProtocol: aws.String(in.Rule.Protocol), UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: aws.String(in.Rule.Peer)}},
	}
	if !slices.Contains([]string{"-1", ""}, in.Rule.Protocol) {
		permission.FromPort, permission.ToPort = aws.Int32(int32(in.Rule.FromPort)), aws.Int32(int32(in.Rule.ToPort))
	}
	var err error
	if in.Egress {
		_, err = c.ec2().RevokeSecurityGroupEgress(ctx, &ec2.RevokeSecurityGroupEgressInput{GroupId: aws.String(in.GroupID), IpPermissions: []ec2types.IpPermission{permission}})
	} else {
		_, err = c.ec2().RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: aws.String(in.GroupID), IpPermissions: []ec2types.IpPermission{permission}})
	}
	if err := wrap(err); !IsKind(err, Absent) {
		return err
	}
	return nil
}
