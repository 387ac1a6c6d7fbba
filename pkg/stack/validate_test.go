package stack_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/stack"
)

func TestBuildRefuses(t *testing.T) {
	tests := []struct {
		want string
		edit func(*stack.Input)
	}{
		{"node group name is missing", func(in *stack.Input) { in.Group = "" }},
		{"subnets is missing", func(in *stack.Input) { in.Subnets = nil }},
		{"user data is missing", func(in *stack.Input) { in.UserData = nil }},
		{"sizes must satisfy", func(in *stack.Input) { in.Min = 5 }},
		{"sizes must satisfy", func(in *stack.Input) { in.Desired = 5 }},
		{"sizes must satisfy", func(in *stack.Input) { in.Min, in.Desired, in.Max = 0, 0, 0 }},
		{"makes sense with Spot", func(in *stack.Input) { in.Mixed.OnDemandBase = 1 }},
		{"a lifecycle hook needs", func(in *stack.Input) { in.LifecycleHooks = []stack.LifecycleHook{{Seconds: 60}} }},
		{"30 to 7200 seconds", func(in *stack.Input) { in.LifecycleHooks = []stack.LifecycleHook{{Name: "a", Seconds: 29}} }},
		{"30 to 7200 seconds", func(in *stack.Input) { in.LifecycleHooks = []stack.LifecycleHook{{Name: "a", Seconds: 7201}} }},
		{"a warm pool needs", func(in *stack.Input) { in.WarmPool, in.Boot.WarmPool = &stack.WarmPool{Min: 2, Prepared: 1}, true }},
		{"a warm pool needs", func(in *stack.Input) { in.WarmPool, in.Boot.WarmPool = &stack.WarmPool{}, true }},
		{"takes no warm pool", func(in *stack.Input) {
			in.WarmPool, in.Boot.WarmPool, in.Mixed.Spot = &stack.WarmPool{Min: 1, Prepared: 1}, true, true
		}},
		{"would join before", func(in *stack.Input) { in.WarmPool = &stack.WarmPool{Min: 1, Prepared: 1} }},
		{"the group has none", func(in *stack.Input) { in.Boot.WarmPool = true }},
		{"hop limit 65", func(in *stack.Input) { in.HopLimit = 65 }},
		{"needs the ARN of the role", func(in *stack.Input) { in.Role.ProfileARN = "arn:aws:iam::111122223333:instance-profile/p" }},
		{"cannot be given to an existing role", func(in *stack.Input) {
			in.Role.ARN, in.Role.Boundary = "arn:aws:iam::111122223333:role/r", "arn:aws:iam::111122223333:policy/b"
		}},
		{"a path cannot be given", func(in *stack.Input) { in.Role.ARN, in.Role.Path = "arn:aws:iam::111122223333:role/r", "/a/" }},
		{"begin and end with a slash", func(in *stack.Input) { in.Role.Path = "a" }},
		{"not encrypted", func(in *stack.Input) { in.Volume = stack.Volume{KMSKey: "alias/x"} }},
		{"throughput can be set for gp3", func(in *stack.Input) { in.Volume.Type, in.Volume.Throughput = "io2", 500 }},
		{"IOPS can be set for", func(in *stack.Input) { in.Volume.Type, in.Volume.IOPS = "st1", 500 }},
		{"cannot be negative", func(in *stack.Input) { in.Volume.SizeGiB = -1 }},
		{"two volumes have the device /dev/xvda", func(in *stack.Input) {
			in.ExtraVolumes = []stack.Volume{{Device: "/dev/xvda", SizeGiB: 1, Type: "gp3"}}
		}},
		{"needs a device, a size and a type", func(in *stack.Input) { in.ExtraVolumes = []stack.Volume{{Device: "/dev/xvdf", Type: "gp3"}} }},
		{"has 0 sources", func(in *stack.Input) { in.Network.Ingress = []stack.Rule{{Protocol: "-1"}} }},
		{"has 2 sources", func(in *stack.Input) {
			in.Network.Ingress = []stack.Rule{{Protocol: "-1", CIDR: "10.0.0.0/8", PrefixList: "pl-1"}}
		}},
		{"not an address range", func(in *stack.Input) { in.Network.Ingress = []stack.Rule{{Protocol: "-1", CIDR: "10.0.0.1"}} }},
		{"reserved by AWS", func(in *stack.Input) { in.Tags = map[string]string{"AWS:x": "y"} }},
		{"set by this tool", func(in *stack.Input) { in.Tags = map[string]string{product.TagGroup: "y"} }},
		{"set by this tool", func(in *stack.Input) { in.Tags = map[string]string{"kubernetes.io/cluster/demo": "shared"} }},
		{"would have 51 tags", func(in *stack.Input) {
			in.Tags = map[string]string{}
			for i := range 42 {
				in.Tags["t"+strconv.Itoa(i)] = ""
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			in := least(t)
			tt.edit(&in)
			if _, err := stack.Build(in); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one holding %q", err, tt.want)
			}
		})
	}
}

func TestReadOutputs(t *testing.T) {
	all := map[string]string{
		"NodeInstanceRole":     "arn:aws:iam::111122223333:role/nodes/r",
		"NodeSecurityGroup":    "sg-1",
		"NodeAutoScalingGroup": "asg-1",
		"Another":              "x",
	}
	got, err := stack.ReadOutputs(all)
	if err != nil {
		t.Fatal(err)
	}
	want := stack.Outputs{RoleARN: "arn:aws:iam::111122223333:role/nodes/r", SecurityGroup: "sg-1", AutoScalingGroup: "asg-1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	delete(all, "NodeInstanceRole")
	if _, err := stack.ReadOutputs(all); err == nil || !strings.Contains(err.Error(), "NodeInstanceRole") {
		t.Errorf("error %v, want one that names NodeInstanceRole", err)
	}
}

func TestStackTags(t *testing.T) {
	in := least(t)
	in.Tags = map[string]string{"team": "web"}
	want := map[string]string{"team": "web", "eksnodes.dev/cluster": "demo", "eksnodes.dev/group": "blue"}
	if diff := cmp.Diff(want, stack.StackTags(in)); diff != "" {
		t.Errorf("stack tags (-want +got):\n%s", diff)
	}
	if len(in.Tags) != 1 {
		t.Errorf("the input was changed: %v", in.Tags)
	}
}
