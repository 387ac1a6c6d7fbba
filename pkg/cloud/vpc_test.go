package cloud

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

func vpcSections() []snapshot.Section {
	return []snapshot.Section{
		snapshot.SectionVPC, snapshot.SectionDHCPOptions, snapshot.SectionNATGateways, snapshot.SectionInternetGateways,
		snapshot.SectionVPCEndpoints, snapshot.SectionNetworkACLs,
	}
}

func TestVPCFacts(t *testing.T) {
	f := newFake(t)
	f.answerWith("DescribeVpcAttribute", func(c call) (int, string) {
		if c.params.Get("Attribute") == "enableDnsHostnames" {
			return 200, `<R><vpcId>vpc-1</vpcId><enableDnsHostnames><value>false</value></enableDnsHostnames></R>`
		}
		return 200, f.canned(c.op)
	})
	snap, gaps := gathered(t, f, Request{Sections: append(vpcSections(), snapshot.SectionCluster)})
	if len(gaps) > 0 {
		t.Fatalf("gaps %+v", gaps)
	}
	want := snapshot.Network{
		VPC:         &snapshot.VPC{ID: "vpc-1", CIDRs: []string{"10.0.0.0/16", "100.64.0.0/16"}, DHCPOptionsID: "dopt-1", DNSSupport: true},
		DHCPOptions: []snapshot.DHCPOptions{{ID: "dopt-1", DomainName: "example.com", NameServers: []string{"10.0.0.2", "AmazonProvidedDNS"}}},
		NATGateways: []snapshot.NATGateway{
			{ID: "nat-1", VPCID: "vpc-1", SubnetID: "subnet-a", State: "available", Connectivity: "public", PublicIPs: []string{"198.51.100.7"}},
			{ID: "nat-2", VPCID: "vpc-1", SubnetID: "subnet-a", State: "failed", Connectivity: "public", Failure: "Gateway.NotAttached: Network vpc-1 has no Internet gateway attached"},
		},
		InternetGateways: []snapshot.InternetGateway{{ID: "igw-1", VPCIDs: []string{"vpc-1"}}, {ID: "igw-2"}},
		Endpoints: []snapshot.VPCEndpoint{
			{
				ID: "vpce-1", VPCID: "vpc-1", Service: "com.amazonaws.us-west-2.ec2", Type: "Interface", State: "available", SubnetIDs: []string{"subnet-a"},
				SecurityGroupIDs: []string{"sg-1"}, PrivateDNS: true, Policy: "{}",
			},
			{ID: "vpce-2", VPCID: "vpc-1", Service: "com.amazonaws.us-west-2.s3", Type: "Gateway", State: "available", RouteTableIDs: []string{"rtb-1"}},
		},
		ACLs: []snapshot.NetworkACL{{ID: "acl-1", VPCID: "vpc-1", Default: true, SubnetIDs: []string{"subnet-a"}, Entries: []snapshot.ACLEntry{
			{Number: 100, Protocol: "6", Allow: true, CIDR: "::/0", FromPort: 443, ToPort: 443},
			{Number: 32767, Protocol: "-1", Egress: true, CIDR: "0.0.0.0/0"},
		}}},
	}
	if diff := cmp.Diff(want, snap.Network); diff != "" {
		t.Error(diff)
	}
}

// TestDenialOfOneNetworkFact leaves a gap for that fact alone, and for what
// cannot be asked without it.
func TestDenialOfOneNetworkFact(t *testing.T) {
	for op, want := range map[string][]snapshot.Section{
		"DescribeVpcs":             {snapshot.SectionDHCPOptions, snapshot.SectionVPC},
		"DescribeVpcAttribute":     {snapshot.SectionDHCPOptions, snapshot.SectionVPC},
		"DescribeDhcpOptions":      {snapshot.SectionDHCPOptions},
		"DescribeNatGateways":      {snapshot.SectionNATGateways},
		"DescribeInternetGateways": {snapshot.SectionInternetGateways},
		"DescribeVpcEndpoints":     {snapshot.SectionVPCEndpoints},
		"DescribeNetworkAcls":      {snapshot.SectionNetworkACLs},
	} {
		t.Run(op, func(t *testing.T) {
			f := newFake(t)
			f.deny(op)
			_, gaps := gathered(t, f, Request{Sections: append(vpcSections(), snapshot.SectionCluster)})
			var got []snapshot.Section
			for _, gap := range gaps {
				got = append(got, gap.Section)
				if gap.Reason != snapshot.GapDenied {
					t.Errorf("gap %+v", gap)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestInstanceStatus(t *testing.T) {
	snap, gaps := gathered(t, newFake(t), Request{Sections: []snapshot.Section{
		snapshot.SectionCluster, snapshot.SectionGroups, snapshot.SectionInstances, snapshot.SectionInstanceStatus,
	}})
	if len(gaps) > 0 {
		t.Fatalf("gaps %+v", gaps)
	}
	want := &snapshot.InstanceStatus{System: "ok", Instance: "impaired", Events: []string{"system-reboot: scheduled reboot"}}
	for _, node := range snap.Nodes {
		switch node.InstanceID {
		case "i-1":
			if diff := cmp.Diff(want, node.Status); diff != "" {
				t.Error(diff)
			}
		case "i-of-somebody-else":
			t.Error("other people's machines came in")
		}
	}
}

// TestAllSecurityGroups asks for the VPC's, not for some by id.
func TestAllSecurityGroups(t *testing.T) {
	f := newFake(t)
	gathered(t, f, Request{AllSecurityGroups: true, Sections: []snapshot.Section{snapshot.SectionCluster, snapshot.SectionSecurityGroups}})
	if got := f.last("DescribeSecurityGroups").params; got.Get("Filter.1.Name") != "vpc-id" || got.Get("Filter.1.Value.1") != "vpc-1" {
		t.Errorf("asked for %v", got)
	}
}

// TestUntaggedMembers: a machine of the group is read though it lacks the
// cluster's tag.
func TestUntaggedMembers(t *testing.T) {
	f := newFake(t)
	all := f.canned("DescribeInstances")
	f.answerWith("DescribeInstances", func(c call) (int, string) {
		if c.params.Get("Filter.1.Name") == "tag-key" {
			return 200, `<DescribeInstancesResponse><reservationSet/></DescribeInstancesResponse>`
		}
		return 200, all
	})
	snap, gaps := gathered(t, f, Request{Sections: []snapshot.Section{snapshot.SectionCluster, snapshot.SectionGroups, snapshot.SectionInstances}})
	if len(gaps) > 0 {
		t.Fatalf("gaps %+v", gaps)
	}
	if got := f.last("DescribeInstances").params; got.Get("Filter.1.Name") != "instance-id" {
		t.Errorf("asked for %v", got)
	}
	seen := 0
	for _, node := range snap.Nodes {
		if node.Cloud != nil && node.Group == "workers" {
			seen++
		}
	}
	if seen == 0 {
		t.Errorf("nodes %+v", snap.Nodes)
	}
}
