package check

import (
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

func network(edit func(*snapshot.Network)) snapshottest.Edit {
	return func(s *snapshot.Snapshot) { edit(&s.Network) }
}

// noWayOut takes the default route of the private subnets away.
func noWayOut(s *snapshot.Snapshot) {
	s.Network.RouteTables[2].Routes = s.Network.RouteTables[2].Routes[:1]
}

// inPublic moves the first machine to a public subnet, with or without a
// public address.
func inPublic(address string) snapshottest.Edit {
	return machine(func(n *snapshot.Node) { n.Cloud.SubnetID, n.Cloud.PublicIP = "subnet-0publica", address })
}

// endpointsFor makes a working endpoint for each of the services.
func withEndpoints(services ...string) snapshottest.Edit {
	return network(func(n *snapshot.Network) {
		for _, name := range services {
			n.Endpoints = append(n.Endpoints, snapshot.VPCEndpoint{
				ID: "vpce-0" + name, VPCID: snapshottest.VPC, Service: "com.amazonaws.us-west-2." + name, Type: "Interface", State: "available",
				SubnetIDs: []string{"subnet-0privatea"}, SecurityGroupIDs: []string{snapshottest.ClusterSG}, PrivateDNS: true, Policy: snapshottest.AllowAll,
			})
		}
	})
}

// lastEndpoint edits the endpoint that was made last.
func lastEndpoint(edit func(*snapshot.VPCEndpoint)) snapshottest.Edit {
	return network(func(n *snapshot.Network) { edit(&n.Endpoints[len(n.Endpoints)-1]) })
}

func sg(i int, edit func(*snapshot.SecurityGroup)) snapshottest.Edit {
	return network(func(n *snapshot.Network) { edit(&n.SecurityGroups[i]) })
}

func netRuleRows() []ruleRow {
	waiting := machine(unregistered)
	rows := func(id string) func(name string, want report.Status, summary string, edits ...snapshottest.Edit) ruleRow {
		return func(name string, want report.Status, summary string, edits ...snapshottest.Edit) ruleRow {
			return ruleRow{id, name, append([]snapshottest.Edit{waiting}, edits...), want, summary}
		}
	}
	var all []ruleRow
	for _, part := range [][]ruleRow{wayOutRows(rows), endpointRows(rows), aclRows(rows), groupRuleRows(rows), dnsRows(rows), familyRows(rows)} {
		all = append(all, part...)
	}
	return all
}

type rowsOf func(id string) func(name string, want report.Status, summary string, edits ...snapshottest.Edit) ruleRow

func wayOutRows(rows rowsOf) []ruleRow {
	hole, nat, gateway := rows("net.blackhole"), rows("net.nat"), rows("net.internet-gateway")
	private, cidrs := rows("net.private-access"), rows("net.public-cidrs")
	natIs := func(edit func(*snapshot.NATGateway)) snapshottest.Edit {
		return network(func(n *snapshot.Network) { edit(&n.NATGateways[0]) })
	}
	publicOnly := func(s *snapshot.Snapshot) {
		s.Cluster.EndpointPrivate, s.Cluster.PublicAccessCIDRs = false, []string{"203.0.113.0/24"}
	}
	transit := network(func(n *snapshot.Network) {
		n.RouteTables[2].Routes = append(n.RouteTables[2].Routes, snapshot.Route{Destination: "10.0.0.0/8", Target: "tgw-0a", State: "active"})
	})
	ownTable := func(s *snapshot.Snapshot) { s.Network.RouteTables[0].Routes = s.Network.RouteTables[2].Routes }
	return []ruleRow{
		hole("none", report.Pass, "no black hole"),
		hole("the NAT is gone", report.Fail, "leads into a black hole: nat-0a is gone", natRoute(func(r *snapshot.Route) { r.State = "blackhole" })),
		hole("it is gone before the machine runs", report.Fail, "black hole", machine(func(n *snapshot.Node) { n.Cloud.State = "pending" }), natRoute(func(r *snapshot.Route) { r.State = "blackhole" })),
		{"net.blackhole", "but it is Ready", []snapshottest.Edit{natRoute(func(r *snapshot.Route) { r.State = "blackhole" })}, report.Warn, "black hole"},
		hole("the main table decides", report.Fail, "black hole", network(func(n *snapshot.Network) { n.RouteTables[2].SubnetIDs = nil }), ownTable,
			network(func(n *snapshot.Network) { n.RouteTables[0].Routes[1].State = "blackhole" })),
		nat("works", report.Pass, "leads to the internet"),
		nat("failed", report.Fail, "nat-0a is failed", natIs(func(g *snapshot.NATGateway) { g.State, g.Failure = "failed", "Gateway.NotAttached: x" })),
		nat("deleted long ago", report.Fail, "does not exist", network(func(n *snapshot.Network) { n.NATGateways = nil })),
		nat("pending", report.Warn, "not ready yet", natIs(func(g *snapshot.NATGateway) { g.State = "pending" })),
		nat("private", report.Warn, "is private", natIs(func(g *snapshot.NATGateway) { g.Connectivity = "private" })),
		nat("behind a firewall", report.Pass, "works and leads", network(func(n *snapshot.Network) {
			n.RouteTables = append(n.RouteTables, snapshot.RouteTable{ID: "rtb-0fw", VPCID: snapshottest.VPC, SubnetIDs: []string{"subnet-0fw"}, Routes: []snapshot.Route{
				{Destination: "0.0.0.0/0", Target: "vpce-0firewall", State: "active"},
			}})
			n.NATGateways[0].SubnetID = "subnet-0fw"
		})),
		nat("in a subnet without a way out", report.Fail, "does not lead to an internet gateway", network(func(n *snapshot.Network) {
			n.RouteTables = append(n.RouteTables, snapshot.RouteTable{ID: "rtb-0none", VPCID: snapshottest.VPC, SubnetIDs: []string{"subnet-0none"}})
			n.NATGateways[0].SubnetID = "subnet-0none"
		})),
		nat("in a private subnet", report.Fail, "does not lead to an internet gateway", natIs(func(g *snapshot.NATGateway) { g.SubnetID = "subnet-0privateb" })),
		gateway("not used", report.Pass, "does not use"),
		gateway("attached", report.Pass, "attached", inPublic("203.0.113.9")),
		gateway("detached", report.Fail, "igw-0a is not attached", inPublic("203.0.113.9"), network(func(n *snapshot.Network) { n.InternetGateways = nil })),
		private("has a way out", report.Pass, "it can"),
		private("neither, but a transit gateway", report.Warn, "has no default route, and the API server has no private", noWayOut, publicOnly, transit),
		private("neither", report.Fail, "has no default route, and the API server has no private", noWayOut, publicOnly),
		private("public subnet without an address", report.Fail, "no public address", inPublic(""), publicOnly),
		cidrs("private endpoint", report.Pass, "private endpoint"),
		cidrs("allowed", report.Pass, "is allowed", publicOnly, func(s *snapshot.Snapshot) { s.Cluster.PublicAccessCIDRs = []string{"198.51.100.0/24"} }),
		cidrs("the NAT's is not", report.Fail, "from 198.51.100.7", publicOnly),
		cidrs("its own is not", report.Fail, "from 192.0.2.1", publicOnly, inPublic("192.0.2.1")),
	}
}

func endpointRows(rows rowsOf) []ruleRow {
	there, dns := rows("net.endpoints"), rows("net.endpoint-dns")
	groups, policy := rows("net.endpoint-groups"), rows("net.endpoint-policy")
	complete := withEndpoints("ec2", "ecr.api", "ecr.dkr")
	return []ruleRow{
		there("way out", report.Pass, "has a way"),
		there("some missing, but a network beside", report.Warn, "no endpoints for ec2", noWayOut, network(func(n *snapshot.Network) {
			n.RouteTables[2].Routes = append(n.RouteTables[2].Routes, snapshot.Route{Destination: "10.0.0.0/8", Target: "tgw-0a", State: "active"})
		})),
		there("all there", report.Pass, "stand in", noWayOut, complete),
		there("some missing", report.Fail, "no endpoints for ec2, ecr.dkr", noWayOut, withEndpoints("ecr.api")),
		there("not available", report.Fail, "no endpoints for ecr.dkr", noWayOut, complete, lastEndpoint(func(e *snapshot.VPCEndpoint) { e.State = "rejected" })),
		there("gateway of another table", report.Fail, "no endpoints for s3", noWayOut, complete, network(func(n *snapshot.Network) { n.Endpoints[0].RouteTableIDs = []string{"rtb-0public"} })),
		there("public subnet without an address", report.Fail, "the machine has no public address", inPublic("")),
		dns("way out", report.Pass, "has a way"),
		dns("on", report.Pass, "is on", noWayOut, complete),
		dns("off", report.Fail, "off for the endpoints of ecr.dkr", noWayOut, complete, lastEndpoint(func(e *snapshot.VPCEndpoint) { e.PrivateDNS = false })),
		groups("none", report.Pass, "no endpoint keeps"),
		groups("admits the cluster's", report.Pass, "no endpoint keeps", complete),
		groups("closed, NAT or not", report.Fail, "keep the machine out of ec2", withEndpoints("ec2"), lastEndpoint(func(e *snapshot.VPCEndpoint) { e.SecurityGroupIDs = []string{snapshottest.ExtraSG} })),
		groups("closed, but its names lead elsewhere", report.Pass, "no endpoint keeps", withEndpoints("ec2"), lastEndpoint(func(e *snapshot.VPCEndpoint) {
			e.SecurityGroupIDs, e.PrivateDNS = []string{snapshottest.ExtraSG}, false
		})),
		policy("default", report.Pass, "allow what nodes need"),
		policy("another bucket", report.Fail, "s3:GetObject", lastEndpoint(func(e *snapshot.VPCEndpoint) {
			e.Policy = `{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::mine/*"}}`
		})),
		policy("denied to all", report.Fail, "ec2:DescribeInstances", withEndpoints("ec2"), lastEndpoint(func(e *snapshot.VPCEndpoint) {
			e.Policy = `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},{"Effect":"Deny","Principal":"*","Action":"ec2:Describe*","Resource":"*"}]}`
		})),
		policy("ECR's bucket", report.Pass, "allow what nodes need", lastEndpoint(func(e *snapshot.VPCEndpoint) {
			e.Policy = `{"Statement":[{"Effect":"Allow","Principal":"*","Action":["s3:Get*"],"Resource":"arn:aws:s3:::prod-us-west-2-starport-layer-bucket/*"}]}`
		})),
	}
}

func aclRows(rows rowsOf) []ruleRow {
	out, between, endpoints := rows("net.acl-out"), rows("net.acl-control-plane"), rows("net.acl-endpoints")
	inOther := lastEndpoint(func(e *snapshot.VPCEndpoint) { e.SubnetIDs = []string{"subnet-0privateb"} })
	inBoth := lastEndpoint(func(e *snapshot.VPCEndpoint) { e.SubnetIDs = []string{"subnet-0privatea", "subnet-0privateb"} })
	// strict guards one subnet with entries of its own before the closing ones.
	strict := func(subnet string, entries ...snapshot.ACLEntry) snapshottest.Edit {
		return network(func(n *snapshot.Network) {
			closing := []snapshot.ACLEntry{{Number: 32767, Protocol: "-1", CIDR: "0.0.0.0/0"}, {Number: 32767, Protocol: "-1", Egress: true, CIDR: "0.0.0.0/0"}}
			n.ACLs = append([]snapshot.NetworkACL{{ID: "acl-0strict", VPCID: snapshottest.VPC, SubnetIDs: []string{subnet}, Entries: append(entries, closing...)}}, n.ACLs...)
		})
	}
	call := snapshot.ACLEntry{Number: 90, Protocol: "6", Egress: true, Allow: true, CIDR: "0.0.0.0/0", FromPort: 443, ToPort: 443}
	reply := snapshot.ACLEntry{Number: 90, Protocol: "6", Allow: true, CIDR: "0.0.0.0/0", FromPort: 1024, ToPort: 65535}
	narrow := reply
	narrow.FromPort, narrow.ToPort = 49152, 65535 // Windows' range: Linux answers lower
	deny := snapshot.ACLEntry{Number: 80, Protocol: "-1", Egress: true, CIDR: "0.0.0.0/0"}
	return []ruleRow{
		out("open", report.Pass, "it does"),
		out("both directions by rule", report.Pass, "it does", strict("subnet-0privatea", call, reply)),
		out("no rule out", report.Fail, "acl-0strict closes", strict("subnet-0privatea", reply)),
		out("no answers", report.Fail, "acl-0strict closes", strict("subnet-0privatea", call)),
		out("answers to Windows only", report.Fail, "acl-0strict closes", strict("subnet-0privatea", call, narrow)),
		out("denied by a lower number", report.Fail, "acl-0strict closes", strict("subnet-0privatea", call, reply, deny)),
		out("open to some of the internet", report.Warn, "acl-0strict closes", strict("subnet-0privatea", reply, snapshot.ACLEntry{
			Number: 90, Protocol: "6", Egress: true, Allow: true, CIDR: "52.0.0.0/8", FromPort: 443, ToPort: 443,
		})),
		endpoints("none", report.Pass, "no ACL is in the way"),
		endpoints("open", report.Pass, "no ACL is in the way", withEndpoints("ec2"), inOther),
		endpoints("the endpoint's subnet is closed", report.Fail, "closes the way to the endpoints of ec2", withEndpoints("ec2"), inOther, strict("subnet-0privateb")),
		endpoints("one of its subnets is closed", report.Warn, "closes the way to the endpoints of ec2", withEndpoints("ec2"), inBoth, strict("subnet-0privateb")),
		between("open", report.Pass, "they do"),
		between("one of the cluster's subnets is closed", report.Warn, "acl-0strict closes", strict("subnet-0privateb")),
		between("the machine's is closed to all but itself", report.Fail, "acl-0strict closes", strict("subnet-0privatea"), func(s *snapshot.Snapshot) {
			s.Cluster.SubnetIDs = []string{"subnet-0publica", "subnet-0privateb"}
		}),
	}
}

func groupRuleRows(rows rowsOf) []ruleRow {
	out, in := rows("net.groups-out"), rows("net.groups-control-plane")
	kubelet := rows("net.groups-kubelet")
	extraOnly := machine(func(n *snapshot.Node) { n.Cloud.SecurityGroupIDs = []string{snapshottest.ExtraSG} })
	admits := func(protocol string, port int) snapshottest.Edit {
		return sg(0, func(g *snapshot.SecurityGroup) {
			g.Ingress = append(g.Ingress, snapshot.Rule{Protocol: protocol, FromPort: port, ToPort: port, Peer: snapshottest.ExtraSG})
		})
	}
	admitted, dnsAdmitted := admits("tcp", 443), admits("udp", 53)
	closedOut := sg(1, func(g *snapshot.SecurityGroup) { g.Egress = nil })
	from := func(port int, protocol, peer string) snapshottest.Edit {
		return sg(1, func(g *snapshot.SecurityGroup) {
			g.Ingress = append(g.Ingress, snapshot.Rule{Protocol: protocol, FromPort: port, ToPort: port, Peer: peer})
		})
	}
	return []ruleRow{
		out("open", report.Pass, "open outbound"),
		out("closed", report.Fail, "let nothing out", extraOnly, closedOut, admitted),
		out("to the control plane alone", report.Pass, "open outbound", extraOnly, sg(1, func(g *snapshot.SecurityGroup) {
			g.Egress = []snapshot.Rule{{Protocol: "tcp", FromPort: 443, ToPort: 443, Peer: snapshottest.ClusterSG}}
		})),
		out("another port", report.Fail, "let nothing out", extraOnly, admitted, sg(1, func(g *snapshot.SecurityGroup) {
			g.Egress = []snapshot.Rule{{Protocol: "tcp", FromPort: 80, ToPort: 80, Peer: "0.0.0.0/0"}}
		})),
		in("member of the cluster's", report.Pass, "open for the machine"),
		in("a stranger", report.Fail, "do not admit the machine", extraOnly),
		in("admitted by group", report.Pass, "open for the machine", extraOnly, admitted),
		in("admitted by address", report.Pass, "open for the machine", extraOnly, sg(0, func(g *snapshot.SecurityGroup) {
			g.Ingress = append(g.Ingress, snapshot.Rule{Protocol: "6", FromPort: 0, ToPort: 65535, Peer: "10.0.0.0/16"})
		})),
		in("of no address and no group", report.Unknown, "neither an address nor a security group", machine(func(n *snapshot.Node) {
			n.Cloud.SecurityGroupIDs, n.Cloud.PrivateIP = nil, ""
		})),
		kubelet("open", report.Pass, "10250 is open"),
		{"net.groups-kubelet", "closed", []snapshottest.Edit{extraOnly, admitted, dnsAdmitted, from(53, "udp", snapshottest.ClusterSG)}, report.Warn, "cannot call the kubelet"},
		kubelet("for the cluster's group", report.Pass, "10250 is open", extraOnly, from(10250, "tcp", snapshottest.ClusterSG)),
		{"net.groups-dns", "open", nil, report.Pass, "53 is open"},
		{"net.groups-dns", "closed", []snapshottest.Edit{extraOnly, admitted, from(10250, "tcp", snapshottest.ClusterSG)}, report.Warn, "cannot ask CoreDNS on port 53 of 1 of 2"},
		{"net.groups-dns", "admitted", []snapshottest.Edit{extraOnly, dnsAdmitted}, report.Pass, "53 is open"},
	}
}

// familyRows are about IPv6 and docker.
func familyRows(rows rowsOf) []ruleRow {
	v6 := rows("net.ipv6-only")
	out := network(func(n *snapshot.Network) {
		n.RouteTables[2].Routes = append(n.RouteTables[2].Routes[:1], snapshot.Route{Destination: "::/0", Target: "eigw-0a", State: "active"})
	})
	docker := kubeNode(func(n *snapshot.KubeNode) { n.Runtime = "docker://20.10.13" })
	inRange := network(func(n *snapshot.Network) { n.VPC.CIDRs = []string{"172.16.0.0/12"} })
	return []ruleRow{
		v6("both", report.Pass, "not for IPv6 alone"),
		v6("IPv6 alone", report.Fail, "leads out for IPv6 alone, and the VPC has no endpoints for ec2", out),
		v6("IPv6 alone, with endpoints", report.Pass, "stand in for IPv4", out, withEndpoints("ec2", "ecr.api", "ecr.dkr")),
		{"net.docker-overlap", "containerd", []snapshottest.Edit{inRange}, report.Pass, "does not run docker"},
		{"net.docker-overlap", "docker, another range", []snapshottest.Edit{docker}, report.Pass, "are apart"},
		{"net.docker-overlap", "docker, its range", []snapshottest.Edit{docker, inRange}, report.Warn, "172.16.0.0/12 overlaps"},
	}
}

func dnsRows(rows rowsOf) []ruleRow {
	vpc, dhcp := rows("net.vpc-dns"), rows("net.dhcp-dns")
	servers := func(list ...string) snapshottest.Edit {
		return network(func(n *snapshot.Network) { n.DHCPOptions[0].NameServers = list })
	}
	return []ruleRow{
		vpc("on", report.Pass, "both"),
		vpc("support off", report.Fail, "enableDnsSupport of vpc-0a is off", network(func(n *snapshot.Network) { n.VPC.DNSSupport = false })),
		vpc("hostnames off", report.Fail, "enableDnsHostnames of vpc-0a is off", network(func(n *snapshot.Network) { n.VPC.DNSHostnames = false })),
		dhcp("the VPC's", report.Pass, "they do"),
		dhcp("the VPC's by address", report.Pass, "they do", servers("10.0.0.2")),
		dhcp("one's own", report.Warn, "ask 10.9.9.9", servers("10.9.9.9")),
		dhcp("none", report.Fail, "name no resolver", servers()),
	}
}

func TestWildcard(t *testing.T) {
	for _, test := range []struct {
		pattern, value string
		want           bool
	}{
		{"*", "ec2:DescribeInstances", true}, {"ec2:Describe*", "ec2:DescribeInstances", true}, {"s3:*", "ec2:DescribeInstances", false},
		{"arn:aws:s3:::prod-*/*", "arn:aws:s3:::prod-a/b/c", true}, {"arn:aws:s3:::mine/*", "arn:aws:s3:::prod-a/b", false}, {"s3:Get?bject", "s3:GetObject", true}, {"[", "a", false},
	} {
		if got := wildcard(test.pattern, test.value); got != test.want {
			t.Errorf("%s on %s: %t", test.pattern, test.value, got)
		}
	}
}
