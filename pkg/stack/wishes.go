package stack

import (
	"fmt"
	"maps"
)

// wishes names what the input asks for that the template has no parameter for. What the builtin template does
// unasked is not among them; see notes.
func wishes(in Input, s Summary) []string {
	boot, arguments := in.Boot, s.has("BootstrapArguments")
	labels := maps.Clone(boot.Labels)
	delete(labels, LabelNodegroup)
	var lost []string
	for _, wish := range []struct {
		words     string
		asked     bool
		expressed bool
	}{
		{"the bottlerocket family", in.Family == Bottlerocket, false},
		{"the group's own user data", len(boot.User) > 0, false},
		{"node labels", len(labels) > 0, arguments},
		{"node taints", len(boot.Taints) > 0, arguments},
		{"a pod limit", boot.MaxPods > 0, arguments},
		{"a pod limit by expression", boot.MaxPodsExpression != "", false},
		{"kubelet configuration", len(boot.KubeletConfig) > 0, false},
		{"kubelet flags", len(boot.KubeletFlags) > 0, arguments},
		{"containerd configuration", boot.ContainerdConfig != "", false},
		{"local storage", boot.LocalStorage != "", false},
		{"nodeadm feature gates", len(boot.FeatureGates) > 0, false},
		{"bootstrap commands", len(boot.PreBootstrap)+len(boot.PostBootstrap) > 0, false},

		{"several instance types", len(in.Mixed.Types) > 0, false},
		{"Spot instances", in.Mixed.Spot, false},
		{"metrics of the group", in.GroupMetrics, false},
		{"a warm pool", in.WarmPool != nil, false},
		{"lifecycle hooks", len(in.LifecycleHooks) > 0, false},

		{"a key pair", in.KeyName != "", s.has("KeyName")},
		{"a hop limit", in.HopLimit > 0, false},
		{"the volume size", in.Volume.SizeGiB > 0, s.has("NodeVolumeSize")},
		{"the volume type", in.Volume.Type != "", s.has("NodeVolumeType")},
		{"volume IOPS or throughput", in.Volume.IOPS+in.Volume.Throughput > 0, false},
		{"a KMS key", in.Volume.KMSKey != "", false},
		{"more volumes", len(in.ExtraVolumes) > 0, false},
		{"the volume's device", in.Volume.Device != "", false},

		{"an existing role or instance profile", in.Role.ARN != "" || in.Role.ProfileARN != "", false},
		{"the role's path, boundary or policies", in.Role.Path != "" || in.Role.Boundary != "" || len(in.Role.Policies) > 0, false},
		{"further security groups", len(in.Network.SecurityGroups) > 0, false},
		{"ingress rules", len(in.Network.Ingress) > 0, false},
		{"public addresses on or off", in.Network.PublicIP != nil, false},
		{"IPv6 addresses", in.IPv6, false},
		{"the cluster autoscaler's tags", in.AutoscalerTags, false},
	} {
		if wish.asked && !wish.expressed {
			lost = append(lost, wish.words)
		}
	}
	return lost
}

// notes says how the group will differ from the builtin template's, where nobody asked.
func notes(in Input, s Summary) []string {
	var notes []string
	if in.Boot.BeaconDelay > 0 {
		notes = append(notes, "nodes carry no boot beacon")
	}
	if !in.Network.Isolated {
		notes = append(notes, "nodes get the template's own tagged security group, and the cluster security group is not attached")
	}
	if !in.IMDSv1 && !s.has("DisableIMDSv1") {
		notes = append(notes, "whether IMDSv1 is refused is up to the template")
	}
	if in.Volume.Encrypted && in.Volume.KMSKey == "" {
		notes = append(notes, "whether the volume is encrypted is up to the account's default")
	}
	if in.Max < in.Desired+1 {
		notes = append(notes, fmt.Sprintf("AWS's template updates nodes one by one and needs room for one more: "+
			"with max %d and desired %d a later stack update would fail", in.Max, in.Desired))
	}
	return notes
}
