package cloud

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// subnets reads all subnets of the cluster's VPC, so that one call serves the
// default choice, choice by id and choice by tag.
func (r reader) subnets(ctx context.Context, known *snapshot.Snapshot) (gather.Fill, error) {
	pages := ec2.NewDescribeSubnetsPaginator(r.ec2(), &ec2.DescribeSubnetsInput{Filters: []ec2types.Filter{filter("vpc-id", known.Cluster.VPCID)}})
	return fillPages(ctx, pages, func(p *ec2.DescribeSubnetsOutput) []ec2types.Subnet { return p.Subnets }, ConvertSubnet,
		func(snap *snapshot.Snapshot, subnets []snapshot.Subnet) { snap.Network.Subnets = subnets })
}

func (r reader) routeTables(ctx context.Context, known *snapshot.Snapshot) (gather.Fill, error) {
	pages := ec2.NewDescribeRouteTablesPaginator(r.ec2(), &ec2.DescribeRouteTablesInput{Filters: []ec2types.Filter{filter("vpc-id", known.Cluster.VPCID)}})
	return fillPages(ctx, pages, func(p *ec2.DescribeRouteTablesOutput) []ec2types.RouteTable { return p.RouteTables }, ConvertRouteTable,
		func(snap *snapshot.Snapshot, tables []snapshot.RouteTable) { snap.Network.RouteTables = tables })
}

// securityGroups reads the cluster's own groups and those asked for. A filter
// leaves out what does not exist, where GroupIds would fail for all.
func (r reader) securityGroups(ctx context.Context, known *snapshot.Snapshot) (gather.Fill, error) {
	ids := append([]string{}, known.Cluster.SecurityGroupIDs...)
	ids = append(ids, r.req.SecurityGroupIDs...)
	if id := known.Cluster.ClusterSGID; id != "" {
		ids = append(ids, id)
	}
	if len(ids) == 0 && !r.req.AllSecurityGroups {
		return nil, nil
	}
	which := filter("group-id", ids...)
	if r.req.AllSecurityGroups {
		which = filter("vpc-id", known.Cluster.VPCID)
	}
	pages := ec2.NewDescribeSecurityGroupsPaginator(r.ec2(), &ec2.DescribeSecurityGroupsInput{Filters: []ec2types.Filter{which}})
	return fillPages(ctx, pages, func(p *ec2.DescribeSecurityGroupsOutput) []ec2types.SecurityGroup { return p.SecurityGroups }, ConvertSecurityGroup,
		func(snap *snapshot.Snapshot, groups []snapshot.SecurityGroup) { snap.Network.SecurityGroups = groups })
}

// ConvertSubnet turns EC2's subnet into facts.
func ConvertSubnet(in ec2types.Subnet) snapshot.Subnet {
	subnet := snapshot.Subnet{
		ID:            aws.ToString(in.SubnetId),
		VPCID:         aws.ToString(in.VpcId),
		Zone:          aws.ToString(in.AvailabilityZone),
		CIDR:          aws.ToString(in.CidrBlock),
		FreeAddresses: int(aws.ToInt32(in.AvailableIpAddressCount)),
		MapPublicIP:   aws.ToBool(in.MapPublicIpOnLaunch),
		AssignIPv6:    aws.ToBool(in.AssignIpv6AddressOnCreation),
		Tags:          ec2Tags(in.Tags),
	}
	for _, block := range in.Ipv6CidrBlockAssociationSet {
		if block.Ipv6CidrBlockState == nil || block.Ipv6CidrBlockState.State == ec2types.SubnetCidrBlockStateCodeAssociated {
			subnet.IPv6CIDR = aws.ToString(block.Ipv6CidrBlock)
		}
	}
	return subnet
}

// ConvertRouteTable turns EC2's route table into facts.
func ConvertRouteTable(in ec2types.RouteTable) snapshot.RouteTable {
	table := snapshot.RouteTable{ID: aws.ToString(in.RouteTableId), VPCID: aws.ToString(in.VpcId)}
	for _, association := range in.Associations {
		if aws.ToBool(association.Main) {
			table.Main = true
		}
		if id := aws.ToString(association.SubnetId); id != "" {
			table.SubnetIDs = append(table.SubnetIDs, id)
		}
	}
	for _, route := range in.Routes {
		table.Routes = append(table.Routes, convertRoute(route))
	}
	return table
}

func convertRoute(in ec2types.Route) snapshot.Route {
	first := func(values ...*string) string {
		for _, value := range values {
			if s := aws.ToString(value); s != "" {
				return s
			}
		}
		return ""
	}
	return snapshot.Route{
		Destination: first(in.DestinationCidrBlock, in.DestinationIpv6CidrBlock, in.DestinationPrefixListId),
		Target: first(in.NatGatewayId, in.TransitGatewayId, in.VpcPeeringConnectionId, in.EgressOnlyInternetGatewayId,
			in.LocalGatewayId, in.CarrierGatewayId, in.CoreNetworkArn, in.GatewayId, in.NetworkInterfaceId, in.InstanceId),
		State: cmp.Or(string(in.State), "active"),
	}
}

// ConvertSecurityGroup turns EC2's security group into facts, one rule a peer.
func ConvertSecurityGroup(in ec2types.SecurityGroup) snapshot.SecurityGroup {
	return snapshot.SecurityGroup{
		ID:      aws.ToString(in.GroupId),
		Name:    aws.ToString(in.GroupName),
		VPCID:   aws.ToString(in.VpcId),
		Ingress: convertRules(in.IpPermissions),
		Egress:  convertRules(in.IpPermissionsEgress),
		Tags:    ec2Tags(in.Tags),
	}
}

func convertRules(in []ec2types.IpPermission) []snapshot.Rule {
	var rules []snapshot.Rule
	for _, permission := range in {
		add := func(peer, description *string) {
			rules = append(rules, snapshot.Rule{
				Protocol:    aws.ToString(permission.IpProtocol),
				FromPort:    int(aws.ToInt32(permission.FromPort)),
				ToPort:      int(aws.ToInt32(permission.ToPort)),
				Peer:        aws.ToString(peer),
				Description: redact.Line(aws.ToString(description)),
			})
		}
		for _, peer := range permission.IpRanges {
			add(peer.CidrIp, peer.Description)
		}
		for _, peer := range permission.Ipv6Ranges {
			add(peer.CidrIpv6, peer.Description)
		}
		for _, peer := range permission.UserIdGroupPairs {
			add(peer.GroupId, peer.Description)
		}
		for _, peer := range permission.PrefixListIds {
			add(peer.PrefixListId, peer.Description)
		}
	}
	return rules
}
