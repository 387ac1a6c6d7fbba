package cloud

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// vpc reads the cluster's VPC and its two DNS attributes, which EC2 gives one
// a call.
func (r reader) vpc(ctx context.Context, known *snapshot.Snapshot) (gather.Fill, error) {
	id := known.Cluster.VPCID
	out, err := r.ec2().DescribeVpcs(ctx, &ec2.DescribeVpcsInput{Filters: []ec2types.Filter{filter("vpc-id", id)}})
	if err != nil {
		return nil, wrap(err)
	}
	if len(out.Vpcs) == 0 {
		return nil, nil
	}
	vpc := ConvertVPC(out.Vpcs[0])
	for _, name := range []ec2types.VpcAttributeName{ec2types.VpcAttributeNameEnableDnsSupport, ec2types.VpcAttributeNameEnableDnsHostnames} {
		attribute, err := r.ec2().DescribeVpcAttribute(ctx, &ec2.DescribeVpcAttributeInput{VpcId: aws.String(id), Attribute: name})
		if err != nil {
			return nil, wrap(err)
		}
		ConvertVPCAttribute(attribute, &vpc)
	}
	return func(snap *snapshot.Snapshot) { snap.Network.VPC = &vpc }, nil
}

// dhcpOptions reads the set of options that the VPC names. "default" stands
// for no set at all.
func (r reader) dhcpOptions(ctx context.Context, known *snapshot.Snapshot) (gather.Fill, error) {
	if known.Network.VPC == nil || known.Network.VPC.DHCPOptionsID == "" || known.Network.VPC.DHCPOptionsID == "default" {
		return nil, nil
	}
	out, err := r.ec2().DescribeDhcpOptions(ctx, &ec2.DescribeDhcpOptionsInput{
		Filters: []ec2types.Filter{filter("dhcp-options-id", known.Network.VPC.DHCPOptionsID)},
	})
	if err != nil {
		return nil, wrap(err)
	}
	var options []snapshot.DHCPOptions
	for _, set := range out.DhcpOptions {
		options = append(options, ConvertDHCPOptions(set))
	}
	return func(snap *snapshot.Snapshot) { snap.Network.DHCPOptions = options }, nil
}

// networkACLs reads the ACLs of the cluster's VPC.
func (r reader) networkACLs(ctx context.Context, known *snapshot.Snapshot) (gather.Fill, error) {
	pages := ec2.NewDescribeNetworkAclsPaginator(r.ec2(), &ec2.DescribeNetworkAclsInput{Filters: []ec2types.Filter{filter("vpc-id", known.Cluster.VPCID)}})
	return fillPages(ctx, pages, func(p *ec2.DescribeNetworkAclsOutput) []ec2types.NetworkAcl { return p.NetworkAcls }, ConvertNetworkACL,
		func(snap *snapshot.Snapshot, acls []snapshot.NetworkACL) { snap.Network.ACLs = acls })
}

// ConvertVPC turns EC2's VPC into facts, without its attributes.
func ConvertVPC(in ec2types.Vpc) snapshot.VPC {
	vpc := snapshot.VPC{ID: aws.ToString(in.VpcId), DHCPOptionsID: aws.ToString(in.DhcpOptionsId)}
	if cidr := aws.ToString(in.CidrBlock); cidr != "" {
		vpc.CIDRs = append(vpc.CIDRs, cidr)
	}
	for _, block := range in.CidrBlockAssociationSet {
		cidr := aws.ToString(block.CidrBlock)
		gone := block.CidrBlockState != nil && block.CidrBlockState.State != ec2types.VpcCidrBlockStateCodeAssociated
		if cidr != "" && !gone && !slices.Contains(vpc.CIDRs, cidr) {
			vpc.CIDRs = append(vpc.CIDRs, cidr)
		}
	}
	return vpc
}

// ConvertVPCAttribute adds an attribute to the VPC's facts: an answer holds
// the one that was asked for.
func ConvertVPCAttribute(in *ec2.DescribeVpcAttributeOutput, vpc *snapshot.VPC) {
	if in.EnableDnsSupport != nil {
		vpc.DNSSupport = aws.ToBool(in.EnableDnsSupport.Value)
	}
	if in.EnableDnsHostnames != nil {
		vpc.DNSHostnames = aws.ToBool(in.EnableDnsHostnames.Value)
	}
}

// ConvertDHCPOptions turns EC2's DHCP options into facts.
func ConvertDHCPOptions(in ec2types.DhcpOptions) snapshot.DHCPOptions {
	options := snapshot.DHCPOptions{ID: aws.ToString(in.DhcpOptionsId)}
	for _, option := range in.DhcpConfigurations {
		for _, value := range option.Values {
			switch aws.ToString(option.Key) {
			case "domain-name":
				options.DomainName = aws.ToString(value.Value)
			case "domain-name-servers":
				options.NameServers = append(options.NameServers, aws.ToString(value.Value))
			}
		}
	}
	return options
}

// ConvertNetworkACL turns EC2's network ACL into facts.
func ConvertNetworkACL(in ec2types.NetworkAcl) snapshot.NetworkACL {
	acl := snapshot.NetworkACL{ID: aws.ToString(in.NetworkAclId), VPCID: aws.ToString(in.VpcId), Default: aws.ToBool(in.IsDefault)}
	for _, association := range in.Associations {
		acl.SubnetIDs = append(acl.SubnetIDs, aws.ToString(association.SubnetId))
	}
	for _, entry := range in.Entries {
		out := snapshot.ACLEntry{
			Number: int(aws.ToInt32(entry.RuleNumber)), Protocol: aws.ToString(entry.Protocol), Egress: aws.ToBool(entry.Egress),
			Allow: entry.RuleAction == ec2types.RuleActionAllow, CIDR: aws.ToString(entry.CidrBlock),
		}
		if out.CIDR == "" {
			out.CIDR = aws.ToString(entry.Ipv6CidrBlock)
		}
		if entry.PortRange != nil {
			out.FromPort, out.ToPort = int(aws.ToInt32(entry.PortRange.From)), int(aws.ToInt32(entry.PortRange.To))
		}
		acl.Entries = append(acl.Entries, out)
	}
	slices.SortStableFunc(acl.Entries, func(a, b snapshot.ACLEntry) int { return a.Number - b.Number })
	return acl
}
