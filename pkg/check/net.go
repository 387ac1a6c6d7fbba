package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const docNetwork = "https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html"

func netChecks() []Check {
	const (
		groups  = snapshot.SectionGroups
		launch  = snapshot.SectionLaunch
		cluster = snapshot.SectionCluster
		subnets = snapshot.SectionSubnets
		routes  = snapshot.SectionRouteTables
		secs    = snapshot.SectionSecurityGroups
	)
	return []Check{
		{
			ID: "net.subnets", Title: "subnets are in the cluster's VPC",
			Why:  "Machines outside of the cluster's VPC have no way to the control plane's interfaces and no working pod network.",
			Ref:  docNetwork,
			Link: LinkLaunch, Needs: sections(groups, cluster, subnets), Preflight: true, Group: subnetsInVPC,
		},
		{
			ID: "net.free-addresses", Title: "free addresses in the subnets",
			Why:  "Every machine takes addresses of its subnet for itself and for its pods; without any it is not launched.",
			Ref:  docNetwork,
			Link: LinkLaunch, Needs: sections(groups, subnets), Preflight: true, Group: freeAddresses,
		},
		{
			ID: "net.route-out", Title: "way out of the subnets",
			Why:  "A machine must reach the API server, the image registry and AWS's APIs: through a NAT, an internet gateway with a public address, or interface endpoints.",
			Ref:  "https://docs.aws.amazon.com/eks/latest/userguide/private-clusters.html",
			Link: LinkAPIServer, Needs: sections(groups, launch, cluster, subnets, routes), Preflight: true, Group: routeOut,
		},
		{
			ID: "net.security-groups", Title: "security groups exist in the cluster's VPC",
			Why:  "A launch with a security group of another VPC, or of none, fails at once.",
			Ref:  "https://docs.aws.amazon.com/eks/latest/userguide/sec-group-reqs.html",
			Link: LinkLaunch, Needs: sections(groups, launch, cluster, secs), Preflight: true, Group: securityGroups,
		},
		{
			ID: "net.one-tagged-group", Title: "one security group carries the cluster's tag",
			Why:  "Load balancer controllers look for exactly one security group tagged kubernetes.io/cluster/NAME on a node's interface and give up when there are two.",
			Ref:  "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/subnet_discovery/",
			Link: LinkReady, Needs: sections(groups, launch, cluster, secs), Preflight: true, Group: oneTaggedGroup,
		},
	}
}

// standing makes a warning of a failure for a group that has machines: they
// were launched with the same, and other rules judge each of them.
func standing(g *snapshot.Group, results []Result) []Result {
	for i := range results {
		if results[i].Status == report.Fail && !g.Proposed && len(g.InstanceIDs) > 0 {
			results[i].Status, results[i].Confidence = report.Warn, report.Possible
		}
	}
	return results
}

func subnetsInVPC(s *snapshot.Snapshot, g *snapshot.Group) []Result {
	return standing(g, placedInVPC(s, g))
}

func placedInVPC(s *snapshot.Snapshot, g *snapshot.Group) []Result {
	fix := do("choose subnets of the cluster's VPC with --subnets", fmt.Sprintf(
		"aws ec2 describe-subnets --region %s --filters Name=vpc-id,Values=%s", s.Target.Region, s.Cluster.VPCID))
	if len(g.Subnets) == 0 {
		return fail(report.Certain, "the group has no subnet", fix, fact("group", "no subnets"))
	}
	var zones []string
	for _, id := range g.Subnets {
		subnet := s.Network.Subnet(id)
		if subnet == nil {
			return fail(report.Certain, fmt.Sprintf("subnet %s does not exist in %s, the cluster's VPC", id, s.Cluster.VPCID), fix,
				fact("ec2:DescribeSubnets", "not among the subnets of "+s.Cluster.VPCID))
		}
		if subnet.VPCID != s.Cluster.VPCID {
			return fail(report.Certain, fmt.Sprintf("subnet %s is in %s, the cluster is in %s", id, subnet.VPCID, s.Cluster.VPCID), fix,
				fact("ec2:DescribeSubnets", id+": "+subnet.VPCID))
		}
		zones = append(zones, subnet.Zone)
	}
	slices.Sort(zones)
	zones = slices.Compact(zones)
	return pass(fmt.Sprintf("%d subnets in %s", len(g.Subnets), strings.Join(zones, ", ")), fact("ec2:DescribeSubnets", strings.Join(g.Subnets, ", ")))
}

// freeAddresses counts what the machines take that are still to come: those
// that stand have theirs.
func freeAddresses(s *snapshot.Snapshot, g *snapshot.Group) []Result {
	wanted, most := max(g.Desired-len(g.InstanceIDs), 0), max(g.Max-len(g.InstanceIDs), 0)
	total := 0
	var found []report.Evidence
	var empty []string
	for _, id := range g.Subnets {
		subnet := s.Network.Subnet(id)
		if subnet == nil {
			continue
		}
		total += subnet.FreeAddresses
		found = append(found, fact("ec2:DescribeSubnets", fmt.Sprintf("%s (%s): %d free of %s", id, subnet.Zone, subnet.FreeAddresses, subnet.CIDR)))
		if subnet.FreeAddresses == 0 {
			empty = append(empty, id)
		}
	}
	if len(found) == 0 {
		return nil
	}
	fix := do("choose other subnets with --subnets, or add an address range to the VPC")
	switch {
	case total < wanted:
		return fail(report.Certain, fmt.Sprintf("the subnets have %d free addresses for %d machines", total, wanted), fix, found...)
	case len(empty) > 0:
		return warn(report.Certain, "no address is free in "+strings.Join(empty, ", "), fix, found...)
	case total < most:
		return warn(report.Certain, fmt.Sprintf("the subnets have %d free addresses for up to %d machines", total, most), fix, found...)
	}
	return pass(fmt.Sprintf("%d addresses are free", total), found...)
}

// wayOut says how a subnet's traffic to everywhere leaves.
type wayOut string

const (
	wayNone      wayOut = "no default route"
	wayBlackhole wayOut = "a default route into a black hole"
	wayInternet  wayOut = "an internet gateway"
	wayOther     wayOut = "a gateway" // NAT, transit gateway, firewall, appliance
)

func defaultRoute(table *snapshot.RouteTable) (wayOut, snapshot.Route) {
	for _, route := range table.Routes {
		switch {
		case !slices.Contains([]string{everywhere, "0.0.0.0/1", "128.0.0.0/1"}, route.Destination):
			continue
		case route.State == "blackhole":
			return wayBlackhole, route
		case strings.HasPrefix(route.Target, "igw-"):
			return wayInternet, route
		default:
			return wayOther, route
		}
	}
	return wayNone, snapshot.Route{}
}

// routeOut judges the group's subnets before there are machines in them; the
// rules about machines follow their routes further.
func routeOut(s *snapshot.Snapshot, g *snapshot.Group) []Result {
	if len(g.InstanceIDs) > 0 {
		return nil
	}
	var out []Result
	for _, id := range g.Subnets {
		subnet, table := s.Network.Subnet(id), s.Network.RouteTableOf(id)
		if subnet == nil || table == nil {
			continue
		}
		out = append(out, routeOutOf(s.Cluster, &g.Launch, subnet, table)...)
	}
	return out
}

func routeOutOf(cluster *snapshot.Cluster, launch *snapshot.Launch, subnet *snapshot.Subnet, table *snapshot.RouteTable) []Result {
	way, route := defaultRoute(table)
	found := fact("ec2:DescribeRouteTables", fmt.Sprintf("%s of %s: 0.0.0.0/0 -> %s (%s)",
		table.ID, subnet.ID, cmp.Or(route.Target, "nothing"), cmp.Or(route.State, "no route")))
	public := subnet.MapPublicIP
	if launch.PublicIP != nil {
		public = *launch.PublicIP
	}
	switch {
	case way == wayOther, way == wayInternet && public:
		return pass("the default route leads out", found)
	case way == wayBlackhole:
		return fail(report.Certain, fmt.Sprintf("the default route of %s leads into a black hole: %s is gone", subnet.ID, route.Target),
			do("make the route anew", fmt.Sprintf("aws ec2 replace-route --route-table-id %s --destination-cidr-block 0.0.0.0/0 --nat-gateway-id NAT", table.ID)), found)
	case way == wayInternet:
		return isolated(cluster, fmt.Sprintf("%s leads to an internet gateway, but machines get no public address", subnet.ID),
			do("give them one with --public, or use subnets behind a NAT"), found)
	default:
		return isolated(cluster, fmt.Sprintf("%s has no default route", subnet.ID),
			do("use subnets behind a NAT, or make endpoints for ec2, ecr.api, ecr.dkr, s3 and sts in the VPC"), found)
	}
}

// isolated judges a subnet without the internet: with the API server's
// private endpoint on, interface endpoints may still make it work.
func isolated(cluster *snapshot.Cluster, summary string, fix report.Fix, found report.Evidence) []Result {
	endpoint := fact("eks:DescribeCluster", fmt.Sprintf("private endpoint access: %t", cluster.EndpointPrivate))
	if cluster.EndpointPrivate {
		return warn(report.Likely, summary+": machines join only with endpoints for AWS's APIs in the VPC", fix, found, endpoint)
	}
	return fail(report.Certain, summary+", and the API server has no private endpoint", fix, found, endpoint)
}

func securityGroups(s *snapshot.Snapshot, g *snapshot.Group) []Result {
	return standing(g, groupsInVPC(s, g))
}

func groupsInVPC(s *snapshot.Snapshot, g *snapshot.Group) []Result {
	ids := g.Launch.SecurityGroupIDs
	for _, id := range ids {
		group := securityGroup(s, id)
		fix := do("name security groups of the cluster's VPC with --security-groups", fmt.Sprintf(
			"aws ec2 describe-security-groups --region %s --filters Name=vpc-id,Values=%s", s.Target.Region, s.Cluster.VPCID))
		if group == nil {
			return fail(report.Certain, fmt.Sprintf("security group %s does not exist in %s", id, s.Target.Region), fix,
				fact("ec2:DescribeSecurityGroups", "no such group"))
		}
		if group.VPCID != s.Cluster.VPCID {
			return fail(report.Certain, fmt.Sprintf("security group %s is in %s, the cluster is in %s", id, group.VPCID, s.Cluster.VPCID), fix,
				fact("ec2:DescribeSecurityGroups", id+": "+group.VPCID))
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return pass(fmt.Sprintf("%d security groups", len(ids)), fact("ec2:DescribeSecurityGroups", strings.Join(ids, ", ")))
}

func securityGroup(s *snapshot.Snapshot, id string) *snapshot.SecurityGroup {
	i := slices.IndexFunc(s.Network.SecurityGroups, func(g snapshot.SecurityGroup) bool { return g.ID == id })
	if i < 0 {
		return nil
	}
	return &s.Network.SecurityGroups[i]
}

// oneTaggedGroup counts, for a proposed group that does not attach the
// cluster security group, the tagged one that its stack will make.
func oneTaggedGroup(s *snapshot.Snapshot, g *snapshot.Group) []Result {
	tag := "kubernetes.io/cluster/" + s.Cluster.Name
	var tagged []string
	if g.Proposed && !slices.Contains(g.Launch.SecurityGroupIDs, s.Cluster.ClusterSGID) {
		tagged = append(tagged, "the stack's own")
	}
	for _, id := range g.Launch.SecurityGroupIDs {
		group := securityGroup(s, id)
		if group == nil {
			continue
		}
		if _, ok := group.Tags[tag]; ok {
			tagged = append(tagged, id)
		}
	}
	found := fact("ec2:DescribeSecurityGroups", fmt.Sprintf("tagged %s: %s", tag, orNone(tagged)))
	if len(tagged) > 1 {
		return warn(report.Certain, fmt.Sprintf("%d security groups of a node would carry the tag %s", len(tagged), tag),
			do("leave out all but one, or take the tag off; EKS puts it back on the cluster security group"), found)
	}
	return pass("at most one is tagged", found)
}
