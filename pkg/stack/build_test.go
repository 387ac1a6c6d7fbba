package stack_test

import (
	"encoding/base64"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/eksnodes/kubectl-eksnodes/pkg/stack"
	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
)

var update = flag.Bool("update", false, "write the golden files anew")

// least is a group with nothing asked for beyond what a group needs.
func least(t *testing.T) stack.Input {
	t.Helper()
	boot := userdata.Config{
		Cluster: userdata.Cluster{
			Name:     "demo",
			Endpoint: "https://0123456789ABCDEF0123456789ABCDEF.gr7.us-east-1.eks.amazonaws.com",
			CA:       base64.StdEncoding.EncodeToString([]byte("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")),
			CIDR:     "10.100.0.0/16",
		},
		Labels: map[string]string{stack.LabelNodegroup: "blue"},
	}
	in := stack.Input{
		Group: "blue", Family: stack.AL2023, Boot: boot,
		ClusterSecurityGroup: "sg-0123456789abcdef0", AuthenticationMode: "API_AND_CONFIG_MAP",
		VPC: "vpc-0123456789abcdef0", Subnets: []string{"subnet-0123456789abcdef0", "subnet-0123456789abcdef1"},
		Min: 1, Desired: 3, Max: 4, InstanceType: "m5.large", ImageID: "ami-0123456789abcdef0",
		ImageSSMParam: "/aws/service/eks/optimized-ami/1.35/amazon-linux-2023/x86_64/standard/recommended/image_id",
		Volume:        stack.Volume{Encrypted: true},
	}
	return withUserData(t, in)
}

func withUserData(t *testing.T, in stack.Input) stack.Input {
	t.Helper()
	var err error
	if in.UserData, err = userdata.AL2023(in.Boot); err != nil {
		t.Fatal(err)
	}
	return in
}

// shapes are the forms the template takes; each is a golden file that cfn-lint reads too (see requirements-lint.txt).
func shapes(t *testing.T) map[string]stack.Input {
	t.Helper()
	shapes := map[string]stack.Input{}
	shape := func(name string, edit func(*stack.Input)) {
		in := least(t)
		edit(&in)
		if in.Family == stack.AL2023 {
			in = withUserData(t, in)
		}
		shapes[name] = in
	}
	yes, no := true, false

	shape("least", func(*stack.Input) {})
	shape("key-pair-and-ssh", func(in *stack.Input) {
		in.KeyName = "ops"
		in.Network.Ingress = []stack.Rule{
			{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "203.0.113.7/32", Description: "SSH from the office"},
			{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "2001:db8::/64"},
			{Protocol: "-1", SourceGroup: "sg-0123456789abcdef1"},
			{Protocol: "udp", FromPort: 53, ToPort: 53, PrefixList: "pl-0123456789abcdef0"},
		}
	})
	shape("isolated", func(in *stack.Input) {
		in.Network.Isolated = true
		in.Network.SecurityGroups = []string{"sg-0123456789abcdef1"}
	})
	shape("ipv6", func(in *stack.Input) {
		in.IPv6, in.Role.CNIPolicy, in.Boot.Cluster.CIDR = true, true, "fd00:1234:5678::/108"
	})
	shape("public", func(in *stack.Input) {
		in.Network.PublicIP = &yes
		in.Network.SecurityGroups = []string{"sg-0123456789abcdef1", "sg-0123456789abcdef2"}
	})
	shape("several-types", func(in *stack.Input) { in.Mixed.Types = []string{"m6i.large", "m5a.large"} })
	shape("spot", func(in *stack.Input) {
		in.Mixed = stack.Mixed{Types: []string{"m6i.large"}, Spot: true, OnDemandBase: 1}
	})
	shape("metrics", func(in *stack.Input) { in.GroupMetrics = true })
	shape("lifecycle-hooks", func(in *stack.Input) {
		in.LifecycleHooks = []stack.LifecycleHook{{Name: "warm", Launching: true, Seconds: 300, Continue: true}, {Name: "drain", Seconds: 3600}}
	})
	shape("warm-pool", func(in *stack.Input) {
		in.WarmPool, in.Boot.WarmPool = &stack.WarmPool{Min: 2, Prepared: 6, Running: true}, true
	})
	shape("private", func(in *stack.Input) { in.Network.PublicIP, in.HopLimit = &no, 1 })
	shape("role-details", func(in *stack.Input) {
		in.Role = stack.Role{Path: "/nodes/", Boundary: "arn:aws:iam::111122223333:policy/edge", CNIPolicy: true,
			WithoutSSMPolicies: true, Policies: []string{"arn:aws:iam::111122223333:policy/b",
				"arn:aws:iam::111122223333:policy/a", "arn:aws:iam::111122223333:policy/b", "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"}}
	})
	shape("existing-role", func(in *stack.Input) { in.Role.ARN = "arn:aws:iam::111122223333:role/nodes/worker" })
	shape("existing-profile", func(in *stack.Input) {
		in.Role.ARN = "arn:aws-cn:iam::111122223333:role/worker"
		in.Role.ProfileARN = "arn:aws-cn:iam::111122223333:instance-profile/worker"
	})
	shape("volume", func(in *stack.Input) {
		in.Volume = stack.Volume{SizeGiB: 100, Type: "gp3", IOPS: 6000, Throughput: 500, Encrypted: true,
			KMSKey: "arn:aws:kms:us-east-1:111122223333:key/0123abcd-0123-0123-0123-0123456789ab"}
		in.IMDSv1 = true
	})
	shape("more-volumes", func(in *stack.Input) {
		in.ExtraVolumes = []stack.Volume{{Device: "/dev/xvdf", SizeGiB: 200, Type: "gp3", Encrypted: true}, {Device: "/dev/xvdg", SizeGiB: 500, Type: "st1"}}
	})
	shape("tags-and-autoscaler", func(in *stack.Input) {
		in.Tags, in.AutoscalerTags = map[string]string{"team": "web", "cost-centre": "42"}, true
		in.Boot.Labels["pool"] = "a"
		in.Boot.Taints = []userdata.Taint{{Key: "spot", Effect: "NoSchedule"}, {Key: "dedicated", Value: "web", Effect: "NoExecute"}}
	})
	shape("shell-parts", func(in *stack.Input) {
		in.Boot.PreBootstrap = []string{`for f in "${HOME}"/*; do echo "${f%.*}" ${!x}; done`}
		in.Boot.BeaconDelay = userdata.DefaultBeaconDelay
	})
	shape("bottlerocket", func(in *stack.Input) {
		in.Family, in.Volume.SizeGiB = stack.Bottlerocket, 50
		var err error
		if in.UserData, err = userdata.Bottlerocket(in.Boot); err != nil {
			t.Fatal(err)
		}
	})
	shape("custom-verbatim", func(in *stack.Input) {
		in.Family, in.UserData, in.Volume.Device = stack.Custom, []byte("#!/bin/bash\n/opt/join.sh\n"), "/dev/sda1"
	})
	return shapes
}

func TestShapes(t *testing.T) {
	for name, in := range shapes(t) {
		t.Run(name, func(t *testing.T) {
			template := build(t, in)
			golden(t, filepath.Join("testdata", name+".yaml"), template.Body)
			if again := build(t, in); again.Body != template.Body {
				t.Error("building again gives other bytes")
			}
			tree := decode(t, template.Body)
			checkParameters(t, tree, template.Parameters)
			if got := userDataOf(t, tree, template.Parameters); got != string(in.UserData) {
				t.Errorf("with its own parameters the template does not give the user data back (-want +got):\n%s",
					cmp.Diff(string(in.UserData), got))
			}
		})
	}
}

// checkParameters holds that values are given for exactly the parameters declared, and that each is used.
func checkParameters(t *testing.T, tree map[string]any, values []stack.Parameter) {
	t.Helper()
	declared := tree["Parameters"].(map[string]any)
	for _, p := range values {
		if _, ok := declared[p.Key]; !ok {
			t.Errorf("parameter %s has a value but no declaration", p.Key)
		}
	}
	if len(values) != len(declared) {
		t.Errorf("%d values for %d parameters", len(values), len(declared))
	}
}

// userDataOf resolves the launch template's user data as CloudFormation would.
func userDataOf(t *testing.T, tree map[string]any, values []stack.Parameter) string {
	t.Helper()
	data := tree["Resources"].(map[string]any)["NodeLaunchTemplate"].(map[string]any)["Properties"].(map[string]any)["LaunchTemplateData"].(map[string]any)
	encoded, plain := data["UserData"].(string)
	if plain {
		text, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	switch text := data["UserData"].(map[string]any)["Fn::Base64"].(type) {
	case string:
		return text
	case map[string]any:
		join := text["Fn::Join"].([]any)
		if join[0] != "" {
			t.Fatalf("user data is joined with %q", join[0])
		}
		var b strings.Builder
		for _, piece := range join[1].([]any) {
			if reference, ok := piece.(map[string]any); ok {
				at := slices.IndexFunc(values, func(p stack.Parameter) bool { return p.Key == reference["Ref"] })
				if at < 0 {
					t.Fatalf("user data refers to %v, which has no value", reference)
				}
				b.WriteString(values[at].Value)
				continue
			}
			b.WriteString(piece.(string))
		}
		return b.String()
	default:
		t.Fatalf("user data is %T", text)
		return ""
	}
}

func TestTemplateFitsAnotherClusterByItsParametersAlone(t *testing.T) {
	in := least(t)
	other := least(t)
	other.Boot.Cluster = userdata.Cluster{Name: "other", Endpoint: "https://other.example.com", CA: "b3RoZXI=", CIDR: "172.20.0.0/16"}
	other = withUserData(t, other)

	body := build(t, in).Body
	if diff := cmp.Diff(body, build(t, other).Body); diff != "" {
		t.Errorf("two clusters give two templates:\n%s", diff)
	}
	if got := userDataOf(t, decode(t, body), build(t, other).Parameters); got != string(other.UserData) {
		t.Errorf("the other's parameters do not give the other's user data:\n%s", got)
	}
}

func TestCapabilities(t *testing.T) {
	in := least(t)
	if got := build(t, in).Capabilities; !slices.Equal(got, []string{"CAPABILITY_IAM"}) {
		t.Errorf("capabilities %v", got)
	}
	in.Role.ARN, in.Role.ProfileARN = "arn:aws:iam::111122223333:role/r", "arn:aws:iam::111122223333:instance-profile/p"
	if got := build(t, in).Capabilities; len(got) != 0 {
		t.Errorf("capabilities %v for a stack that makes no IAM resource", got)
	}
}

func TestManyShortLinesStillFit(t *testing.T) {
	in := least(t)
	in.Boot.PreBootstrap = []string{strings.Repeat("x\n", 7000)}
	in = withUserData(t, in)
	template := build(t, in)
	if len(template.Body) > stack.MaxBody {
		t.Fatalf("template of %d bytes", len(template.Body))
	}
	tree := decode(t, template.Body)
	checkParameters(t, tree, template.Parameters)
	if got := userDataOf(t, tree, template.Parameters); got != string(in.UserData) {
		t.Error("user data changed on the way")
	}
}

func TestTooLarge(t *testing.T) {
	in := least(t)
	in.UserData = []byte(strings.Repeat("x", 2*stack.MaxBody))
	_, err := stack.Build(in)
	var tooLarge *stack.TooLargeError
	if !errors.As(err, &tooLarge) || tooLarge.Limit != stack.MaxBody || tooLarge.Size <= stack.MaxBody {
		t.Errorf("error %v, want a TooLargeError", err)
	}
}

func build(t *testing.T, in stack.Input) stack.Template {
	t.Helper()
	template, err := stack.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	return template
}

func decode(t *testing.T, body string) map[string]any {
	t.Helper()
	var tree map[string]any
	if err := yaml.UnmarshalStrict([]byte(body), &tree); err != nil {
		t.Fatal(err)
	}
	return tree
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run with -update)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
