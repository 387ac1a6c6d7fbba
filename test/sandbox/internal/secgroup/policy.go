// Package secgroup puts the security groups of an instance into force: as one
// nftables table in the instance's network namespace, at its network
// interface eth0.
//
// Rules: Amazon VPC User Guide, "Control traffic to your AWS resources using
// security groups": groups allow and never deny, the rules of all groups of an
// interface count together, they are stateful, and they do not filter traffic
// to and from Amazon DNS, DHCP, the instance metadata service and the time
// service.
package secgroup

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Policy is what all groups of one interface allow together.
type Policy struct{ Ingress, Egress []Rule }

// Rule allows one protocol and port range with peers.
type Rule struct {
	Protocol string // tcp, udp, icmp, icmpv6, a protocol number, or -1 for all traffic
	// From and To are ports, or ICMP type and code; -1 means all.
	From, To int
	Peers    []netip.Prefix
}

// Members gives the private addresses of the interfaces in each group, by group id.
type Members map[string][]netip.Addr

// Resolve joins the groups' permissions into one policy. A peer that is a group
// stands for its members' addresses; prefix lists are not known in the sandbox
// and allow nobody.
func Resolve(groups []types.SecurityGroup, members Members) Policy {
	var p Policy
	for _, g := range groups {
		p.Ingress = append(p.Ingress, rules(g.IpPermissions, members)...)
		p.Egress = append(p.Egress, rules(g.IpPermissionsEgress, members)...)
	}
	return p
}

func rules(permissions []types.IpPermission, members Members) []Rule {
	var all []Rule
	for _, p := range permissions {
		r := Rule{Protocol: protocol(aws.ToString(p.IpProtocol)), From: port(p.FromPort), To: port(p.ToPort)}
		for _, cidr := range p.IpRanges {
			r.Peers = appendPrefix(r.Peers, aws.ToString(cidr.CidrIp))
		}
		for _, cidr := range p.Ipv6Ranges {
			r.Peers = appendPrefix(r.Peers, aws.ToString(cidr.CidrIpv6))
		}
		for _, pair := range p.UserIdGroupPairs {
			for _, addr := range members[aws.ToString(pair.GroupId)] {
				r.Peers = append(r.Peers, netip.PrefixFrom(addr, addr.BitLen()))
			}
		}
		r.Peers = withoutCovered(r.Peers)
		if len(r.Peers) > 0 {
			all = append(all, r)
		}
	}
	return all
}

// protocol gives the names of the protocols that EC2 also takes as numbers.
func protocol(p string) string {
	switch p {
	case "6":
		return "tcp"
	case "17":
		return "udp"
	case "1":
		return "icmp"
	case "58":
		return "icmpv6"
	case "", "all":
		return "-1"
	}
	return strings.ToLower(p)
}

func port(p *int32) int {
	if p == nil {
		return -1
	}
	return int(*p)
}

func appendPrefix(prefixes []netip.Prefix, text string) []netip.Prefix {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return prefixes // EC2 has checked it; an unreadable one allows nobody
	}
	return append(prefixes, p.Masked())
}

// withoutCovered sorts the prefixes and leaves out those that lie inside another
// one: nftables refuses sets whose intervals overlap.
func withoutCovered(prefixes []netip.Prefix) []netip.Prefix {
	slices.SortFunc(prefixes, comparePrefix)
	var kept []netip.Prefix
	for _, p := range prefixes {
		if n := len(kept); n > 0 && kept[n-1].Overlaps(p) {
			continue // sorted, so that a wider prefix comes first
		}
		kept = append(kept, p)
	}
	return kept
}

func comparePrefix(a, b netip.Prefix) int {
	if c := a.Addr().Compare(b.Addr()); c != 0 {
		return c
	}
	return a.Bits() - b.Bits()
}
