package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// dockerBridge is the range that docker takes for its own bridge.
const dockerBridge = "172.17.0.0/16"

// familyChecks are about addresses that a machine has and cannot use.
func familyChecks() []Check {
	const (
		instances = snapshot.SectionInstances
		subnets   = snapshot.SectionSubnets
		routes    = snapshot.SectionRouteTables
	)
	return []Check{
		{
			ID: "net.ipv6-only", Title: "machine reaches AWS's APIs over IPv4",
			Why:  "nodeadm and the VPC CNI call EC2 by a name that has IPv4 addresses only: a way out for IPv6 alone does not serve them, in an IPv6 cluster either.",
			Ref:  "https://docs.aws.amazon.com/eks/latest/userguide/cni-ipv6.html",
			Link: LinkAWSAPI, Needs: sections(instances, subnets, routes, snapshot.SectionVPCEndpoints), Path: true, Node: ipv6Only,
		},
		{
			ID: "net.docker-overlap", Title: "docker's bridge and the VPC have different addresses",
			Why:  "docker takes " + dockerBridge + " for its bridge. What a machine sends to VPC addresses of that range then never leaves it, the control plane's answers included.",
			Ref:  "https://docs.aws.amazon.com/eks/latest/userguide/troubleshooting.html",
			Link: LinkReady, Needs: sections(snapshot.SectionNodes, snapshot.SectionVPC), Node: dockerOverlap,
		},
	}
}

// onlyIPv6 reports whether a machine's subnet leads to the internet for IPv6
// and not for IPv4.
func (p *place) onlyIPv6(n *snapshot.Node) bool {
	return p.isolated(n) && slices.ContainsFunc(p.table.Routes, func(r snapshot.Route) bool {
		return r.Destination == "::/0" && r.State != "blackhole"
	})
}

func ipv6Only(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	p := placeOf(s, n)
	if p == nil {
		return nil
	}
	if !p.onlyIPv6(n) {
		return pass("its way out is not for IPv6 alone", p.evidence())
	}
	var missing []string
	for _, name := range neededServices() {
		if !slices.ContainsFunc(endpointsFor(s, p, name), func(e *snapshot.VPCEndpoint) bool { return e.State == "available" }) {
			missing = append(missing, name)
		}
	}
	found := []report.Evidence{p.evidence(), fact("ec2:DescribeRouteTables", fmt.Sprintf("%s: ::/0 leads out", p.table.ID)), fact("ec2:DescribeVpcEndpoints", "none available for "+orNone(missing))}
	if len(missing) == 0 {
		return pass("endpoints stand in for IPv4", found...)
	}
	return p.unlessElsewhere(fail(report.Likely, fmt.Sprintf("%s leads out for IPv6 alone, and the VPC has no endpoints for %s", p.subnet.ID, strings.Join(missing, ", ")),
		do("give the subnet a NAT gateway for IPv4, or make the endpoints", endpointCommands(s, p, missing)...), found...))
}

// dockerOverlap applies to machines that run docker: containerd has no bridge
// of its own.
func dockerOverlap(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if n.Kube == nil || n.Kube.Runtime == "" || s.Network.VPC == nil {
		return nil
	}
	found := fact("kube/nodes", n.Kube.Name+": "+n.Kube.Runtime)
	if !strings.HasPrefix(n.Kube.Runtime, "docker://") {
		return pass("it does not run docker", found)
	}
	for _, cidr := range s.Network.VPC.CIDRs {
		if overlap(cidr, dockerBridge) {
			return warn(report.Likely, fmt.Sprintf("the VPC's range %s overlaps with docker's bridge", cidr),
				do("take images without docker, which all are since Kubernetes 1.24, or give docker another range in /etc/docker/daemon.json (bip)"),
				found, fact("ec2:DescribeVpcs", s.Network.VPC.ID+": "+strings.Join(s.Network.VPC.CIDRs, ", ")))
		}
	}
	return pass("their ranges are apart", found)
}
