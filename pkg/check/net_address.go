package check

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// prefixOf reads a CIDR or a single address.
func prefixOf(text string) (netip.Prefix, bool) {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return prefix.Masked(), true
	}
	if address, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(address, address.BitLen()), true
	}
	return netip.Prefix{}, false
}

// covers reports whether all of the addresses of inner are in outer.
func covers(outer, inner string) bool {
	a, okA := prefixOf(outer)
	b, okB := prefixOf(inner)
	return okA && okB && a.Bits() <= b.Bits() && a.Contains(b.Addr())
}

// overlap reports whether two ranges share addresses.
func overlap(a, b string) bool {
	p, okP := prefixOf(a)
	q, okQ := prefixOf(b)
	return okP && okQ && p.Overlaps(q)
}

// internet reports whether a range holds public addresses: a wide one, or
// one outside of the private ranges.
func internet(cidr string) bool {
	prefix, ok := prefixOf(cidr)
	if !ok {
		return false
	}
	return prefix.Bits() < 8 || !prefix.Addr().IsPrivate() && !prefix.Addr().IsLoopback() && !prefix.Addr().IsLinkLocalUnicast()
}

// peers are what a rule of a security group may name to mean somebody.
type peers struct {
	groups []string // security groups of the somebody
	cidrs  []string // addresses or ranges of it
}

// allows reports whether one of the rules admits the peers on the port. A
// prefix list is taken to: its ranges are not read.
func (who peers) allowedBy(rules []snapshot.Rule, protocol string, port int) bool {
	return slices.ContainsFunc(rules, func(rule snapshot.Rule) bool {
		if !opens(rule, protocol, port) {
			return false
		}
		return strings.HasPrefix(rule.Peer, "pl-") || slices.Contains(who.groups, rule.Peer) ||
			slices.ContainsFunc(who.cidrs, func(cidr string) bool { return covers(rule.Peer, cidr) })
	})
}

// opens reports whether a rule is about the protocol and the port.
func opens(rule snapshot.Rule, protocol string, port int) bool {
	switch rule.Protocol {
	case "-1", "all":
		return true
	case protocol, map[string]string{"tcp": "6", "udp": "17"}[protocol]:
		return rule.FromPort <= port && port <= rule.ToPort
	}
	return false
}

// rulesOf joins the rules of security groups; known is false when one of
// them was not read.
func rulesOf(s *snapshot.Snapshot, ids []string, of func(*snapshot.SecurityGroup) []snapshot.Rule) (rules []snapshot.Rule, known bool) {
	for _, id := range ids {
		group := s.Network.SecurityGroup(id)
		if group == nil {
			return nil, false
		}
		rules = append(rules, of(group)...)
	}
	return rules, len(ids) > 0
}

func ingress(g *snapshot.SecurityGroup) []snapshot.Rule { return g.Ingress }
func egress(g *snapshot.SecurityGroup) []snapshot.Rule  { return g.Egress }
