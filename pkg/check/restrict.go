package check

import (
	"slices"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// restrict returns the snapshot with nothing in it but the declared sections,
// so that a rule cannot lean on a fact whose absence would not be noticed.
// The target, the time and proposed groups are always there: they are not
// read from anywhere.
func restrict(snap *snapshot.Snapshot, needs []snapshot.Section) *snapshot.Snapshot {
	return newCourt(snap).restrict(needs)
}

func (c *court) restrict(needs []snapshot.Section) *snapshot.Snapshot {
	snap := c.snap
	may := func(section snapshot.Section) bool { return slices.Contains(needs, section) }
	out := &snapshot.Snapshot{CollectedAt: snap.CollectedAt, Target: snap.Target}
	if may(snapshot.SectionCluster) && snap.Cluster != nil {
		out.Cluster = snap.Cluster
	}
	if may(snapshot.SectionAccessEntries) {
		out.Access.Entries = snap.Access.Entries
	}
	if may(snapshot.SectionAwsAuth) {
		out.Access.AwsAuth = snap.Access.AwsAuth
	}
	if may(snapshot.SectionRoles) {
		out.Roles, out.Profiles = restrictRoles(snap.Roles, may), snap.Profiles
	}
	if may(snapshot.SectionClusterRole) {
		out.ClusterRole = snap.ClusterRole
	}
	if may(snapshot.SectionCNIRole) {
		out.CNIRole, out.OIDCProviders = snap.CNIRole, snap.OIDCProviders
	}
	if may(snapshot.SectionStacks) {
		out.Stacks = snap.Stacks
	}
	out.Kube = restrictKube(snap.Kube, may)
	out.Gaps = c.gapsOf(may)
	out.Network = restrictNetwork(snap.Network, may)
	out.Catalog = restrictCatalog(snap.Catalog, may)
	out.Groups = restrictGroups(snap.Groups, may)
	out.Nodes = c.nodes(may)
	return out
}

func restrictKube(in snapshot.Kube, may func(snapshot.Section) bool) (out snapshot.Kube) {
	if may(snapshot.SectionKubeVersion) {
		out.ServerVersion = in.ServerVersion
	}
	if may(snapshot.SectionCNI) {
		out.CNIPolicyOnNode, out.CNIVersion, out.CNIInitVersion = in.CNIPolicyOnNode, in.CNIVersion, in.CNIInitVersion
		out.CNIRoleARN, out.CNISettings = in.CNIRoleARN, in.CNISettings
	}
	if may(snapshot.SectionENIConfigs) {
		out.ENIConfigs = in.ENIConfigs
	}
	if may(snapshot.SectionBindings) {
		out.Bindings = in.Bindings
	}
	out.System = restrictSystem(in.System, may)
	return out
}

func restrictNetwork(in snapshot.Network, may func(snapshot.Section) bool) (out snapshot.Network) {
	if may(snapshot.SectionSubnets) {
		out.Subnets = in.Subnets
	}
	if may(snapshot.SectionRouteTables) {
		out.RouteTables = in.RouteTables
	}
	if may(snapshot.SectionSecurityGroups) {
		out.SecurityGroups = in.SecurityGroups
	}
	restrictVPC(in, may, &out)
	return out
}

func restrictCatalog(in snapshot.Catalog, may func(snapshot.Section) bool) (out snapshot.Catalog) {
	if may(snapshot.SectionInstanceTypes) {
		out.InstanceTypes = in.InstanceTypes
	}
	if may(snapshot.SectionOfferings) {
		out.Offerings = in.Offerings
	}
	if may(snapshot.SectionImages) {
		out.Images = in.Images
	}
	if may(snapshot.SectionKeyPairs) {
		out.KeyPairs = in.KeyPairs
	}
	if may(snapshot.SectionQuotas) {
		out.QuotaCode, out.VCPUQuota, out.VCPUInUse = in.QuotaCode, in.VCPUQuota, in.VCPUInUse
	}
	return out
}

func restrictGroups(in []snapshot.Group, may func(snapshot.Section) bool) []snapshot.Group {
	var out []snapshot.Group
	for _, group := range in {
		if group.Proposed {
			out = append(out, group)
			continue
		}
		if !may(snapshot.SectionGroups) {
			continue
		}
		if !may(snapshot.SectionLaunch) {
			group.Launch = snapshot.Launch{}
		}
		if !may(snapshot.SectionActivities) {
			group.Activities = nil
		}
		out = append(out, group)
	}
	return out
}

func restrictNodes(in []snapshot.Node, may func(snapshot.Section) bool) []snapshot.Node {
	var out []snapshot.Node
	for _, node := range in {
		seen := snapshot.Node{InstanceID: node.InstanceID, Group: node.Group, Warm: node.Warm}
		if may(snapshot.SectionInstances) {
			seen.Cloud = node.Cloud
		}
		if may(snapshot.SectionNodes) {
			seen.Kube = node.Kube
		}
		if may(snapshot.SectionUserData) {
			seen.UserData = node.UserData
		}
		if may(snapshot.SectionConsole) {
			seen.Console, seen.Logs = node.Console, node.Logs
		}
		if may(snapshot.SectionInstanceStatus) {
			seen.Status = node.Status
		}
		if may(snapshot.SectionHost) {
			seen.Host = node.Host
		}
		out = append(out, seen)
	}
	return out
}

func restrictRoles(in []snapshot.Role, may func(snapshot.Section) bool) []snapshot.Role {
	out := slices.Clone(in)
	for i := range out {
		if !may(snapshot.SectionRolePolicies) {
			out[i].Policies = nil
		}
	}
	return out
}
