package cloud

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const roleA = "arn:aws:iam::111122223333:role/a"

func created() time.Time { return time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC) }

// gathered reads a request; only gaps of sections asked for are returned.
func gathered(t *testing.T, f *fake, req Request) (snapshot.Snapshot, []snapshot.Gap) {
	t.Helper()
	req.Cluster = "demo"
	snap := gather.Run(t.Context(), snapshot.Snapshot{}, f.client().Sources(req), nil)
	return snap, slices.DeleteFunc(slices.Clone(snap.Gaps), func(g snapshot.Gap) bool { return g.Reason == snapshot.GapNotAsked })
}

// addRequest is what `add` of a new group with defaults reads.
func addRequest() Request {
	return Request{
		InstanceTypes: []string{"g5.xlarge"}, StackNames: []string{"s"}, SecurityGroupIDs: []string{"sg-extra"},
		Sections: []snapshot.Section{
			snapshot.SectionCluster, snapshot.SectionSubnets, snapshot.SectionRouteTables, snapshot.SectionSecurityGroups,
			snapshot.SectionInstanceTypes, snapshot.SectionOfferings, snapshot.SectionImages, snapshot.SectionKeyPairs,
			snapshot.SectionQuotas, snapshot.SectionStacks, snapshot.SectionRoles, snapshot.SectionAccessEntries,
		},
	}
}

func TestAddMakesElevenCalls(t *testing.T) {
	f := newFake(t)
	snap, gaps := gathered(t, f, addRequest())
	if len(gaps) > 0 {
		t.Fatalf("gaps %+v", gaps)
	}
	want := []string{
		"DescribeCluster", "DescribeImages", "DescribeInstanceTypeOfferings", "DescribeInstanceTypes", "DescribeInstances", "DescribeRouteTables",
		"DescribeSecurityGroups", "DescribeStacks", "DescribeSubnets", "GetParameter", "GetServiceQuota",
	}
	if diff := cmp.Diff(want, f.ops()); diff != "" {
		t.Error(diff)
	}
	if got := f.last("GetParameter").body; !strings.Contains(got, "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/x86_64/nvidia/recommended/image_id") {
		t.Errorf("looked up %s", got)
	}
	if got := f.last("DescribeSecurityGroups").params; got.Get("Filter.1.Value.1") != "sg-more" || got.Get("Filter.1.Value.2") != "sg-extra" || got.Get("Filter.1.Value.3") != "sg-cluster" {
		t.Errorf("asked for security groups %v", got)
	}
	wantCatalog := snapshot.Catalog{
		InstanceTypes: []snapshot.InstanceType{{Name: "g5.xlarge", Architectures: []string{"x86_64"}, VCPUs: 4, MemoryMiB: 16384, GPU: "NVIDIA", MaxENIs: 4, IPsPerENI: 15, Hypervisor: "nitro"}},
		Offerings:     map[string][]string{"g5.xlarge": {"us-west-2a", "us-west-2b"}},
		Images: []snapshot.Image{{
			ID: "ami-1", Name: "amazon-eks-node-al2023-x86_64-nvidia-1.34-v20260101", OwnerID: "602401143452", Architecture: "x86_64", State: "available",
			RootDevice: "/dev/xvda", CreatedAt: created().Add(time.Hour + 2*time.Minute + 3*time.Second), DeprecatedAt: time.Date(2028, 1, 1, 1, 2, 0, 0, time.UTC),
			SSMParameter: "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/x86_64/nvidia/recommended/image_id", SnapshotSizeGiB: 20,
		}},
		QuotaCode: "L-DB2E81BA", VCPUQuota: new(int), VCPUInUse: new(int),
	}
	*wantCatalog.VCPUQuota, *wantCatalog.VCPUInUse = 64, 4 // g5 alone counts against the quota of G types
	if diff := cmp.Diff(wantCatalog, snap.Catalog); diff != "" {
		t.Error(diff)
	}
}

func TestListMakesFiveCalls(t *testing.T) {
	f := newFake(t)
	snap, gaps := gathered(t, f, Request{ListEntries: true, AllProfiles: true, Sections: []snapshot.Section{
		snapshot.SectionCluster, snapshot.SectionGroups, snapshot.SectionInstances, snapshot.SectionAccessEntries, snapshot.SectionRoles,
	}})
	if len(gaps) > 0 {
		t.Fatalf("gaps %+v", gaps)
	}
	want := []string{"DescribeAutoScalingGroups", "DescribeCluster", "DescribeInstances", "ListAccessEntries", "ListInstanceProfiles"}
	if diff := cmp.Diff(want, f.ops()); diff != "" {
		t.Error(diff)
	}
	wantRoles := []snapshot.Role{{
		ARN: roleA, Name: "a", UniqueID: "AROA1", CreatedAt: created(), TrustPolicy: `{"Statement":[]}`,
		InstanceProfiles: []string{"arn:aws:iam::111122223333:instance-profile/p", "arn:aws:iam::111122223333:instance-profile/q"},
	}}
	if diff := cmp.Diff(wantRoles, snap.Roles); diff != "" {
		t.Error(diff)
	}
	wantEntries := []snapshot.AccessEntry{{PrincipalARN: roleA}, {PrincipalARN: "arn:aws:iam::111122223333:role/b"}}
	if diff := cmp.Diff(wantEntries, snap.Access.Entries); diff != "" {
		t.Error(diff)
	}
	if len(snap.Groups) != 1 || snap.Groups[0].Name != "workers" || snap.Groups[0].Tool != ToolEKSNodes {
		t.Errorf("groups %+v", snap.Groups)
	}
	if len(snap.Nodes) != 3 || snap.Nodes[0].InstanceID != "i-1" || snap.Nodes[0].Group != "workers" || snap.Nodes[0].Cloud == nil {
		t.Errorf("nodes %+v", snap.Nodes)
	}
	if got := f.last("DescribeAutoScalingGroups").params; got.Get("Filters.member.1.Name") != "tag-key" || got.Get("Filters.member.1.Values.member.1") != "kubernetes.io/cluster/demo" {
		t.Errorf("filter %v", got)
	}
}

func TestNetworkFacts(t *testing.T) {
	snap, gaps := gathered(t, newFake(t), Request{Sections: []snapshot.Section{snapshot.SectionCluster, snapshot.SectionSubnets, snapshot.SectionRouteTables, snapshot.SectionSecurityGroups}})
	if len(gaps) > 0 {
		t.Fatalf("gaps %+v", gaps)
	}
	rule := func(peer, description string) snapshot.Rule {
		return snapshot.Rule{Protocol: "tcp", FromPort: 443, ToPort: 443, Peer: peer, Description: description}
	}
	want := snapshot.Network{
		Subnets: []snapshot.Subnet{{
			ID: "subnet-a", VPCID: "vpc-1", Zone: "us-west-2a", CIDR: "10.0.1.0/24", IPv6CIDR: "2600:1f14::/64", FreeAddresses: 251,
			MapPublicIP: true, AssignIPv6: true, Tags: map[string]string{"Name": "a"},
		}},
		RouteTables: []snapshot.RouteTable{{ID: "rtb-1", VPCID: "vpc-1", Main: true, SubnetIDs: []string{"subnet-a"}, Routes: []snapshot.Route{
			{Destination: "10.0.0.0/16", Target: "local", State: "active"},
			{Destination: "0.0.0.0/0", Target: "nat-1", State: "blackhole"},
			{Destination: "::/0", Target: "eigw-1", State: "active"},
			{Destination: "pl-1", Target: "vpce-1", State: "active"},
		}}},
		SecurityGroups: []snapshot.SecurityGroup{{
			ID: "sg-cluster", Name: "eks-cluster-sg", VPCID: "vpc-1", Tags: map[string]string{"kubernetes.io/cluster/demo": "owned"},
			Ingress: []snapshot.Rule{rule("10.0.0.0/8", "inside"), rule("fd00::/8", ""), rule("sg-cluster", ""), rule("pl-1", "")},
			Egress:  []snapshot.Rule{{Protocol: "-1", Peer: "0.0.0.0/0"}},
		}},
	}
	if diff := cmp.Diff(want, snap.Network); diff != "" {
		t.Error(diff)
	}
}

func TestClusterFacts(t *testing.T) {
	snap, _ := gathered(t, newFake(t), Request{Sections: []snapshot.Section{snapshot.SectionCluster}})
	want := &snapshot.Cluster{
		Name: "demo", ARN: "arn:aws:eks:us-west-2:111122223333:cluster/demo", Status: "ACTIVE", Version: "1.34", PlatformVersion: "eks.9",
		Endpoint: "https://0123.gr7.us-west-2.eks.amazonaws.com", CA: "---PEM---", RoleARN: "arn:aws:iam::111122223333:role/demo-cluster",
		AuthMode: snapshot.AuthAPIAndConfigMap, IPFamily: "ipv4", ServiceCIDR: "10.100.0.0/16", VPCID: "vpc-1", SubnetIDs: []string{"subnet-a", "subnet-b"},
		SecurityGroupIDs: []string{"sg-more"}, ClusterSGID: "sg-cluster", EndpointPublic: true, EndpointPrivate: true,
		PublicAccessCIDRs: []string{"0.0.0.0/0"}, CreatedAt: created(), Tags: map[string]string{"team": "x"},
	}
	if diff := cmp.Diff(want, snap.Cluster); diff != "" {
		t.Error(diff)
	}
	if snap.Target.AccountID != "111122223333" || snap.Target.Partition != "aws" || snap.Target.Region != "us-west-2" {
		t.Errorf("target %+v", snap.Target)
	}
}

func TestLaunchAndActivities(t *testing.T) {
	f := newFake(t)
	snap, gaps := gathered(t, f, Request{Groups: []string{"workers"}, Sections: []snapshot.Section{snapshot.SectionGroups, snapshot.SectionLaunch, snapshot.SectionActivities}})
	if len(gaps) > 0 {
		t.Fatalf("gaps %+v", gaps)
	}
	no := false
	want := snapshot.Launch{
		TemplateID: "lt-1", TemplateName: "lt", TemplateVersion: "3", TemplateNumber: 3, ImageID: "ami-1", InstanceTypes: []string{"m5.large"}, KeyName: "ops",
		SecurityGroupIDs: []string{"sg-cluster"}, InstanceProfile: "p", PublicIP: &no, HTTPTokens: "required", HopLimit: 1, VolumeSizeGiB: 80, VolumeType: "gp3", Volumes: []snapshot.Volume{{Device: "/dev/xvda", SizeGiB: 80}}, UserData: "hello",
	}
	if diff := cmp.Diff(want, snap.Groups[0].Launch); diff != "" {
		t.Error(diff)
	}
	if got := f.last("DescribeLaunchTemplateVersions").params.Get("LaunchTemplateVersion.1"); got != "3" {
		t.Errorf("asked for version %q", got)
	}
	if got := snap.Groups[0].Activities; len(got) != 1 || got[0].Status != "Failed" || !strings.Contains(got[0].Message, "vCPU limit") {
		t.Errorf("activities %+v", got)
	}
}

// A launch template that is gone is a gap of its group alone.
func TestTemplateThatIsGone(t *testing.T) {
	for name, prepare := range map[string]func(*fake){
		"the template": func(f *fake) {
			f.fail("DescribeLaunchTemplateVersions", 400, "InvalidLaunchTemplateId.NotFound", "The specified launch template, with template ID lt-1, does not exist.")
		},
		"the version": func(f *fake) {
			f.answer("DescribeLaunchTemplateVersions", 200, `<DescribeLaunchTemplateVersionsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><launchTemplateVersionSet/></DescribeLaunchTemplateVersionsResponse>`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			prepare(f)
			snap, gaps := gathered(t, f, Request{Groups: []string{"workers"}, Sections: []snapshot.Section{snapshot.SectionGroups, snapshot.SectionLaunch}})
			if len(gaps) != 1 || gaps[0].Subject != snap.Groups[0].Name || gaps[0].Reason != snapshot.GapAbsent || !strings.Contains(gaps[0].Detail, "lt-1") {
				t.Errorf("gaps %+v", gaps)
			}
		})
	}
}

// TestNothingIsReadWithoutParameters holds readers to reading nothing when
// there is nothing to ask for.
func TestNothingIsReadWithoutParameters(t *testing.T) {
	f := newFake(t)
	_, gaps := gathered(t, f, Request{Sections: []snapshot.Section{
		snapshot.SectionCluster, snapshot.SectionInstanceTypes, snapshot.SectionOfferings, snapshot.SectionImages, snapshot.SectionKeyPairs,
		snapshot.SectionQuotas, snapshot.SectionStacks, snapshot.SectionRoles, snapshot.SectionAccessEntries,
	}})
	if len(gaps) > 0 || !slices.Equal(f.ops(), []string{"DescribeCluster"}) {
		t.Errorf("calls %v, gaps %+v", f.ops(), gaps)
	}
}

// TestEveryDenialIsAGap refuses one operation after the other.
func TestEveryDenialIsAGap(t *testing.T) {
	req := addRequest()
	req.KeyName, req.RoleNames, req.Principals, req.InstanceProfiles = "ops", []string{"a"}, []string{roleA}, []string{"p"}
	req.Sections = append(req.Sections, snapshot.SectionGroups, snapshot.SectionLaunch, snapshot.SectionActivities, snapshot.SectionInstances)
	all := newFake(t)
	if _, gaps := gathered(t, all, req); len(gaps) > 0 {
		t.Fatalf("gaps %+v", gaps)
	}
	for _, op := range slices.Compact(all.ops()) {
		t.Run(op, func(t *testing.T) {
			f := newFake(t)
			f.deny(op)
			_, gaps := gathered(t, f, req)
			if len(gaps) == 0 {
				t.Fatal("no gap")
			}
			for _, gap := range gaps {
				if gap.Reason != snapshot.GapDenied || !strings.Contains(gap.Detail, ":"+op) || !strings.Contains(gap.Fix, op) {
					t.Errorf("gap %+v", gap)
				}
			}
		})
	}
}

func TestAbsenceIsAFact(t *testing.T) {
	f := newFake(t)
	f.fail("DescribeStacks", 400, "ValidationError", "Stack with id s does not exist")
	f.fail("DescribeAccessEntry", 404, "ResourceNotFoundException", "The specified principalArn could not be found")
	f.fail("GetRole", 404, "NoSuchEntity", "The role with name a cannot be found.")
	f.fail("GetInstanceProfile", 404, "NoSuchEntity", "Instance Profile p cannot be found.")
	f.answer("DescribeImages", 200, `<DescribeImagesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><imagesSet/></DescribeImagesResponse>`)
	snap, gaps := gathered(t, f, Request{
		StackNames: []string{"s"}, Principals: []string{roleA}, RoleNames: []string{"a"}, InstanceProfiles: []string{"p"}, Image: ImageQuery{ID: "ami-0"},
		Sections: []snapshot.Section{snapshot.SectionCluster, snapshot.SectionStacks, snapshot.SectionAccessEntries, snapshot.SectionRoles, snapshot.SectionInstanceTypes, snapshot.SectionImages},
	})
	if len(gaps) > 0 || len(snap.Stacks)+len(snap.Access.Entries)+len(snap.Roles)+len(snap.Catalog.Images) > 0 {
		t.Errorf("gaps %+v, snapshot %+v", gaps, snap)
	}
}

func TestEntriesAreNotReadInConfigMapMode(t *testing.T) {
	f := newFake(t)
	f.answer("DescribeCluster", 200, strings.Replace(f.canned("DescribeCluster"), "API_AND_CONFIG_MAP", "CONFIG_MAP", 1))
	_, gaps := gathered(t, f, Request{ListEntries: true, Principals: []string{roleA}, Sections: []snapshot.Section{snapshot.SectionCluster, snapshot.SectionAccessEntries}})
	if len(gaps) > 0 || !slices.Equal(f.ops(), []string{"DescribeCluster"}) {
		t.Errorf("calls %v, gaps %+v", f.ops(), gaps)
	}
}

func TestImageThatIsNotPublished(t *testing.T) {
	f := newFake(t)
	f.fail("GetParameter", 400, "ParameterNotFound", "")
	_, gaps := gathered(t, f, addRequest())
	if len(gaps) != 1 || gaps[0].Reason != snapshot.GapAbsent || !strings.Contains(gaps[0].Detail, "publishes no image under /aws/service/eks") {
		t.Errorf("gaps %+v", gaps)
	}
}

func TestThrottlingIsWaitedOut(t *testing.T) {
	f := newFake(t)
	var tries int
	f.answerWith("GetParameter", func(call) (int, string) {
		if tries++; tries < maxAttempts {
			return 400, `{"__type":"ThrottlingException","message":"Rate exceeded"}`
		}
		return 200, f.canned("GetParameter")
	})
	if _, gaps := gathered(t, f, addRequest()); len(gaps) > 0 {
		t.Errorf("gaps %+v after %d tries", gaps, tries)
	}
}

func TestEndlessThrottlingIsAGap(t *testing.T) {
	f := newFake(t)
	f.answer("GetParameter", 400, `{"__type":"ThrottlingException","message":"Rate exceeded"}`)
	_, gaps := gathered(t, f, addRequest())
	if len(gaps) != 1 || gaps[0].Reason != snapshot.GapThrottled {
		t.Errorf("gaps %+v", gaps)
	}
}

func TestDeadEndpointIsUnreachable(t *testing.T) {
	f := newFake(t)
	f.Close()
	_, gaps := gathered(t, f, Request{Sections: []snapshot.Section{snapshot.SectionCluster}})
	if len(gaps) != 1 || gaps[0].Reason != snapshot.GapUnreachable {
		t.Errorf("gaps %+v", gaps)
	}
}

func TestFindCluster(t *testing.T) {
	f := newFake(t)
	f.answerWith("DescribeCluster", func(c call) (int, string) {
		if strings.Contains(c.body, "/demo") {
			return 200, f.canned("DescribeCluster")
		}
		return 200, `{"cluster":{"name":"other","endpoint":"https://9999.gr7.us-west-2.eks.amazonaws.com"}}`
	})
	name, err := f.client().FindCluster(t.Context(), "https://0123.gr7.us-west-2.eks.amazonaws.com/")
	if err != nil || name != "demo" {
		t.Errorf("found %q, %v", name, err)
	}
	if _, err := f.client().FindCluster(t.Context(), "https://nowhere"); !errors.Is(err, ErrClusterNotFound) {
		t.Errorf("error %v", err)
	}
}

func TestOneConsoleMayBeMissing(t *testing.T) {
	f := newFake(t)
	f.answerWith("GetConsoleOutput", func(c call) (int, string) {
		if c.params.Get("InstanceId") == "i-2" {
			return 400, `<Response><Errors><Error><Code>InvalidInstanceID.NotFound</Code><Message>gone</Message></Error></Errors></Response>`
		}
		return 200, f.canned("GetConsoleOutput")
	})
	snap, gaps := gathered(t, f, Request{ConsoleOf: []string{"i-1", "i-2"}, Sections: []snapshot.Section{snapshot.SectionConsole}})
	if len(gaps) != 1 || gaps[0].Subject != "i-2" || gaps[0].Reason != snapshot.GapAbsent {
		t.Errorf("gaps %+v", gaps)
	}
	if len(snap.Nodes) != 1 || snap.Nodes[0].Console == nil {
		t.Errorf("nodes %+v", snap.Nodes)
	}
}

func TestGroupPages(t *testing.T) {
	f := newFake(t)
	f.answerWith("DescribeAutoScalingGroups", func(c call) (int, string) {
		token := c.params.Get("NextToken")
		next := map[string]string{"": "<NextToken>2</NextToken>", "2": "<NextToken>3</NextToken>"}[token]
		return 200, fmt.Sprintf(`<DescribeAutoScalingGroupsResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/"><DescribeAutoScalingGroupsResult><AutoScalingGroups><member><AutoScalingGroupName>asg%s</AutoScalingGroupName></member></AutoScalingGroups>%s</DescribeAutoScalingGroupsResult></DescribeAutoScalingGroupsResponse>`, token, next)
	})
	snap, _ := gathered(t, f, Request{Sections: []snapshot.Section{snapshot.SectionGroups}})
	if len(snap.Groups) != 3 || len(f.ops()) != 3 {
		t.Errorf("%d groups in %d calls", len(snap.Groups), len(f.ops()))
	}
}
