package nodegroup

import (
	"encoding/base64"
	"fmt"
	"maps"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/stack"
	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
)

// stackInput is the request in the words of package stack.
func stackInput(snap *snapshot.Snapshot, req *Request, chosen choices) (stack.Input, error) {
	smallest, largest, desired, err := req.Size.Sizes()
	if err != nil {
		return stack.Input{}, err
	}
	role, err := stackRole(snap, req)
	if err != nil {
		return stack.Input{}, err
	}
	cluster := snap.Cluster
	boot := bootConfig(cluster, req)
	text, err := render(req.Family, boot)
	if err != nil {
		return stack.Input{}, fmt.Errorf("user data: %w", err)
	}
	metadata, err := configMetadata(req)
	if err != nil {
		return stack.Input{}, err
	}
	return stack.Input{
		Metadata: metadata, Group: req.Name, Family: stack.Family(req.Family), Boot: boot, UserData: text,
		ClusterSecurityGroup: cluster.ClusterSGID, AuthenticationMode: string(cluster.AuthMode),
		VPC: cluster.VPCID, Subnets: subnetIDs(chosen.subnets), IPv6: cluster.IPFamily == "ipv6",
		Min: smallest, Desired: desired, Max: largest,
		InstanceType: req.InstanceType, Mixed: stack.Mixed(req.Mixed), ImageID: chosen.image.ID, ImageSSMParam: chosen.image.SSMParameter, KeyName: chosen.keyName,
		Volume: stack.Volume{SizeGiB: req.Volume.SizeGiB, Type: req.Volume.Type, IOPS: req.Volume.IOPS, Throughput: req.Volume.Throughput,
			Encrypted: req.Volume.Encrypted, KMSKey: req.Volume.KMSKeyID},
		ExtraVolumes: extraVolumes(req), Role: role,
		Network: stack.Network{Isolated: req.Network.Isolated, SecurityGroups: req.Network.SecurityGroups,
			Ingress: sshRules(req.Network.SSHFrom), PublicIP: chosen.publicIP},
		HopLimit: req.Network.HopLimit,
		Tags:     req.Tags, AutoscalerTags: req.AutoscalerTags, GroupMetrics: req.GroupMetrics, LifecycleHooks: stackHooks(req), WarmPool: stackPool(req),
	}, nil
}

// sshRules let ranges reach port 22.
func sshRules(ranges []string) []stack.Rule {
	var rules []stack.Rule
	for _, cidr := range ranges {
		rules = append(rules, stack.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: cidr, Description: "SSH"})
	}
	return rules
}

func bootConfig(cluster *snapshot.Cluster, req *Request) userdata.Config {
	labels := maps.Clone(req.Kubelet.Labels)
	if req.Family != FamilyCustom || len(req.Boot.UserData) == 0 { // else nobody is there to set it
		if labels == nil {
			labels = map[string]string{}
		}
		labels[stack.LabelNodegroup] = req.Name
	}
	config := userdata.Config{
		Cluster: userdata.Cluster{
			Name: cluster.Name, Endpoint: cluster.Endpoint,
			CA: base64.StdEncoding.EncodeToString([]byte(cluster.CA)), CIDR: cluster.ServiceCIDR,
		},
		Labels: labels, Taints: req.Kubelet.Taints,
		MaxPods: req.Kubelet.MaxPods, KubeletConfig: req.Kubelet.Config,
		PreBootstrap: req.Boot.Before, PostBootstrap: req.Boot.After, WarmPool: req.WarmPool.Asked(),
	}
	if len(req.Boot.UserData) > 0 {
		config.User = [][]byte{req.Boot.UserData}
	}
	if !req.Boot.NoBeacon && req.Family != FamilyBottlerocket {
		config.BeaconDelay = req.Boot.BeaconDelay
	}
	return config
}

func render(family Family, config userdata.Config) ([]byte, error) {
	switch family {
	case FamilyBottlerocket:
		return userdata.Bottlerocket(config)
	case FamilyCustom:
		return userdata.Custom(config)
	}
	return userdata.AL2023(config)
}

// stackRole says which role the nodes get.
func stackRole(snap *snapshot.Snapshot, req *Request) (stack.Role, error) {
	id := req.Identity
	role := stack.Role{
		Boundary:  id.PermissionsBoundary,
		CNIPolicy: snap.Kube.CNIPolicyOnNode == nil || *snap.Kube.CNIPolicyOnNode,
	}
	if id.Role == "" && id.InstanceProfile == "" {
		return role, nil
	}
	for i := range snap.Roles {
		found := &snap.Roles[i]
		if named(id.Role, found.ARN, found.Name) {
			role.ARN = found.ARN
			return role, nil
		}
		for _, profile := range found.InstanceProfiles {
			if named(id.InstanceProfile, profile, nameInARN(profile)) {
				role.ARN, role.ProfileARN = found.ARN, profile
				return role, nil
			}
		}
	}
	if gap, missing := snap.Gap(snapshot.SectionRoles, ""); missing {
		return role, fmt.Errorf("read the nodes' role: %s", gap.Detail)
	}
	return role, fmt.Errorf("IAM has no role %q%s: aws iam list-roles shows those there are", id.Role+id.InstanceProfile,
		map[bool]string{true: " in an instance profile of that name"}[id.InstanceProfile != ""])
}

// named reports whether what the user typed is the ARN or the name.
func named(typed, arn, name string) bool { return typed != "" && (typed == arn || typed == name) }

// roleOfPlan is the role as far as it is known: the user's, else that of a
// stack that stands.
func roleOfPlan(existing *snapshot.Stack, input stack.Input) string {
	if input.Role.ARN == "" && Usable(existing) {
		return existing.Outputs[outputRole]
	}
	return input.Role.ARN
}

// nameInARN is the last part of an ARN's path.
func nameInARN(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
