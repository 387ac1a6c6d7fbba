package faults

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

func networkFaults() []fault {
	return []fault{
		{name: "security group lets nothing out", want: []string{"net.groups-out"}, breaks: closedGroup},
	}
}

// noWayToEC2 is what nodeadm says while it does not reach EC2's API.
const noWayToEC2 = `retrying request EC2/DescribeInstances, attempt 2`

// ownGroup makes a security group in place of the healthy group's: it lets
// everything out and lets in what the control plane and the other nodes send,
// and the cluster's group admits it.
func (w *world) ownGroup(t *testing.T, name string) string {
	t.Helper()
	made, err := w.ec2.CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{VpcId: aws.String(w.vpc), GroupName: aws.String(name), Description: aws.String("of one group")})
	must(t, err)
	id := aws.ToString(made.GroupId)
	t.Cleanup(func() { w.deleteGroup(t, id) })
	_, err = w.ec2.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &id, IpPermissions: everything("10.0.0.0/8")})
	must(t, err)
	admitted := []ec2types.IpPermission{{IpProtocol: aws.String("-1"), UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: &id}}}}
	_, err = w.ec2.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &w.clusterGroup, IpPermissions: admitted})
	must(t, err)
	t.Cleanup(func() {
		_, err := w.ec2.RevokeSecurityGroupIngress(context.WithoutCancel(t.Context()), &ec2.RevokeSecurityGroupIngressInput{GroupId: &w.clusterGroup, IpPermissions: admitted})
		must(t, err)
	})
	return id
}

// deleteGroup waits until the machines in it have ended.
func (w *world) deleteGroup(t *testing.T, id string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	must(t, harness.Within(ctx, patience, func() error {
		_, err := w.ec2.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: &id})
		return err
	}))
}

func everything(cidr string) []ec2types.IpPermission {
	return []ec2types.IpPermission{{IpProtocol: aws.String("-1"), IpRanges: []ec2types.IpRange{{CidrIp: aws.String(cidr)}}}}
}

func closedGroup(t *testing.T, w *world, group string) func() {
	id := w.ownGroup(t, group)
	_, err := w.ec2.RevokeSecurityGroupEgress(t.Context(), &ec2.RevokeSecurityGroupEgressInput{GroupId: &id, IpPermissions: everything("0.0.0.0/0")})
	must(t, err)
	w.group(t, group, 1, func(in *template) { in.securityGroups = []string{id} })
	machine := w.running(t, group)
	w.awaitJournal(t, machine, noWayToEC2)
	return func() {
		_, err := w.ec2.AuthorizeSecurityGroupEgress(t.Context(), &ec2.AuthorizeSecurityGroupEgressInput{GroupId: &id, IpPermissions: everything("0.0.0.0/0")})
		must(t, err)
		ready(t, w.rebooted(t, machine))
	}
}

// subnets counts those that tests have made.
var subnets atomic.Int32

// ownSubnet makes a small subnet with the healthy group's routes.
func (w *world) ownSubnet(t *testing.T, name string) string {
	t.Helper()
	like, err := w.ec2.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{SubnetIds: w.good.subnets[:1]})
	must(t, err)
	tables, err := w.ec2.DescribeRouteTables(t.Context(), &ec2.DescribeRouteTablesInput{
		Filters: []ec2types.Filter{{Name: aws.String("association.subnet-id"), Values: w.good.subnets[:1]}},
	})
	must(t, err)
	made, err := w.ec2.CreateSubnet(t.Context(), &ec2.CreateSubnetInput{
		VpcId: aws.String(w.vpc), CidrBlock: aws.String(fmt.Sprintf("10.20.%d.0/24", 96+subnets.Add(1))), AvailabilityZone: like.Subnets[0].AvailabilityZone,
		TagSpecifications: []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeSubnet, Tags: []ec2types.Tag{{Key: aws.String("Name"), Value: aws.String(name)}}}},
	})
	must(t, err)
	_, err = w.ec2.AssociateRouteTable(t.Context(), &ec2.AssociateRouteTableInput{RouteTableId: tables.RouteTables[0].RouteTableId, SubnetId: made.Subnet.SubnetId})
	must(t, err)
	return aws.ToString(made.Subnet.SubnetId)
}
