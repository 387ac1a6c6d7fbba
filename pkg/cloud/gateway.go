package cloud

import (
	"cmp"
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// natGateways reads the NAT gateways of the cluster's VPC, for an hour the
// deleted ones too.
func (r reader) natGateways(ctx context.Context, known *snapshot.Snapshot) (gather.Fill, error) {
	pages := ec2.NewDescribeNatGatewaysPaginator(r.ec2(), &ec2.DescribeNatGatewaysInput{Filter: []ec2types.Filter{filter("vpc-id", known.Cluster.VPCID)}})
	return fillPages(ctx, pages, func(p *ec2.DescribeNatGatewaysOutput) []ec2types.NatGateway { return p.NatGateways }, ConvertNATGateway,
		func(snap *snapshot.Snapshot, gateways []snapshot.NATGateway) { snap.Network.NATGateways = gateways })
}

func (r reader) internetGateways(ctx context.Context, known *snapshot.Snapshot) (gather.Fill, error) {
	pages := ec2.NewDescribeInternetGatewaysPaginator(r.ec2(), &ec2.DescribeInternetGatewaysInput{
		Filters: []ec2types.Filter{filter("attachment.vpc-id", known.Cluster.VPCID)},
	})
	return fillPages(ctx, pages, func(p *ec2.DescribeInternetGatewaysOutput) []ec2types.InternetGateway { return p.InternetGateways }, ConvertInternetGateway,
		func(snap *snapshot.Snapshot, gateways []snapshot.InternetGateway) {
			snap.Network.InternetGateways = gateways
		})
}

func (r reader) vpcEndpoints(ctx context.Context, known *snapshot.Snapshot) (gather.Fill, error) {
	pages := ec2.NewDescribeVpcEndpointsPaginator(r.ec2(), &ec2.DescribeVpcEndpointsInput{Filters: []ec2types.Filter{filter("vpc-id", known.Cluster.VPCID)}})
	return fillPages(ctx, pages, func(p *ec2.DescribeVpcEndpointsOutput) []ec2types.VpcEndpoint { return p.VpcEndpoints }, ConvertVPCEndpoint,
		func(snap *snapshot.Snapshot, endpoints []snapshot.VPCEndpoint) { snap.Network.Endpoints = endpoints })
}

// instanceStatus reads the status checks of the machines that run: one call
// per thousand instances of the region, whatever their number here.
func (r reader) instanceStatus(ctx context.Context, known *snapshot.Snapshot) (gather.Fill, error) {
	ours := map[string]bool{}
	for i := range known.Nodes {
		if known.Nodes[i].Cloud != nil {
			ours[known.Nodes[i].InstanceID] = true
		}
	}
	if len(ours) == 0 {
		return nil, nil
	}
	pages := ec2.NewDescribeInstanceStatusPaginator(r.ec2(), &ec2.DescribeInstanceStatusInput{MaxResults: aws.Int32(1000)})
	var machines []snapshot.Node
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap(err)
		}
		for _, status := range page.InstanceStatuses {
			if id := aws.ToString(status.InstanceId); ours[id] {
				out := ConvertInstanceStatus(status)
				machines = append(machines, snapshot.Node{InstanceID: id, Status: &out})
			}
		}
	}
	return func(snap *snapshot.Snapshot) { snap.AddNodes(machines...) }, nil
}

// ConvertNATGateway turns EC2's NAT gateway into facts.
func ConvertNATGateway(in ec2types.NatGateway) snapshot.NATGateway {
	gateway := snapshot.NATGateway{
		ID: aws.ToString(in.NatGatewayId), VPCID: aws.ToString(in.VpcId), SubnetID: aws.ToString(in.SubnetId),
		State: string(in.State), Connectivity: cmp.Or(string(in.ConnectivityType), string(ec2types.ConnectivityTypePublic)),
	}
	if code := aws.ToString(in.FailureCode); code != "" {
		gateway.Failure = redact.Line(code + ": " + aws.ToString(in.FailureMessage))
	}
	for _, address := range in.NatGatewayAddresses {
		if ip := aws.ToString(address.PublicIp); ip != "" {
			gateway.PublicIPs = append(gateway.PublicIPs, ip)
		}
	}
	return gateway
}

// ConvertInternetGateway turns EC2's internet gateway into facts.
func ConvertInternetGateway(in ec2types.InternetGateway) snapshot.InternetGateway {
	gateway := snapshot.InternetGateway{ID: aws.ToString(in.InternetGatewayId)}
	for _, attachment := range in.Attachments {
		// EC2 says "available" here, which the SDK's list of states lacks.
		if attachment.State == ec2types.AttachmentStatusAttached || attachment.State == "available" {
			gateway.VPCIDs = append(gateway.VPCIDs, aws.ToString(attachment.VpcId))
		}
	}
	return gateway
}

// ConvertVPCEndpoint turns EC2's VPC endpoint into facts.
func ConvertVPCEndpoint(in ec2types.VpcEndpoint) snapshot.VPCEndpoint {
	endpoint := snapshot.VPCEndpoint{
		ID: aws.ToString(in.VpcEndpointId), VPCID: aws.ToString(in.VpcId), Service: aws.ToString(in.ServiceName),
		Type: cmp.Or(string(in.VpcEndpointType), string(ec2types.VpcEndpointTypeGateway)), State: strings.ToLower(string(in.State)),
		SubnetIDs: in.SubnetIds, RouteTableIDs: in.RouteTableIds, PrivateDNS: aws.ToBool(in.PrivateDnsEnabled), Policy: aws.ToString(in.PolicyDocument),
	}
	for _, group := range in.Groups {
		endpoint.SecurityGroupIDs = append(endpoint.SecurityGroupIDs, aws.ToString(group.GroupId))
	}
	return endpoint
}

// ConvertInstanceStatus turns EC2's status checks into facts.
func ConvertInstanceStatus(in ec2types.InstanceStatus) snapshot.InstanceStatus {
	var status snapshot.InstanceStatus
	if in.SystemStatus != nil {
		status.System = string(in.SystemStatus.Status)
	}
	if in.InstanceStatus != nil {
		status.Instance = string(in.InstanceStatus.Status)
	}
	for _, event := range in.Events {
		status.Events = append(status.Events, redact.Line(string(event.Code)+": "+aws.ToString(event.Description)))
	}
	return status
}
