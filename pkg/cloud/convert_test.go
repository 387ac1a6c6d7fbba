package cloud

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	ekstypes "github.com/aws/aws-sdk-go-v2/service/eks/types"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

func TestNameAndTool(t *testing.T) {
	for name, test := range map[string]struct {
		asg        string
		tags       map[string]string
		name, tool string
	}{
		"ours":                    {"s-NodeGroup-1", map[string]string{product.TagGroup: "workers", "aws:cloudformation:stack-name": "s"}, "workers", ToolEKSNodes},
		"eksctl":                  {"eksctl-demo-nodegroup-ng-NodeGroup-1", map[string]string{"alpha.eksctl.io/nodegroup-name": "ng", "aws:cloudformation:stack-name": "eksctl-demo-nodegroup-ng"}, "ng", ToolEksctl},
		"managed":                 {"eks-ng-1", map[string]string{"eks:nodegroup-name": "ng", "alpha.eksctl.io/nodegroup-name": "ng"}, "ng", ToolManaged},
		"terraform":               {"blue-20260213141146123400000001", nil, "blue", ToolTerraform},
		"terraform, no own name":  {"20260213141146123400000001", nil, "20260213141146123400000001", ToolTerraform},
		"AWS's template":          {"stack-NodeGroup-1", map[string]string{"aws:cloudformation:stack-name": "stack", "Name": "demo-ng-Node"}, "ng", ToolCloudFormation},
		"another template":        {"stack-ASG-1", map[string]string{"aws:cloudformation:stack-name": "stack", "Name": "x"}, "stack-ASG-1", ToolCloudFormation},
		"by hand":                 {"by-hand", map[string]string{"Name": "demo-ng-Node"}, "by-hand", ToolOther},
		"a date is not terraform": {"blue-20260213", nil, "blue-20260213", ToolOther},
	} {
		t.Run(name, func(t *testing.T) {
			in := astypes.AutoScalingGroup{AutoScalingGroupName: aws.String(test.asg)}
			in.Tags = append(in.Tags, astypes.TagDescription{Key: aws.String("kubernetes.io/cluster/demo"), Value: aws.String("owned")})
			for key, value := range test.tags {
				in.Tags = append(in.Tags, astypes.TagDescription{Key: aws.String(key), Value: aws.String(value)})
			}
			got := ConvertGroup(in)
			if got.Name != test.name || got.Tool != test.tool || got.Cluster != "demo" {
				t.Errorf("name %q, tool %q, cluster %q", got.Name, got.Tool, got.Cluster)
			}
		})
	}
}

func TestMixedInstances(t *testing.T) {
	got := ConvertGroup(astypes.AutoScalingGroup{MixedInstancesPolicy: &astypes.MixedInstancesPolicy{LaunchTemplate: &astypes.LaunchTemplate{
		LaunchTemplateSpecification: &astypes.LaunchTemplateSpecification{LaunchTemplateId: aws.String("lt-1"), Version: aws.String("$Latest")},
		Overrides:                   []astypes.LaunchTemplateOverrides{{InstanceType: aws.String("m5.large")}, {}, {InstanceType: aws.String("m6i.large")}},
	}}}).Launch
	if got.TemplateID != "lt-1" || got.TemplateVersion != "$Latest" || strings.Join(got.InstanceTypes, ",") != "m5.large,m6i.large" {
		t.Errorf("got %+v", got)
	}
}

func TestWarmPools(t *testing.T) {
	if got := ConvertGroup(astypes.AutoScalingGroup{}).WarmPool; got != nil {
		t.Errorf("a group without one has %+v", got)
	}
	for name, test := range map[string]struct {
		config astypes.WarmPoolConfiguration
		size   *int32
		want   snapshot.WarmPool
	}{
		"nothing but that it is": {astypes.WarmPoolConfiguration{}, nil, snapshot.WarmPool{State: "stopped"}},
		"all": {astypes.WarmPoolConfiguration{MinSize: aws.Int32(1), MaxGroupPreparedCapacity: aws.Int32(6), PoolState: astypes.WarmPoolStateRunning, Status: astypes.WarmPoolStatusPendingDelete},
			aws.Int32(2), snapshot.WarmPool{State: "running", Size: 2, Min: 1, Prepared: 6, Status: "PendingDelete"}},
		"a bound taken back": {astypes.WarmPoolConfiguration{MaxGroupPreparedCapacity: aws.Int32(-1)}, nil, snapshot.WarmPool{State: "stopped"}},
	} {
		got := ConvertGroup(astypes.AutoScalingGroup{WarmPoolConfiguration: &test.config, WarmPoolSize: test.size}).WarmPool
		if got == nil || *got != test.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestMachinesOfAWarmPoolAreKnown: they carry their group's tag and are not in
// its list.
func TestMachinesOfAWarmPoolAreKnown(t *testing.T) {
	pools := map[string]string{"asg-1": "workers"}
	for name, test := range map[string]struct {
		state, asg string
		warm       bool
	}{
		"stopped": {"stopped", "asg-1", true}, "running": {"running", "asg-1", true}, "just launched": {"pending", "asg-1", true},
		"ended": {"terminated", "asg-1", false}, "about to": {"shutting-down", "asg-1", false},
		"of a group without a pool": {"stopped", "asg-2", false}, "of none": {"stopped", "", false},
	} {
		machine := snapshot.Instance{State: test.state, Tags: map[string]string{}}
		if test.asg != "" {
			machine.Tags["aws:autoscaling:groupName"] = test.asg
		}
		if group, warm := inPool(&machine, pools); warm != test.warm || warm && group != "workers" {
			t.Errorf("%s: %q %t", name, group, warm)
		}
	}
}

// TestAWarmPoolTakesNoFurtherCall: its machines are told apart from strays by
// what is read anyway, also when one group is asked for.
func TestAWarmPoolTakesNoFurtherCall(t *testing.T) {
	f := newFake(t)
	group := strings.Replace(f.canned("DescribeAutoScalingGroups"), "<MinSize>1</MinSize>",
		"<MinSize>1</MinSize><WarmPoolSize>1</WarmPoolSize><WarmPoolConfiguration><PoolState>Stopped</PoolState><MinSize>1</MinSize></WarmPoolConfiguration>", 1)
	f.answer("DescribeAutoScalingGroups", http.StatusOK, group)
	const other = "<instanceId>i-3</instanceId><instanceState><name>running</name></instanceState>"
	machines := strings.Replace(f.canned("DescribeInstances"), other, "<instanceId>i-3</instanceId><instanceState><name>stopped</name></instanceState>"+
		"<tagSet><item><key>aws:autoscaling:groupName</key><value>asg-1</value></item></tagSet>", 1)
	f.answer("DescribeInstances", http.StatusOK, machines)
	for _, groups := range [][]string{nil, {"workers"}} {
		snap, gaps := gathered(t, f, Request{Groups: groups, Sections: []snapshot.Section{snapshot.SectionGroups, snapshot.SectionInstances}})
		if len(gaps) > 0 {
			t.Fatalf("gaps %+v", gaps)
		}
		i := slices.IndexFunc(snap.Nodes, func(n snapshot.Node) bool { return n.InstanceID == "i-3" })
		if i < 0 || !snap.Nodes[i].Warm || snap.Nodes[i].Group != "workers" {
			t.Errorf("of %v: %+v", groups, snap.Nodes)
		}
		if n := slices.IndexFunc(snap.Nodes, func(n snapshot.Node) bool { return n.InstanceID == "i-1" }); snap.Nodes[n].Warm {
			t.Error("a member counts as warm")
		}
	}
	if ops := f.ops(); slices.Contains(ops, "DescribeWarmPool") || len(ops) != 4 {
		t.Errorf("calls %v", ops)
	}
}

func TestOldAndIPv6Clusters(t *testing.T) {
	if got := ConvertCluster(ekstypes.Cluster{}); got.AuthMode != snapshot.AuthConfigMap || got.IPFamily != "ipv4" {
		t.Errorf("a cluster that says nothing: %+v", got)
	}
	got := ConvertCluster(ekstypes.Cluster{
		CertificateAuthority:    &ekstypes.Certificate{Data: aws.String("not base64!")},
		KubernetesNetworkConfig: &ekstypes.KubernetesNetworkConfigResponse{IpFamily: ekstypes.IpFamilyIpv6, ServiceIpv6Cidr: aws.String("fd30::/108")},
	})
	if got.IPFamily != "ipv6" || got.ServiceCIDR != "fd30::/108" || got.CA != "not base64!" {
		t.Errorf("got %+v", got)
	}
}

func TestImageParameter(t *testing.T) {
	on := func(arch, gpu string, neuron bool) snapshot.InstanceType {
		return snapshot.InstanceType{Name: "t", Architectures: []string{"i386", arch}, GPU: gpu, Neuron: neuron}
	}
	const al, br = "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/", "/aws/service/bottlerocket/aws-k8s-1.34"
	for want, test := range map[string]struct {
		query ImageQuery
		on    snapshot.InstanceType
	}{
		al + "x86_64/standard/recommended/image_id": {ImageQuery{}, on("x86_64", "", false)},
		al + "arm64/standard/recommended/image_id":  {ImageQuery{Family: FamilyAL2023}, on("arm64", "", false)},
		al + "x86_64/nvidia/recommended/image_id":   {ImageQuery{}, on("x86_64", "NVIDIA", false)},
		al + "arm64/nvidia/recommended/image_id":    {ImageQuery{}, on("arm64", "NVIDIA", false)},
		al + "x86_64/neuron/recommended/image_id":   {ImageQuery{}, on("x86_64", "", true)},
		br + "/x86_64/latest/image_id":              {ImageQuery{Family: FamilyBottlerocket}, on("x86_64", "", false)},
		br + "/arm64/latest/image_id":               {ImageQuery{Family: FamilyBottlerocket}, on("arm64", "", false)},
		br + "-nvidia/x86_64/latest/image_id":       {ImageQuery{Family: FamilyBottlerocket}, on("x86_64", "NVIDIA", false)},
		br + "-nvidia/arm64/latest/image_id":        {ImageQuery{Family: FamilyBottlerocket}, on("arm64", "NVIDIA", false)},
		br + "-fips/x86_64/latest/image_id":         {ImageQuery{Family: FamilyBottlerocket, FIPS: true}, on("x86_64", "", false)},
		br + "-fips/arm64/latest/image_id":          {ImageQuery{Family: FamilyBottlerocket, FIPS: true}, on("arm64", "", false)},
	} {
		if got, err := ImageParameter(test.query, "1.34", test.on); err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	for name, test := range map[string]struct {
		query ImageQuery
		on    snapshot.InstanceType
	}{
		"neuron on arm":    {ImageQuery{}, on("arm64", "", true)},
		"fips on al2023":   {ImageQuery{FIPS: true}, on("x86_64", "", false)},
		"custom":           {ImageQuery{Family: FamilyCustom}, on("x86_64", "", false)},
		"mac":              {ImageQuery{}, on("arm64_mac", "", false)},
		"fips with nvidia": {ImageQuery{Family: FamilyBottlerocket, FIPS: true}, on("x86_64", "NVIDIA", false)},
	} {
		if got, err := ImageParameter(test.query, "1.34", test.on); err == nil {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestQuotaCode(t *testing.T) {
	for instanceType, want := range map[string]string{
		"m7i.large": "L-1216C47A", "t3.medium": "L-1216C47A", "c6g.large": "L-1216C47A", "im4gn.large": "L-1216C47A", "d3.xlarge": "L-1216C47A",
		"hs1.8xlarge": "L-1216C47A", "i4i.large": "L-1216C47A", "g5.xlarge": "L-DB2E81BA", "gr6.4xlarge": "L-DB2E81BA", "vt1.3xlarge": "L-DB2E81BA",
		"p5.48xlarge": "L-417A185B", "inf2.xlarge": "L-1945791B", "trn1.2xlarge": "L-2C3B7624", "x2idn.16xlarge": "L-7295265B", "f2.6xlarge": "L-74FC7D96",
		"dl1.24xlarge": "L-6E869C2A", "hpc7a.96xlarge": "L-F7808C92", "u-6tb1.metal": "L-43DA4232", "u7i-12tb.224xlarge": "L-43DA4232", "z1d.large": "L-1216C47A",
	} {
		if got := QuotaCode(instanceType); got != want {
			t.Errorf("%s: %s, want %s", instanceType, got, want)
		}
	}
}
