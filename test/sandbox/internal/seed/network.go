package seed

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

func (s seeder) vpc(ctx context.Context, r *Result) error {
	out, err := s.ec2.CreateVpc(ctx, &ec2.CreateVpcInput{
		CidrBlock:         aws.String(layout.VPCCIDR),
		TagSpecifications: tags(types.ResourceTypeVpc, "Name", layout.ClusterName),
	})
	if err != nil {
		return err
	}
	r.VPC = aws.ToString(out.Vpc.VpcId)
	for _, in := range []*ec2.ModifyVpcAttributeInput{
		{VpcId: out.Vpc.VpcId, EnableDnsSupport: &types.AttributeBooleanValue{Value: aws.Bool(true)}},
		{VpcId: out.Vpc.VpcId, EnableDnsHostnames: &types.AttributeBooleanValue{Value: aws.Bool(true)}},
	} {
		if _, err := s.ec2.ModifyVpcAttribute(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

// subnets makes the subnets with the tags that EKS's documentation asks for.
// https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
func (s seeder) subnets(ctx context.Context, r *Result) error {
	for _, sub := range layout.Subnets() {
		role := "kubernetes.io/role/internal-elb"
		if sub.Public {
			role = "kubernetes.io/role/elb"
		}
		out, err := s.ec2.CreateSubnet(ctx, &ec2.CreateSubnetInput{
			VpcId:            aws.String(r.VPC),
			CidrBlock:        aws.String(sub.CIDR),
			AvailabilityZone: aws.String(sub.Zone),
			TagSpecifications: tags(types.ResourceTypeSubnet,
				"Name", layout.ClusterName+"-"+sub.Name, role, "1", "kubernetes.io/cluster/"+layout.ClusterName, "shared"),
		})
		if err != nil {
			return fmt.Errorf("subnet %s: %w", sub.Name, err)
		}
		r.Subnets[sub.Name] = aws.ToString(out.Subnet.SubnetId)
		if sub.Public {
			if _, err := s.ec2.ModifySubnetAttribute(ctx, &ec2.ModifySubnetAttributeInput{
				SubnetId:            out.Subnet.SubnetId,
				MapPublicIpOnLaunch: &types.AttributeBooleanValue{Value: aws.Bool(true)},
			}); err != nil {
				return fmt.Errorf("subnet %s: %w", sub.Name, err)
			}
		}
	}
	return nil
}

// routes gives the public subnets an internet gateway and the private ones a NAT
// gateway in the first public subnet.
func (s seeder) routes(ctx context.Context, r *Result) error {
	igw, err := s.ec2.CreateInternetGateway(ctx, &ec2.CreateInternetGatewayInput{
		TagSpecifications: tags(types.ResourceTypeInternetGateway, "Name", layout.ClusterName)})
	if err != nil {
		return err
	}
	if _, err := s.ec2.AttachInternetGateway(ctx, &ec2.AttachInternetGatewayInput{
		InternetGatewayId: igw.InternetGateway.InternetGatewayId, VpcId: aws.String(r.VPC)}); err != nil {
		return err
	}
	address, err := s.ec2.AllocateAddress(ctx, &ec2.AllocateAddressInput{Domain: types.DomainTypeVpc})
	if err != nil {
		return err
	}
	nat, err := s.ec2.CreateNatGateway(ctx, &ec2.CreateNatGatewayInput{
		SubnetId: aws.String(r.Subnets["public-a"]), AllocationId: address.AllocationId,
		TagSpecifications: tags(types.ResourceTypeNatgateway, "Name", layout.ClusterName)})
	if err != nil {
		return err
	}
	if err := s.routeTable(ctx, r, true, ec2.CreateRouteInput{GatewayId: igw.InternetGateway.InternetGatewayId}); err != nil {
		return err
	}
	return s.routeTable(ctx, r, false, ec2.CreateRouteInput{NatGatewayId: nat.NatGateway.NatGatewayId})
}

// routeTable makes the table of all public or all private subnets, with the given
// default route.
func (s seeder) routeTable(ctx context.Context, r *Result, public bool, route ec2.CreateRouteInput) error {
	name := layout.ClusterName + "-private"
	if public {
		name = layout.ClusterName + "-public"
	}
	table, err := s.ec2.CreateRouteTable(ctx, &ec2.CreateRouteTableInput{
		VpcId: aws.String(r.VPC), TagSpecifications: tags(types.ResourceTypeRouteTable, "Name", name)})
	if err != nil {
		return err
	}
	route.RouteTableId, route.DestinationCidrBlock = table.RouteTable.RouteTableId, aws.String("0.0.0.0/0")
	if _, err := s.ec2.CreateRoute(ctx, &route); err != nil {
		return err
	}
	for _, sub := range layout.Subnets() {
		if sub.Public != public {
			continue
		}
		if _, err := s.ec2.AssociateRouteTable(ctx, &ec2.AssociateRouteTableInput{
			RouteTableId: table.RouteTable.RouteTableId, SubnetId: aws.String(r.Subnets[sub.Name])}); err != nil {
			return err
		}
	}
	return nil
}

// securityGroup makes what EKS makes for a cluster: a group whose members reach each
// other and everything else.
// https://docs.aws.amazon.com/eks/latest/userguide/sec-group-reqs.html
func (s seeder) securityGroup(ctx context.Context, r *Result) error {
	out, err := s.ec2.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{
		VpcId:     aws.String(r.VPC),
		GroupName: aws.String("eks-cluster-sg-" + layout.ClusterName + "-1234567890"),
		Description: aws.String("EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, " +
			"as well as any managed workloads."),
		TagSpecifications: tags(types.ResourceTypeSecurityGroup,
			"Name", "eks-cluster-sg-"+layout.ClusterName+"-1234567890", "kubernetes.io/cluster/"+layout.ClusterName, "owned"),
	})
	if err != nil {
		return err
	}
	r.ClusterSecurityGroup = aws.ToString(out.GroupId)
	_, err = s.ec2.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId: out.GroupId,
		IpPermissions: []types.IpPermission{{
			IpProtocol:       aws.String("-1"),
			UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: out.GroupId}},
		}},
	})
	return err
}

// tags makes the tags of a new resource from keys and values in turn.
func tags(of types.ResourceType, kv ...string) []types.TagSpecification {
	spec := types.TagSpecification{ResourceType: of}
	for i := 0; i+1 < len(kv); i += 2 {
		spec.Tags = append(spec.Tags, types.Tag{Key: aws.String(kv[i]), Value: aws.String(kv[i+1])})
	}
	return []types.TagSpecification{spec}
}
