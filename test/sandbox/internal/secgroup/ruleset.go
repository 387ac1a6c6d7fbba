package secgroup

import (
	"fmt"
	"net/netip"
	"strings"
)

// Interface is the instance's network interface: groups count there only, not
// between the node and its own pods.
const Interface = "eth0"

const table = "inet security_groups"

// Ruleset writes the policy as an nft(8) script that replaces the whole table
// in one step. The same policy gives the same text.
func Ruleset(p Policy, resolver netip.Addr) string {
	var b strings.Builder
	fmt.Fprintf(&b, "table %s\ndelete table %s\ntable %s {\n", table, table, table)
	writeChain(&b, "ingress", "saddr", p.Ingress, nil)
	writeChain(&b, "egress", "daddr", p.Egress, always(resolver))
	fmt.Fprintf(&b, `	chain input {
		type filter hook input priority filter; policy accept;
		iifname %[1]q goto ingress
	}
	chain forward {
		type filter hook forward priority filter; policy accept;
		iifname %[1]q oifname != %[1]q goto ingress
		oifname %[1]q goto egress
	}
	chain output {
		type filter hook output priority filter; policy accept;
		oifname %[1]q goto egress
	}
}
`, Interface)
	return b.String()
}

// always is the traffic that no group filters.
func always(resolver netip.Addr) []string {
	return []string{
		fmt.Sprintf("ip daddr %s meta l4proto { tcp, udp } th dport 53 accept", resolver),
		"ip daddr 169.254.0.0/16 accept",
		"udp dport 67 accept",
	}
}

func writeChain(b *strings.Builder, name, field string, rules []Rule, first []string) {
	fmt.Fprintf(b, "\tchain %s {\n\t\tct state established,related accept\n", name)
	b.WriteString("\t\ticmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept\n")
	for _, line := range first {
		fmt.Fprintf(b, "\t\t%s\n", line)
	}
	for _, r := range rules {
		for _, line := range ruleLines(r, field) {
			fmt.Fprintf(b, "\t\t%s\n", line)
		}
	}
	b.WriteString("\t\tdrop\n\t}\n")
}

// ruleLines gives one line for the rule's IPv4 peers and one for its IPv6 peers.
func ruleLines(r Rule, field string) []string {
	var v4, v6 []string
	for _, p := range r.Peers {
		if p.Addr().Is4() {
			v4 = append(v4, p.String())
		} else {
			v6 = append(v6, p.String())
		}
	}
	var lines []string
	for _, f := range []struct {
		family string
		peers  []string
	}{{"ip", v4}, {"ip6", v6}} {
		if len(f.peers) == 0 {
			continue
		}
		match := fmt.Sprintf("%s %s { %s }", f.family, field, strings.Join(f.peers, ", "))
		lines = append(lines, strings.Join(append([]string{match}, protocolMatch(r)...), " ")+" accept")
	}
	return lines
}

// protocolMatch gives the rule's protocol and ports in nft's words.
func protocolMatch(r Rule) []string {
	switch r.Protocol {
	case "-1":
		return nil
	case "tcp", "udp":
		if r.From < 0 || r.From == 0 && r.To == 65535 {
			return []string{"meta l4proto " + r.Protocol}
		}
		if r.From == r.To {
			return []string{fmt.Sprintf("%s dport %d", r.Protocol, r.From)}
		}
		return []string{fmt.Sprintf("%s dport %d-%d", r.Protocol, r.From, r.To)}
	case "icmp", "icmpv6":
		if r.From < 0 {
			return []string{"meta l4proto " + r.Protocol}
		}
		match := []string{fmt.Sprintf("%s type %d", r.Protocol, r.From)}
		if r.To >= 0 {
			match = append(match, fmt.Sprintf("%s code %d", r.Protocol, r.To))
		}
		return match
	default:
		return []string{"meta l4proto " + r.Protocol}
	}
}
