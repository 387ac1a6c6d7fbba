package cloud

import (
	"slices"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Request says what to read. Cluster is always needed; a section whose
// parameters are empty is read as far as it makes sense without, which may be
// with no call at all.
type Request struct {
	// Cluster is the EKS cluster's name.
	Cluster string
	// Sections limits the reading; nil is everything that the parameters
	// ask for.
	Sections []snapshot.Section

	InstanceTypes    []string   // SectionInstanceTypes, SectionOfferings, SectionQuotas
	Image            ImageQuery // SectionImages
	ImageIDs         []string   // SectionImages: these are read, and Image is not looked up
	KeyName          string     // SectionKeyPairs: empty reads none
	KeyNames         []string   // SectionKeyPairs: more of them
	SecurityGroupIDs []string   // SectionSecurityGroups, beside the cluster security group
	// AllSecurityGroups reads those of the cluster's whole VPC instead: the
	// ones on machines and endpoints are not known beforehand.
	AllSecurityGroups bool
	StackNames        []string // SectionStacks
	// StackFailures reads, for stacks that are in trouble, what could not be
	// made: a call or more for each.
	StackFailures bool
	// Principals are role ARNs whose access entries are described in full.
	Principals []string
	// ListEntries lists the principals of all access entries, without
	// their types.
	ListEntries bool
	// RoleNames and InstanceProfiles (names) are read one by one;
	// AllProfiles reads every instance profile of the account instead, a
	// flat number of calls however many groups there are. Roles that an
	// earlier reading found stay.
	RoleNames        []string
	InstanceProfiles []string
	AllProfiles      bool
	// Groups limits SectionActivities, SectionLaunch and SectionInstances
	// to groups with these names; empty: all of the cluster.
	Groups []string
	// ConsoleOf are the instance ids for SectionConsole, one call each.
	ConsoleOf []string
	// UserDataOf are the instance ids for SectionUserData, one call each.
	UserDataOf []string
}

// Sources returns the readers for a request.
func (c *Client) Sources(req Request) []gather.Source {
	var sources []gather.Source
	for _, source := range c.all(req) {
		if req.Sections == nil || slices.Contains(req.Sections, source.Section) {
			sources = append(sources, source)
		}
	}
	return sources
}

func (c *Client) all(req Request) []gather.Source {
	const (
		cluster = snapshot.SectionCluster
		subnets = snapshot.SectionSubnets
		groups  = snapshot.SectionGroups
	)
	r := reader{Client: c, req: req}
	return []gather.Source{
		{Section: cluster, Read: r.cluster},
		{Section: snapshot.SectionAccessEntries, After: after(cluster), Read: r.accessEntries},
		{Section: subnets, After: after(cluster), Read: r.subnets},
		{Section: snapshot.SectionRouteTables, After: after(cluster), Read: r.routeTables},
		{Section: snapshot.SectionSecurityGroups, After: after(cluster), Read: r.securityGroups},
		{Section: snapshot.SectionInstanceTypes, Read: r.instanceTypes},
		{Section: snapshot.SectionOfferings, Read: r.offerings},
		{Section: snapshot.SectionImages, After: r.beforeImages(), Read: r.images},
		{Section: snapshot.SectionKeyPairs, Read: r.keyPairs},
		{Section: snapshot.SectionQuotas, Read: r.quotas},
		{Section: snapshot.SectionStacks, Read: r.stacks},
		{Section: snapshot.SectionRoles, Read: r.roles},
		{Section: snapshot.SectionRolePolicies, After: after(snapshot.SectionRoles), Read: r.rolePolicies},
		{Section: snapshot.SectionClusterRole, After: after(cluster), Read: r.clusterRole},
		{Section: snapshot.SectionCNIRole, Read: r.cniRole},
		{Section: groups, Read: r.groups},
		{Section: snapshot.SectionLaunch, After: after(groups), Read: r.launch},
		{Section: snapshot.SectionActivities, After: after(groups), Read: r.activities},
		{Section: snapshot.SectionInstances, After: after(groups), Read: r.instances},
		{Section: snapshot.SectionConsole, Read: r.consoles},
		{Section: snapshot.SectionUserData, Read: r.userData},
		{Section: snapshot.SectionVPC, After: after(cluster), Read: r.vpc},
		{Section: snapshot.SectionDHCPOptions, After: after(snapshot.SectionVPC), Read: r.dhcpOptions},
		{Section: snapshot.SectionNATGateways, After: after(cluster), Read: r.natGateways},
		{Section: snapshot.SectionInternetGateways, After: after(cluster), Read: r.internetGateways},
		{Section: snapshot.SectionVPCEndpoints, After: after(cluster), Read: r.vpcEndpoints},
		{Section: snapshot.SectionNetworkACLs, After: after(cluster), Read: r.networkACLs},
		{Section: snapshot.SectionInstanceStatus, After: after(snapshot.SectionInstances), Read: r.instanceStatus},
	}
}

func after(sections ...snapshot.Section) []snapshot.Section { return sections }

// reader is a client bound to one request.
type reader struct {
	*Client
	req Request
}
