package nodegroup

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/eksnodes/kubectl-eksnodes/pkg/groupconfig"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

// metadataOf is what CloudFormation says of a template's metadata.
func metadataOf(t *testing.T, body string) string {
	t.Helper()
	var template struct{ Metadata json.RawMessage }
	if err := yaml.Unmarshal([]byte(body), &template); err != nil {
		t.Fatal(err)
	}
	return string(template.Metadata)
}

// TestTheStackKeepsTheConfig: what a group was made of is read back from its
// template, and does not make it another request.
func TestTheStackKeepsTheConfig(t *testing.T) {
	config := groupconfig.New("blue")
	config.Spec.Labels, config.Spec.KubeletConfig = map[string]string{"a": "<b>"}, map[string]any{"maxPods": 5.0}
	plan := mustPlan(t, snapshottest.Healthy(), request(func(r *Request) { r.Config = config }))
	got, err := RecordedConfig(metadataOf(t, plan.Stack.TemplateBody))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config, got); diff != "" {
		t.Error(diff)
	}
	without := mustPlan(t, snapshottest.Healthy(), request())
	if plan.Stack.Tags[TagDigest] != without.Stack.Tags[TagDigest] {
		t.Error("the config makes it another request")
	}
	if none, err := RecordedConfig(metadataOf(t, without.Stack.TemplateBody)); none != nil || err != nil {
		t.Errorf("%v, %v of a template without", none, err)
	}
}

func TestRecordedConfigThatCannotBeRead(t *testing.T) {
	for metadata, want := range map[string]string{
		"{": "read the metadata of the template",
		`{"` + product.TagPrefix + `config": {"apiVersion": "eksnodes/v9"}}`: `apiVersion "eksnodes/v9": this version reads`,
	} {
		if _, err := RecordedConfig(metadata); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", metadata, err)
		}
	}
	if config, err := RecordedConfig(`{"other": 1}`); config != nil || err != nil {
		t.Errorf("%v, %v", config, err)
	}
}

func ints(n int) *int { return &n }

func TestCurrentConfig(t *testing.T) {
	for name, test := range map[string]struct {
		recorded, want groupconfig.Spec
		parameters     map[string]string
	}{
		"scaled": {groupconfig.Spec{Desired: ints(2)}, groupconfig.Spec{Min: ints(1), Desired: ints(5), Max: ints(6)},
			map[string]string{paramMin: "1", paramDesired: "5", paramMax: "6"}},
		"left open stays open": {groupconfig.Spec{InstanceType: groupconfig.Texts{"m4.large", "m3.large"}}, groupconfig.Spec{InstanceType: groupconfig.Texts{"m5.large", "m3.large"}},
			map[string]string{paramImage: "ami-1", "Subnets": "subnet-a", "NodeInstanceType": "m5.large"}},
		"named and changed": {groupconfig.Spec{AMI: "ami-1", Subnets: []string{"subnet-b", "subnet-a"}}, groupconfig.Spec{AMI: "ami-2", Subnets: []string{"subnet-c"}},
			map[string]string{paramImage: "ami-2", "Subnets": "subnet-c"}},
		"the same in another order": {groupconfig.Spec{Subnets: []string{"subnet-b", "subnet-a"}}, groupconfig.Spec{Subnets: []string{"subnet-b", "subnet-a"}},
			map[string]string{"Subnets": "subnet-a,subnet-b"}},
		"a key pair that was made": {groupconfig.Spec{}, groupconfig.Spec{KeyPair: "made"}, map[string]string{"KeyName": "made"}},
	} {
		t.Run(name, func(t *testing.T) {
			recorded := groupconfig.New("g")
			recorded.Spec = test.recorded
			got, err := CurrentConfig(recorded, &snapshot.Stack{Parameters: test.parameters})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got.Spec); diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, err := CurrentConfig(groupconfig.New("g"), &snapshot.Stack{Name: "s", Parameters: map[string]string{paramMin: "x"}}); err == nil {
		t.Error("a size that is no number was taken")
	}
}

func TestReadBack(t *testing.T) {
	const data = `apiVersion: node.eks.aws/v1alpha1
kind: NodeConfig
spec:
  cluster: {name: demo, apiServerEndpoint: "https://x", certificateAuthority: Yg==, cidr: 10.0.0.0/16}
  kubelet:
    config: {maxPods: 20, registerWithTaints: [{key: a, value: b, effect: NoSchedule}]}
    flags: ["--node-labels=team=x,alpha.eksctl.io/nodegroup-name=ng,eksnodes.dev/group=ng"]
`
	no := false
	d := &Description{
		Listed:  Listed{Name: "ng", Tool: "eksctl", Min: 1, Desired: 2, Max: 3, RoleARN: "arn:role/x"},
		Subnets: []string{"subnet-a"}, ClusterSecurityGroup: "sg-cluster",
		Launch: snapshot.Launch{ImageID: "ami-1", InstanceTypes: []string{"m5.large", "m6i.large"}, PublicIP: &no, HopLimit: 1, VolumeSizeGiB: 30, VolumeType: "gp3",
			SecurityGroupIDs: []string{"sg-cluster", "sg-own", "sg-more"}, UserData: data},
		Stack: &snapshot.Stack{Outputs: map[string]string{outputSecurityGroup: "sg-own"}, Tags: map[string]string{"team": "x"}},
		Image: &ImageAge{Image: snapshot.Image{Name: "amazon-eks-node-al2023-x86_64-standard-1.34-v1"}},
	}
	config, notes := ReadBack(d)
	yes := true
	want := groupconfig.Spec{
		Min: ints(1), Desired: ints(2), Max: ints(3), InstanceType: groupconfig.Texts{"m5.large", "m6i.large"}, AMIFamily: "al2023", AMI: "ami-1", VolumeSize: ints(30), VolumeType: "gp3",
		Subnets: []string{"subnet-a"}, Private: &yes, SecurityGroups: []string{"sg-more"}, HopLimit: ints(1),
		Labels: map[string]string{"team": "x"}, Taints: []string{"a=b:NoSchedule"}, MaxPods: ints(20),
	}
	if diff := cmp.Diff(want, config.Spec); diff != "" {
		t.Error(diff)
	}
	if len(notes) != 1 {
		t.Errorf("notes %q", notes)
	}
}
