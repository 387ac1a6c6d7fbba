package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const (
	docPrivate = "https://docs.aws.amazon.com/eks/latest/userguide/private-clusters.html"
	docNAT     = "https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html"
)

// wayOutChecks walk from a machine to the internet: its subnet's route table,
// the gateway, and the gateway's own way.
func wayOutChecks() []Check {
	const (
		instances = snapshot.SectionInstances
		subnets   = snapshot.SectionSubnets
		routes    = snapshot.SectionRouteTables
		nats      = snapshot.SectionNATGateways
	)
	return []Check{
		{
			ID: "net.blackhole", Title: "default route of the machine's subnet leads somewhere",
			Why:  "When the target of a route is deleted, the route stays and swallows everything.",
			Ref:  "https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html",
			Link: LinkAWSAPI, Needs: sections(instances, subnets, routes, nats), Path: true, Node: blackhole,
		},
		{
			ID: "net.nat", Title: "NAT gateway of the machine's subnet works",
			Why:  "A NAT gateway needs to be available, public, and in a subnet that leads to an internet gateway itself.",
			Ref:  docNAT,
			Link: LinkAWSAPI, Needs: sections(instances, subnets, routes, nats), Path: true, Node: natWorks,
		},
		{
			ID: "net.internet-gateway", Title: "internet gateway of the machine's subnet is the VPC's",
			Why:  "A route to an internet gateway that is not attached to the VPC carries nothing.",
			Ref:  "https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html",
			Link: LinkAWSAPI, Needs: sections(instances, subnets, routes, snapshot.SectionInternetGateways), Path: true, Node: internetGateway,
		},
		{
			ID: "net.private-access", Title: "machine can reach some endpoint of the API server",
			Why:  "Without a way to the internet a machine needs the API server's private endpoint.",
			Ref:  "https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html",
			Link: LinkAPIServer, Needs: sections(instances, subnets, routes, snapshot.SectionCluster), Path: true, Node: privateAccess,
		},
		{
			ID: "net.public-cidrs", Title: "API server's public endpoint lets the machine in",
			Why:  "When the private endpoint is off, machines come to the public one with their NAT's or their own public address, which the list of allowed addresses must hold.",
			Ref:  "https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html",
			Link: LinkAPIServer, Needs: sections(instances, subnets, routes, nats, snapshot.SectionCluster), Path: true, Node: publicCIDRs,
		},
	}
}

// place is where a machine stands in the network.
type place struct {
	subnet *snapshot.Subnet
	table  *snapshot.RouteTable
	way    wayOut
	route  snapshot.Route // the default route
}

// placeOf returns nil for a machine that does not run, or whose subnet or
// route table was not read: it is in another VPC, and another rule says so.
func placeOf(s *snapshot.Snapshot, n *snapshot.Node) *place {
	if n.Cloud == nil || n.Cloud.State != "running" && n.Cloud.State != "pending" {
		return nil
	}
	p := &place{subnet: s.Network.Subnet(n.Cloud.SubnetID), table: s.Network.RouteTableOf(n.Cloud.SubnetID)}
	if p.subnet == nil || p.table == nil {
		return nil
	}
	p.way, p.route = defaultRoute(p.table)
	return p
}

// elsewhere is a route to other networks than the VPC: AWS's APIs, a proxy or
// endpoints that the network shares may be behind it. "" when there is none.
func (p *place) elsewhere() string {
	for _, route := range p.table.Routes {
		for _, kind := range []string{"tgw-", "pcx-", "vgw-", "eni-", "lgw-", "arn:"} {
			if route.State != "blackhole" && strings.HasPrefix(route.Target, kind) {
				return route.Destination + " -> " + route.Target
			}
		}
	}
	return ""
}

// unlessElsewhere makes a warning of a failure for lack of a way out where a
// way to other networks may be one.
func (p *place) unlessElsewhere(results []Result) []Result {
	other := p.elsewhere()
	for i := range results {
		if results[i].Status == report.Fail && other != "" {
			results[i].Status, results[i].Confidence = report.Warn, report.Possible
			results[i].Evidence = append(results[i].Evidence, fact("ec2:DescribeRouteTables", p.table.ID+": "+other))
		}
	}
	return results
}

// isolated reports whether a machine has no way to the internet at all, as
// far as its own subnet is concerned.
func (p *place) isolated(n *snapshot.Node) bool {
	return p.way == wayNone || p.way == wayInternet && n.Cloud.PublicIP == ""
}

func (p *place) evidence() report.Evidence {
	kind := "explicit"
	if p.table.Main && !slices.Contains(p.table.SubnetIDs, p.subnet.ID) {
		kind = "the VPC's main table"
	}
	return fact("ec2:DescribeRouteTables", fmt.Sprintf("%s of %s (%s): 0.0.0.0/0 -> %s (%s)",
		p.table.ID, p.subnet.ID, kind, cmp.Or(p.route.Target, "nothing"), cmp.Or(p.route.State, "no route")))
}

func blackhole(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	p := placeOf(s, n)
	if p == nil {
		return nil
	}
	if p.way != wayBlackhole {
		return pass("no black hole", p.evidence())
	}
	found := []report.Evidence{p.evidence()}
	if nat := s.Network.NATGateway(p.route.Target); nat != nil {
		found = append(found, fact("ec2:DescribeNatGateways", nat.ID+": "+nat.State))
	}
	target := "--nat-gateway-id NAT"
	for _, nat := range s.Network.NATGateways {
		if nat.State == "available" && nat.VPCID == p.subnet.VPCID {
			target = "--nat-gateway-id " + nat.ID
		}
	}
	return fail(report.Certain, fmt.Sprintf("the default route of %s leads into a black hole: %s is gone", p.subnet.ID, p.route.Target),
		do("point the route to a gateway that exists", fmt.Sprintf("aws ec2 replace-route --region %s --route-table-id %s --destination-cidr-block 0.0.0.0/0 %s",
			s.Target.Region, p.table.ID, target)), found...)
}

func natWorks(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	p := placeOf(s, n)
	if p == nil || p.way != wayOther || !strings.HasPrefix(p.route.Target, "nat-") {
		return nil
	}
	nat := s.Network.NATGateway(p.route.Target)
	if nat == nil {
		return fail(report.Likely, fmt.Sprintf("NAT gateway %s of %s does not exist in the VPC", p.route.Target, p.subnet.ID), newNAT(s, p), p.evidence())
	}
	found := []report.Evidence{p.evidence(), fact("ec2:DescribeNatGateways", strings.TrimSpace(fmt.Sprintf("%s in %s: %s, %s %s", nat.ID, nat.SubnetID, nat.State, nat.Connectivity, nat.Failure)))}
	if nat.State == "pending" {
		return warn(report.Certain, fmt.Sprintf("NAT gateway %s is not ready yet", nat.ID), do("wait", fmt.Sprintf(
			"aws ec2 wait nat-gateway-available --region %s --nat-gateway-ids %s", s.Target.Region, nat.ID)), found...)
	}
	if nat.State != "available" {
		return fail(report.Certain, fmt.Sprintf("NAT gateway %s is %s", nat.ID, nat.State), newNAT(s, p), found...)
	}
	if nat.Connectivity == "private" {
		return warn(report.Possible, fmt.Sprintf("NAT gateway %s is private: it leads to other networks, not to the internet by itself", nat.ID),
			do("use a public NAT gateway unless a network behind it leads to the internet"), found...)
	}
	table := s.Network.RouteTableOf(nat.SubnetID)
	if table == nil {
		return pass("the NAT gateway is available", found...)
	}
	way, route := defaultRoute(table)
	found = append(found, fact("ec2:DescribeRouteTables", fmt.Sprintf("%s of %s, the NAT's subnet: 0.0.0.0/0 -> %s", table.ID, nat.SubnetID, cmp.Or(route.Target, "nothing"))))
	// A firewall's endpoint or an appliance may stand between the two.
	if way == wayNone || way == wayBlackhole || strings.HasPrefix(route.Target, "nat-") {
		return fail(report.Certain, fmt.Sprintf("NAT gateway %s stands in %s, which does not lead to an internet gateway", nat.ID, nat.SubnetID),
			do("give the NAT's subnet a route to the internet gateway", fmt.Sprintf("aws ec2 create-route --region %s --route-table-id %s --destination-cidr-block 0.0.0.0/0 --gateway-id IGW",
				s.Target.Region, table.ID)), found...)
	}
	return pass("the NAT gateway works and leads to the internet", found...)
}

func newNAT(s *snapshot.Snapshot, p *place) report.Fix {
	return do("make a NAT gateway in a public subnet, then point the route to it",
		fmt.Sprintf("aws ec2 create-nat-gateway --region %s --subnet-id PUBLIC-SUBNET --allocation-id ALLOCATION", s.Target.Region),
		fmt.Sprintf("aws ec2 replace-route --region %s --route-table-id %s --destination-cidr-block 0.0.0.0/0 --nat-gateway-id NAT", s.Target.Region, p.table.ID))
}

func internetGateway(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	p := placeOf(s, n)
	if p == nil {
		return nil
	}
	if p.way != wayInternet {
		return pass("the subnet does not use one directly", p.evidence())
	}
	i := slices.IndexFunc(s.Network.InternetGateways, func(g snapshot.InternetGateway) bool { return g.ID == p.route.Target })
	if i < 0 || !slices.Contains(s.Network.InternetGateways[i].VPCIDs, p.subnet.VPCID) {
		return fail(report.Certain, fmt.Sprintf("internet gateway %s is not attached to %s", p.route.Target, p.subnet.VPCID), do("attach it", fmt.Sprintf(
			"aws ec2 attach-internet-gateway --region %s --internet-gateway-id %s --vpc-id %s", s.Target.Region, p.route.Target, p.subnet.VPCID)),
			p.evidence(), fact("ec2:DescribeInternetGateways", "not attached to "+p.subnet.VPCID))
	}
	return pass("it is attached", p.evidence())
}

func privateAccess(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	p := placeOf(s, n)
	if p == nil {
		return nil
	}
	found := []report.Evidence{p.evidence(), fact("eks:DescribeCluster", fmt.Sprintf("endpoint access: public %t, private %t", s.Cluster.EndpointPublic, s.Cluster.EndpointPrivate))}
	if s.Cluster.EndpointPrivate || !p.isolated(n) {
		return pass("it can", found...)
	}
	summary := fmt.Sprintf("%s has no default route, and the API server has no private endpoint", p.subnet.ID)
	if p.way == wayInternet {
		summary = fmt.Sprintf("the machine has no public address for the internet gateway of %s, and the API server has no private endpoint", p.subnet.ID)
		found = append(found, fact("ec2:DescribeInstances", n.InstanceID+": no public address"))
	}
	return p.unlessElsewhere(fail(report.Certain, summary, do("turn the private endpoint on, or give the machines a way out", fmt.Sprintf(
		"aws eks update-cluster-config --region %s --name %s --resources-vpc-config endpointPrivateAccess=true", s.Target.Region, s.Cluster.Name)), found...))
}

// outsideAddresses are the addresses that a machine shows to the internet;
// none when they are not known.
func outsideAddresses(s *snapshot.Snapshot, n *snapshot.Node, p *place) []string {
	switch {
	case p.way == wayInternet && n.Cloud.PublicIP != "":
		return []string{n.Cloud.PublicIP}
	case p.way == wayOther:
		if nat := s.Network.NATGateway(p.route.Target); nat != nil && nat.Connectivity != "private" {
			return nat.PublicIPs
		}
	}
	return nil
}

func publicCIDRs(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	p := placeOf(s, n)
	if p == nil {
		return nil
	}
	access := fact("eks:DescribeCluster", fmt.Sprintf("endpoint access: private %t, public %t from %s", s.Cluster.EndpointPrivate, s.Cluster.EndpointPublic, orNone(s.Cluster.PublicAccessCIDRs)))
	if s.Cluster.EndpointPrivate || !s.Cluster.EndpointPublic {
		return pass("the machine uses the private endpoint", access)
	}
	addresses := outsideAddresses(s, n, p)
	if len(addresses) == 0 {
		return nil
	}
	var refused []string
	for _, address := range addresses {
		if !slices.ContainsFunc(s.Cluster.PublicAccessCIDRs, func(cidr string) bool { return covers(cidr, address) }) {
			refused = append(refused, address)
		}
	}
	if len(refused) == 0 {
		return pass("its address is allowed", access, p.evidence())
	}
	var allowed []string
	for _, cidr := range s.Cluster.PublicAccessCIDRs {
		allowed = append(allowed, `"`+cidr+`"`)
	}
	for _, address := range refused {
		allowed = append(allowed, `"`+address+`/32"`)
	}
	return fail(report.Certain, fmt.Sprintf("machines come to the API server from %s, which its public endpoint does not allow", strings.Join(refused, ", ")),
		do("turn the private endpoint on, or allow the address",
			fmt.Sprintf("aws eks update-cluster-config --region %s --name %s --resources-vpc-config endpointPrivateAccess=true", s.Target.Region, s.Cluster.Name),
			fmt.Sprintf("aws eks update-cluster-config --region %s --name %s --resources-vpc-config '{\"publicAccessCidrs\":[%s]}'", s.Target.Region, s.Cluster.Name, strings.Join(allowed, ","))),
		access, p.evidence())
}
