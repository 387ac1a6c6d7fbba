package nodegroup

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/stack"
)

// defaultHopLimit is the builtin template's: pods reach IMDS, as the AWS
// SDKs in them may need without a role of their own.
const defaultHopLimit = 2

// proposed is the group as it will be, in the words of the snapshot, so that
// the rules for groups that exist also judge one that does not.
func proposed(plan *Plan, req *Request, input stack.Input) snapshot.Group {
	group := snapshot.Group{
		Name: plan.Group, Cluster: plan.Cluster, Tool: ToolOurs, Proposed: true,
		Min: input.Min, Max: input.Max, Desired: input.Desired,
		Subnets: input.Subnets, Tags: plan.Stack.Tags,
		InstanceTags: map[string]string{"kubernetes.io/cluster/" + plan.Cluster: "owned"},
		Launch: snapshot.Launch{
			ImageID: input.ImageID, InstanceTypes: req.InstanceTypes(), KeyName: input.KeyName,
			InstanceProfile: input.Role.ProfileARN, RoleARN: input.Role.ARN, PublicIP: input.Network.PublicIP,
			HTTPTokens: "required", HopLimit: cmp.Or(input.HopLimit, defaultHopLimit),
			VolumeSizeGiB: input.Volume.SizeGiB, VolumeType: input.Volume.Type, UserData: plan.UserData,
			SecurityGroupIDs: slices.Clone(req.Network.SecurityGroups),
		},
	}
	maps.Copy(group.InstanceTags, plan.Stack.Tags)
	if !req.Network.Isolated {
		group.Launch.SecurityGroupIDs = append([]string{input.ClusterSecurityGroup}, group.Launch.SecurityGroupIDs...)
	}
	for _, subnet := range plan.Subnets {
		if !slices.Contains(group.Zones, subnet.Zone) {
			group.Zones = append(group.Zones, subnet.Zone)
		}
	}
	if plan.ImportKey != "" {
		group.Launch.KeyName = "" // it does not exist yet, and need not
	}
	return group
}

// differences compares an existing stack with the plan: its parameters, and
// the template when the same version of this product made it.
func differences(plan *Plan) []Difference {
	existing := plan.Existing
	if !Usable(existing) {
		return nil
	}
	var out []Difference
	for _, key := range slices.Sorted(maps.Keys(plan.Stack.Parameters)) {
		want := plan.Stack.Parameters[key]
		if have, ok := existing.Parameters[key]; ok && !sameValue(key, have, want) {
			out = append(out, Difference{Setting: cmp.Or(settingOf()[key], key), Have: have, Want: want})
		}
	}
	sameMaker := existing.Tags[product.TagVersion] == plan.Stack.Tags[product.TagVersion]
	have, want := existing.Tags[TagDigest], plan.Stack.Tags[TagDigest]
	if len(out) == 0 && sameMaker && len(have) > 8 && have != want {
		out = append(out, Difference{Setting: "labels, taints, boot, volume or network options", Have: "digest " + have[:8], Want: "digest " + want[:8]})
	}
	return out
}

// sameValue compares two values of a parameter; "3" and "3.0" are the same
// number to CloudFormation, a sorted list the same list.
func sameValue(key, have, want string) bool {
	if have == want {
		return true
	}
	if key == "Subnets" {
		return slices.Equal(sortedList(have), sortedList(want))
	}
	a, errA := strconv.ParseFloat(have, 64)
	b, errB := strconv.ParseFloat(want, 64)
	return errA == nil && errB == nil && a == b
}

// settingOf names the flag that sets a parameter.
func settingOf() map[string]string {
	return map[string]string{
		"NodeAutoScalingGroupMinSize":         "--min",
		"NodeAutoScalingGroupDesiredCapacity": "--desired",
		"NodeAutoScalingGroupMaxSize":         "--max",
		"NodeInstanceType":                    "--instance-type",
		"NodeImageId":                         "--ami",
		"NodeVolumeSize":                      "--volume-size",
		"NodeVolumeType":                      "--volume-type",
		"KeyName":                             "--key-pair",
		"Subnets":                             "--subnets",
	}
}
