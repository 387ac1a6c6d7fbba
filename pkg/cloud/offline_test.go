package cloud

import (
	"encoding/base64"
	"errors"
	"io/fs"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// collected are files in memory.
type collected map[string]string

func (c collected) ReadFile(name string) ([]byte, error) {
	text, have := c[name]
	if !have {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return []byte(text), nil
}

func (c collected) Names() []string {
	var names []string
	for name := range c {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// readOffline reads sections out of files.
func readOffline(t *testing.T, files collected, req Request) snapshot.Snapshot {
	t.Helper()
	req.Cluster = "demo"
	return gather.Run(t.Context(), snapshot.Snapshot{}, Offline("us-west-2", files).Sources(req), nil)
}

func TestOfflineNamesFileAndCommand(t *testing.T) {
	for section, c := range map[snapshot.Section]struct{ detail, fix string }{
		snapshot.SectionCluster: {"eks:DescribeCluster: the evidence has no aws/eks/describe-cluster.json", "aws eks describe-cluster --name demo > aws/eks/describe-cluster.json"},
		snapshot.SectionGroups:  {"autoscaling:DescribeAutoScalingGroups: the evidence has no aws/autoscaling/describe-auto-scaling-groups.json", "aws autoscaling describe-auto-scaling-groups > aws/autoscaling/describe-auto-scaling-groups.json"},
		snapshot.SectionRoles:   {"iam:GetRole: the evidence has no aws/iam/get-role.nodes.json", "aws iam get-role --role-name nodes > aws/iam/get-role.nodes.json"},
	} {
		snap := readOffline(t, collected{}, Request{Sections: []snapshot.Section{section}, RoleNames: []string{"nodes"}})
		gap, _ := snap.Gap(section, "")
		if gap.Reason != snapshot.GapNoFile || gap.Detail != c.detail || gap.Fix != c.fix {
			t.Errorf("%s: %+v", section, gap)
		}
	}
}

func TestOfflineNamesTheLine(t *testing.T) {
	snap := readOffline(t, collected{"aws/eks/describe-cluster.json": "{\n\"cluster\": ["}, Request{Sections: []snapshot.Section{snapshot.SectionCluster}})
	gap, _ := snap.Gap(snapshot.SectionCluster, "")
	if gap.Reason != snapshot.GapInvalid || gap.Detail != "eks:DescribeCluster: aws/eks/describe-cluster.json:2: cluster: a list where an object is due" {
		t.Errorf("%+v", gap)
	}
}

// TestOfflineFollowsNoPages: a file that was cut by --max-items must not make
// the reader turn pages for ever.
func TestOfflineFollowsNoPages(t *testing.T) {
	snap := readOffline(t, collected{
		"aws/eks/describe-cluster.json": `{"cluster": {"name": "demo", "resourcesVpcConfig": {"vpcId": "vpc-1"}}}`,
		"aws/ec2/describe-subnets.json": `{"Subnets": [{"SubnetId": "subnet-1"}], "NextToken": "more"}`,
	}, Request{Sections: []snapshot.Section{snapshot.SectionCluster, snapshot.SectionSubnets}})
	if len(snap.Network.Subnets) != 1 {
		t.Errorf("%+v %+v", snap.Network.Subnets, snap.Gaps)
	}
}

// TestOfflineLeavesOtherClustersOut as the filters of live reading do.
func TestOfflineLeavesOtherClustersOut(t *testing.T) {
	files := collected{
		"aws/autoscaling/describe-auto-scaling-groups.json": `{"AutoScalingGroups": [
			{"AutoScalingGroupName": "a", "Instances": [{"InstanceId": "i-1"}], "Tags": [{"Key": "kubernetes.io/cluster/demo"}]},
			{"AutoScalingGroupName": "b", "Tags": [{"Key": "kubernetes.io/cluster/other"}]}]}`,
		"aws/ec2/describe-instances.json": `{"Reservations": [{"Instances": [
			{"InstanceId": "i-1", "Tags": [{"Key": "kubernetes.io/cluster/demo"}]}, {"InstanceId": "i-2", "Tags": [{"Key": "Name"}]}]}]}`,
	}
	snap := readOffline(t, files, Request{Sections: []snapshot.Section{snapshot.SectionGroups, snapshot.SectionInstances}})
	if len(snap.Groups) != 1 || snap.Groups[0].ASGName != "a" || len(snap.Nodes) != 1 || snap.Nodes[0].InstanceID != "i-1" {
		t.Errorf("%+v\n%+v", snap.Groups, snap.Nodes)
	}
}

func TestOfflineConsole(t *testing.T) {
	text := "[   12.3] nodeadm-config[1500]: CIDR is missing in cluster configuration\n"
	for name, file := range map[string]collected{
		"text":         {"aws/ec2/get-console-output.i-1.txt": text},
		"decoded JSON": {"aws/ec2/get-console-output.i-1.json": `{"InstanceId": "i-1", "Output": "[   12.3] nodeadm-config[1500]: CIDR is missing in cluster configuration\n"}`},
		"base64":       {"aws/ec2/get-console-output.i-1.json": `{"InstanceId": "i-1", "Output": "` + base64.StdEncoding.EncodeToString([]byte(text)) + `"}`},
	} {
		snap := readOffline(t, file, Request{Sections: []snapshot.Section{snapshot.SectionConsole}, ConsoleOf: []string{"i-1"}})
		if len(snap.Nodes) != 1 || snap.Nodes[0].Console == nil || snap.Nodes[0].Console.Text != text || snap.Nodes[0].Saw("nodeconfig-incomplete") == nil {
			t.Errorf("%s: %+v %+v", name, snap.Nodes, snap.Gaps)
		}
	}
}

// TestOfflineEntryThatIsNotListed: the list proves that there is none.
func TestOfflineEntryThatIsNotListed(t *testing.T) {
	client := Offline("", collected{"aws/eks/list-access-entries.json": `{"accessEntries": ["arn:aws:iam::111122223333:role/other"]}`})
	entry, err := client.DescribeAccessEntry(t.Context(), "demo", "arn:aws:iam::111122223333:role/nodes")
	if entry != nil || err != nil {
		t.Errorf("%+v, %v", entry, err)
	}
	var none *gather.NoFile
	if _, err := Offline("", collected{}).DescribeAccessEntry(t.Context(), "demo", "arn:aws:iam::111122223333:role/nodes"); !errors.As(err, &none) {
		t.Errorf("without a list: %v", err)
	}
}

func TestOfflinePolicyIsAsTheAPIGivesIt(t *testing.T) {
	role, err := Offline("", collected{
		"aws/iam/get-role.nodes.json":                    `{"Role": {"RoleName": "nodes", "AssumeRolePolicyDocument": {"Statement": [{"Condition": {"StringLike": {"a": "100%+1"}}}]}}}`,
		"aws/iam/list-attached-role-policies.nodes.json": `{"AttachedPolicies": [{"PolicyArn": "arn:aws:iam::aws:policy/X"}]}`,
	}).DescribeRole(t.Context(), "nodes")
	if err != nil || role.TrustPolicy != `{"Statement":[{"Condition":{"StringLike":{"a":"100%+1"}}}]}` || len(role.AttachedPolicies) != 1 {
		t.Errorf("%+v, %v", role, err)
	}
}

func TestChooseVersion(t *testing.T) {
	version := func(template string, number int64, standard bool) ec2types.LaunchTemplateVersion {
		return ec2types.LaunchTemplateVersion{LaunchTemplateId: aws.String(template), VersionNumber: aws.Int64(number), DefaultVersion: aws.Bool(standard)}
	}
	for wanted, number := range map[string]int64{"$Default": 2, "$Latest": 3, "1": 1, "7": 0} {
		out := &ec2.DescribeLaunchTemplateVersionsOutput{LaunchTemplateVersions: []ec2types.LaunchTemplateVersion{
			version("lt-1", 1, false), version("lt-1", 2, true), version("lt-1", 3, false), version("lt-2", 7, true),
		}}
		err := chooseVersion(&ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: aws.String("lt-1"), Versions: []string{wanted}}, out)
		if number == 0 {
			var none *gather.NoFile
			if !errors.As(err, &none) {
				t.Errorf("%s: %v", wanted, err)
			}
			continue
		}
		if err != nil || len(out.LaunchTemplateVersions) != 1 || aws.ToInt64(out.LaunchTemplateVersions[0].VersionNumber) != number {
			t.Errorf("%s: %+v, %v", wanted, out.LaunchTemplateVersions, err)
		}
	}
}

func TestKebab(t *testing.T) {
	for name, want := range map[string]string{
		"DescribeNatGateways": "describe-nat-gateways", "DescribeDBInstances": "describe-db-instances", "StackName": "stack-name", "GetRole": "get-role",
	} {
		if got := kebab(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
