package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// amazonDNS is how DHCP options name the VPC's own resolver.
const amazonDNS = "AmazonProvidedDNS"

// dnsChecks are about how a machine resolves the API server's name.
func dnsChecks() []Check {
	instances, vpc := snapshot.SectionInstances, snapshot.SectionVPC
	return []Check{
		{
			ID: "net.vpc-dns", Title: "VPC resolves names",
			Why:  "EKS needs DNS hostnames and DNS resolution of the VPC; without them machines do not find the API server's private endpoint, nor names of their own.",
			Ref:  docNetwork,
			Link: LinkAWSAPI, Needs: sections(instances, vpc), Path: true, Node: vpcDNS,
		},
		{
			ID: "net.dhcp-dns", Title: "DHCP options name the VPC's resolver",
			Why:  "Resolvers of one's own must forward AWS's names to the VPC's, or the private endpoint of the API server has no address.",
			Ref:  "https://docs.aws.amazon.com/vpc/latest/userguide/VPC_DHCP_Options.html",
			Link: LinkAPIServer, Needs: sections(instances, vpc, snapshot.SectionDHCPOptions), Path: true, Node: dhcpDNS,
		},
	}
}

// amazons reports whether a resolver is the VPC's own: by name, by its
// link-local address, or at the second address of the VPC's range.
func amazons(vpc *snapshot.VPC, server string) bool {
	if server == amazonDNS || server == "169.254.169.253" {
		return true
	}
	return slices.ContainsFunc(vpc.CIDRs, func(cidr string) bool {
		prefix, ok := prefixOf(cidr)
		return ok && prefix.Addr().Next().Next().String() == server
	})
}

func vpcDNS(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	vpc := s.Network.VPC
	if !running(n) || vpc == nil || vpc.ID != n.Cloud.VPCID {
		return nil
	}
	found := fact("ec2:DescribeVpcAttribute", fmt.Sprintf("%s: enableDnsSupport %t, enableDnsHostnames %t", vpc.ID, vpc.DNSSupport, vpc.DNSHostnames))
	var off, commands []string
	if !vpc.DNSSupport {
		off, commands = append(off, "enableDnsSupport"), append(commands, fmt.Sprintf("aws ec2 modify-vpc-attribute --region %s --vpc-id %s --enable-dns-support", s.Target.Region, vpc.ID))
	}
	if !vpc.DNSHostnames {
		off, commands = append(off, "enableDnsHostnames"), append(commands, fmt.Sprintf("aws ec2 modify-vpc-attribute --region %s --vpc-id %s --enable-dns-hostnames", s.Target.Region, vpc.ID))
	}
	if len(off) == 0 {
		return pass("both attributes are on", found)
	}
	return fail(report.Certain, fmt.Sprintf("%s of %s is off", strings.Join(off, " and "), vpc.ID), do("turn it on, and replace the machines", commands...), found)
}

func dhcpDNS(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	vpc := s.Network.VPC
	if !running(n) || vpc == nil || vpc.ID != n.Cloud.VPCID {
		return nil
	}
	i := slices.IndexFunc(s.Network.DHCPOptions, func(o snapshot.DHCPOptions) bool { return o.ID == vpc.DHCPOptionsID })
	if i < 0 {
		return nil
	}
	options := s.Network.DHCPOptions[i]
	found := fact("ec2:DescribeDhcpOptions", fmt.Sprintf("%s of %s: domain-name-servers %s, domain-name %s", options.ID, vpc.ID, orNone(options.NameServers), options.DomainName))
	fix := do("forward *.eks.amazonaws.com, *.amazonaws.com and *.compute.internal to the VPC's resolver, or name it", fmt.Sprintf(
		"aws ec2 create-dhcp-options --region %s --dhcp-configurations 'Key=domain-name-servers,Values=%s'", s.Target.Region, amazonDNS),
		fmt.Sprintf("aws ec2 associate-dhcp-options --region %s --vpc-id %s --dhcp-options-id NEW", s.Target.Region, vpc.ID))
	switch {
	case len(options.NameServers) == 0:
		return fail(report.Certain, fmt.Sprintf("DHCP options %s name no resolver", options.ID), fix, found)
	case !slices.ContainsFunc(options.NameServers, func(server string) bool { return amazons(vpc, server) }):
		return warn(report.Possible, fmt.Sprintf("machines ask %s instead of the VPC's resolver", strings.Join(options.NameServers, ", ")), fix, found)
	}
	return pass("they do", found)
}
