package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const docACL = "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html"

// everywhere stands for the internet.
const everywhere = "0.0.0.0/0"

// replyPorts are samples of the ports on which answers come back: Linux takes
// 32768 to 60999.
func replyPorts() []int { return []int{32768, 45000, 60999} }

// aclChecks evaluate network ACLs, which keep no state: the way there and the
// way back are two questions.
func aclChecks() []Check {
	needs := sections(snapshot.SectionInstances, snapshot.SectionSubnets, snapshot.SectionRouteTables, snapshot.SectionNetworkACLs)
	return []Check{
		{
			ID: "net.acl-out", Title: "network ACL lets the machine call out and be answered",
			Why:  "A network ACL without a rule for port 443 out, or for the answers to high ports in, cuts a machine off from AWS's APIs and images.",
			Ref:  docACL,
			Link: LinkAWSAPI, Needs: needs, Path: true, Node: aclOut,
		},
		{
			ID: "net.acl-control-plane", Title: "network ACLs let machine and control plane talk",
			Why:  "Between subnets both ACLs are asked, both ways: the machine's to port 443 of the control plane's interfaces, and the control plane's to the kubelet's port 10250.",
			Ref:  docACL,
			Link: LinkAPIServer, Needs: append(needs, snapshot.SectionCluster), Path: true, Node: aclControlPlane,
		},
		{
			ID: "net.acl-endpoints", Title: "network ACLs let machine and VPC endpoints talk",
			Why:  "An endpoint may stand in other subnets than the machine: both ACLs are asked, both ways, whichever zone its name leads to.",
			Ref:  docACL,
			Link: LinkAWSAPI, Needs: append(needs, snapshot.SectionVPCEndpoints), Path: true, Node: aclEndpoints,
		},
	}
}

// aclDecides finds the first entry, in order of number, that is about TCP
// traffic with all of the range on the port.
func aclDecides(acl *snapshot.NetworkACL, out bool, cidr string, port int) (allowed bool, by string) {
	entries := slices.Clone(acl.Entries)
	slices.SortStableFunc(entries, func(a, b snapshot.ACLEntry) int { return cmp.Compare(a.Number, b.Number) })
	for _, entry := range entries {
		if entry.Egress != out || entry.Protocol != "-1" && entry.Protocol != "6" || !covers(entry.CIDR, cidr) {
			continue
		}
		if entry.Protocol == "6" && (entry.FromPort != 0 || entry.ToPort != 0) && (port < entry.FromPort || port > entry.ToPort) {
			continue
		}
		return entry.Allow, fmt.Sprintf("rule %d", entry.Number)
	}
	return false, "no rule"
}

// aclOpensSome reports whether an ACL lets TCP traffic with a part of the range
// through on the port: lists of the ranges in use are common for the internet.
func aclOpensSome(acl *snapshot.NetworkACL, out bool, cidr string, port int) bool {
	return slices.ContainsFunc(acl.Entries, func(entry snapshot.ACLEntry) bool {
		allowed, _ := aclDecides(acl, out, entry.CIDR, port)
		return entry.Allow && entry.Egress == out && allowed && overlap(entry.CIDR, cidr) && internet(entry.CIDR)
	})
}

// aclBlock is one direction that an ACL closes.
type aclBlock struct {
	acl  *snapshot.NetworkACL
	out  bool
	cidr string
	port int
	by   string
}

func (b aclBlock) evidence() report.Evidence {
	return fact("ec2:DescribeNetworkAcls", fmt.Sprintf("%s: %s denies %s port %d", b.acl.ID, b.by, b.direction(), b.port))
}

func (b aclBlock) direction() string {
	if b.out {
		return "TCP to " + b.cidr
	}
	return "TCP from " + b.cidr
}

// fix opens the direction below the lowest number in use.
func (b aclBlock) fix(region string) string {
	number := 100
	for _, entry := range b.acl.Entries {
		if entry.Egress == b.out {
			number = min(number, entry.Number)
		}
	}
	side, from, to := "--ingress", b.port, b.port
	if b.out {
		side = "--egress"
	}
	if b.port >= replyPorts()[0] {
		from, to = 1024, 65535
	}
	return fmt.Sprintf("aws ec2 create-network-acl-entry --region %s --network-acl-id %s %s --rule-number %d --protocol tcp --port-range From=%d,To=%d --cidr-block %s --rule-action allow",
		region, b.acl.ID, side, max(number-1, 1), from, to, b.cidr)
}

// conversation lists what the ACL closes of calls to a port of the range (or
// from it, when out is false) and their answers.
func conversation(acl *snapshot.NetworkACL, out bool, cidr string, port int) []aclBlock {
	if acl == nil {
		return nil
	}
	var blocks []aclBlock
	if allowed, by := aclDecides(acl, out, cidr, port); !allowed {
		blocks = append(blocks, aclBlock{acl, out, cidr, port, by})
	}
	for _, reply := range replyPorts() {
		if allowed, by := aclDecides(acl, !out, cidr, reply); !allowed {
			return append(blocks, aclBlock{acl, !out, cidr, reply, by})
		}
	}
	return blocks
}

func aclFailure(s *snapshot.Snapshot, summary string, blocks []aclBlock) []Result {
	var found []report.Evidence
	var commands, ids []string
	for _, block := range blocks {
		found = append(found, block.evidence())
		commands = append(commands, block.fix(s.Target.Region))
		ids = append(ids, block.acl.ID)
	}
	slices.Sort(ids)
	return fail(report.Likely, fmt.Sprintf("network ACL %s %s", strings.Join(slices.Compact(ids), " and "), summary), do("open both directions", commands...), found...)
}

func aclOut(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	p := placeOf(s, n)
	if p == nil {
		return nil
	}
	acl := s.Network.ACLOf(p.subnet.ID)
	if acl == nil || p.isolated(n) {
		return nil
	}
	blocks := conversation(acl, true, everywhere, 443)
	if len(blocks) == 0 {
		return pass("it does", fact("ec2:DescribeNetworkAcls", fmt.Sprintf("%s of %s: port 443 and its answers", acl.ID, p.subnet.ID)))
	}
	result := aclFailure(s, "closes the way to AWS's APIs or the answers from them", blocks)
	if !slices.ContainsFunc(blocks, func(b aclBlock) bool { return !aclOpensSome(b.acl, b.out, b.cidr, b.port) }) {
		result[0].Status, result[0].Confidence = report.Warn, report.Possible // what it opens may be all that is needed
	}
	return result
}

// aclEndpoints asks about interface endpoints that a machine uses: those with
// private DNS, and all when it has no way around them. Its name may lead to
// any of an endpoint's subnets, so that one which is open makes a warning.
func aclEndpoints(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	p := placeOf(s, n)
	if p == nil {
		return nil
	}
	here := s.Network.ACLOf(p.subnet.ID)
	var blocks []aclBlock
	var names []string
	whole := false
	for _, e := range interfaceEndpoints(s, p) {
		if here == nil || !e.PrivateDNS && !p.isolated(n) {
			continue
		}
		found, closed, asked := endpointBlocks(s, p, here, e)
		if closed > 0 {
			names, blocks = append(names, service(s, e)), append(blocks, found...)
			whole = whole || closed == asked
		}
	}
	if len(blocks) == 0 {
		return pass("no ACL is in the way to an endpoint", p.evidence())
	}
	result := aclFailure(s, "closes the way to the endpoints of "+strings.Join(names, ", "), blocks)
	if !whole {
		result[0].Status = report.Warn
	}
	return result
}

// endpointBlocks asks the ACLs of both sides about every subnet of an
// endpoint.
func endpointBlocks(s *snapshot.Snapshot, p *place, here *snapshot.NetworkACL, e *snapshot.VPCEndpoint) (blocks []aclBlock, closed, asked int) {
	for _, id := range e.SubnetIDs {
		subnet, there := s.Network.Subnet(id), s.Network.ACLOf(id)
		if subnet == nil || there == nil {
			continue
		}
		if asked++; id == p.subnet.ID {
			continue // inside of a subnet no ACL is asked
		}
		if found := slices.Concat(conversation(here, true, subnet.CIDR, 443), conversation(there, false, p.subnet.CIDR, 443)); len(found) > 0 {
			closed++
			blocks = append(blocks, found...)
		}
	}
	return blocks, closed, asked
}

// aclControlPlane asks about the subnets of the control plane's interfaces;
// which of them hold one is not known, so a single open one is enough to
// warn only.
func aclControlPlane(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	p := placeOf(s, n)
	if p == nil || !s.Cluster.EndpointPrivate {
		return nil
	}
	here := s.Network.ACLOf(p.subnet.ID)
	var blocks []aclBlock
	closed, asked := 0, 0
	for _, id := range s.Cluster.SubnetIDs {
		subnet, there := s.Network.Subnet(id), s.Network.ACLOf(id)
		if subnet == nil || there == nil || here == nil {
			continue
		}
		if asked++; id == p.subnet.ID {
			continue // inside of a subnet no ACL is asked
		}
		found := slices.Concat(
			conversation(here, true, subnet.CIDR, 443), conversation(there, false, p.subnet.CIDR, 443),
			conversation(here, false, subnet.CIDR, 10250), conversation(there, true, p.subnet.CIDR, 10250))
		if len(found) > 0 {
			closed++
			blocks = append(blocks, found...)
		}
	}
	switch {
	case asked == 0:
		return nil
	case closed == 0:
		return pass("they do", fact("ec2:DescribeNetworkAcls", fmt.Sprintf("%s and those of the cluster's %d subnets", here.ID, asked)))
	}
	out := aclFailure(s, "closes the way between the machine and the control plane", blocks)
	if closed < asked {
		out[0].Status = report.Warn
	}
	return out
}
