package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// neededServices are AWS's APIs that a machine calls before it is Ready:
// nodeadm and the CNI call EC2, images come from ECR, whose layers are in S3.
// The order is the one in which a machine meets them.
func neededServices() []string { return []string{"ec2", "ecr.api", "ecr.dkr", "s3"} }

// usedServices are those whose endpoints, when they are there, a machine or
// its first pods use.
func usedServices() []string { return append(neededServices(), "sts", "eks", "eks-auth") }

// endpointChecks judge the VPC's endpoints one by one.
func endpointChecks() []Check {
	const (
		instances = snapshot.SectionInstances
		subnets   = snapshot.SectionSubnets
		routes    = snapshot.SectionRouteTables
		endpoints = snapshot.SectionVPCEndpoints
	)
	return []Check{
		{
			ID: "net.endpoints", Title: "AWS's APIs can be reached without the internet",
			Why:  "In a subnet without a way out, EC2, ECR and S3 are reached through endpoints in the VPC or not at all; nodeadm then waits for EC2 before the kubelet even starts.",
			Ref:  docPrivate,
			Link: LinkAWSAPI, Needs: sections(instances, subnets, routes, endpoints), Path: true, Node: endpointsThere,
		},
		{
			ID: "net.endpoint-dns", Title: "endpoints answer under AWS's own names",
			Why:  "With private DNS off, the names of AWS's APIs still mean public addresses, which a machine without a way out cannot reach.",
			Ref:  docPrivate,
			Link: LinkAWSAPI, Needs: sections(instances, subnets, routes, endpoints), Path: true, Node: endpointDNS,
		},
		{
			ID: "net.endpoint-groups", Title: "endpoints let the machine in",
			Why:  "An interface endpoint with private DNS takes all traffic for its service, NAT or not; its security groups must admit the machine on port 443.",
			Ref:  docPrivate,
			Link: LinkAWSAPI, Needs: sections(instances, subnets, routes, endpoints, snapshot.SectionSecurityGroups), Path: true, Node: endpointGroups,
		},
		{
			ID: "net.endpoint-policy", Title: "policies of the endpoints allow what nodes do",
			Why:  "An endpoint's policy stands before the role's permissions: what it does not allow fails for everybody behind the endpoint.",
			Ref:  "https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html",
			Link: LinkAWSAPI, Needs: sections(instances, subnets, routes, endpoints), Path: true, Node: endpointPolicy,
		},
	}
}

// service is an endpoint's service without region: ecr.api.
func service(s *snapshot.Snapshot, e *snapshot.VPCEndpoint) string {
	_, name, _ := strings.Cut(e.Service, "."+s.Target.Region+".")
	return name
}

// endpointsFor are the endpoints through which a machine's traffic for a
// service can go: interface endpoints of its VPC, and gateways in its table.
func endpointsFor(s *snapshot.Snapshot, p *place, name string) []*snapshot.VPCEndpoint {
	var found []*snapshot.VPCEndpoint
	for i := range s.Network.Endpoints {
		e := &s.Network.Endpoints[i]
		if service(s, e) != name || e.VPCID != p.subnet.VPCID {
			continue
		}
		if e.Type == "Gateway" && !slices.Contains(e.RouteTableIDs, p.table.ID) {
			continue
		}
		found = append(found, e)
	}
	return found
}

func describe(e *snapshot.VPCEndpoint) report.Evidence {
	text := fmt.Sprintf("%s: %s, %s, %s", e.ID, e.Service, e.Type, e.State)
	if e.Type == "Interface" {
		text += fmt.Sprintf(", private DNS %t, %s", e.PrivateDNS, orNone(e.SecurityGroupIDs))
	}
	return fact("ec2:DescribeVpcEndpoints", text)
}

func endpointsThere(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	p := placeOf(s, n)
	if p == nil || p.onlyIPv6(n) {
		return nil // net.ipv6-only says what is missing
	}
	if !p.isolated(n) {
		return pass("the machine has a way to the internet", p.evidence())
	}
	found := []report.Evidence{p.evidence()}
	var missing []string
	for _, name := range neededServices() {
		available := false
		for _, e := range endpointsFor(s, p, name) {
			available = available || e.State == "available"
			if e.State != "available" {
				found = append(found, describe(e))
			}
		}
		if !available {
			missing = append(missing, name)
		}
	}
	found = append(found, fact("ec2:DescribeVpcEndpoints", "none available for "+orNone(missing)))
	if len(missing) == 0 {
		return pass("endpoints stand in for it", found...)
	}
	summary := fmt.Sprintf("%s has no default route, and the VPC no endpoints for %s", p.subnet.ID, strings.Join(missing, ", "))
	if p.way == wayInternet {
		summary = fmt.Sprintf("%s leads to an internet gateway, but the machine has no public address, and the VPC no endpoints for %s", p.subnet.ID, strings.Join(missing, ", "))
		found = append(found, fact("ec2:DescribeInstances", n.InstanceID+": no public address"))
	}
	return p.unlessElsewhere(fail(report.Certain, summary, do("give the subnet a NAT gateway, or make the endpoints", endpointCommands(s, p, missing)...), found...))
}

func endpointCommands(s *snapshot.Snapshot, p *place, missing []string) []string {
	var commands []string
	for _, name := range missing {
		make := fmt.Sprintf("aws ec2 create-vpc-endpoint --region %s --vpc-id %s --service-name com.amazonaws.%s.%s", s.Target.Region, p.subnet.VPCID, s.Target.Region, name)
		if name == "s3" {
			commands = append(commands, make+" --vpc-endpoint-type Gateway --route-table-ids "+p.table.ID)
			continue
		}
		commands = append(commands, make+fmt.Sprintf(" --vpc-endpoint-type Interface --private-dns-enabled --subnet-ids %s --security-group-ids GROUP", p.subnet.ID))
	}
	return commands
}

// interfaceEndpoints are the available interface endpoints of the services
// that a machine uses.
func interfaceEndpoints(s *snapshot.Snapshot, p *place) []*snapshot.VPCEndpoint {
	var found []*snapshot.VPCEndpoint
	for _, name := range usedServices() {
		for _, e := range endpointsFor(s, p, name) {
			if e.Type == "Interface" && e.State == "available" {
				found = append(found, e)
			}
		}
	}
	return found
}

func endpointDNS(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	p := placeOf(s, n)
	if p == nil {
		return nil
	}
	if !p.isolated(n) {
		return pass("the machine has a way to the internet", p.evidence())
	}
	var ids, names []string
	var found []report.Evidence
	for _, e := range interfaceEndpoints(s, p) {
		if e.PrivateDNS || service(s, e) == "s3" {
			continue
		}
		ids, names, found = append(ids, e.ID), append(names, service(s, e)), append(found, describe(e))
	}
	if len(ids) == 0 {
		return pass("private DNS is on", p.evidence())
	}
	var commands []string
	for _, id := range ids {
		commands = append(commands, fmt.Sprintf("aws ec2 modify-vpc-endpoint --region %s --private-dns-enabled --vpc-endpoint-id %s", s.Target.Region, id))
	}
	// A hosted zone of one's own can give the names out instead: it is not read.
	return fail(report.Likely, "private DNS is off for the endpoints of "+strings.Join(names, ", "), do("turn it on", commands...), append(found, p.evidence())...)
}

func endpointGroups(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	p := placeOf(s, n)
	if p == nil {
		return nil
	}
	who := peers{groups: n.Cloud.SecurityGroupIDs, cidrs: []string{n.Cloud.PrivateIP}}
	var names, commands []string
	var found []report.Evidence
	for _, e := range interfaceEndpoints(s, p) {
		rules, known := rulesOf(s, e.SecurityGroupIDs, ingress)
		if !known || !e.PrivateDNS && !p.isolated(n) || who.allowedBy(rules, "tcp", 443) {
			continue
		}
		names, found = append(names, service(s, e)), append(found, describe(e))
		commands = append(commands, fmt.Sprintf("aws ec2 authorize-security-group-ingress --region %s --group-id %s --protocol tcp --port 443 --cidr %s",
			s.Target.Region, e.SecurityGroupIDs[0], p.subnet.CIDR))
	}
	if len(names) == 0 {
		return pass("no endpoint keeps the machine out", p.evidence())
	}
	found = append(found, fact("ec2:DescribeInstances", fmt.Sprintf("%s: %s, %s", n.InstanceID, n.Cloud.PrivateIP, orNone(n.Cloud.SecurityGroupIDs))))
	return fail(report.Certain, "security groups of the endpoints keep the machine out of "+strings.Join(names, ", "),
		do("admit the machine's subnet on port 443", commands...), found...)
}

func endpointPolicy(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	p := placeOf(s, n)
	if p == nil {
		return nil
	}
	bucket := fmt.Sprintf("arn:%s:s3:::prod-%s-starport-layer-bucket/*", s.Target.Partition, s.Target.Region)
	var denied, commands []string
	var found []report.Evidence
	for _, call := range []struct{ service, action, resource string }{
		{"ec2", "ec2:DescribeInstances", "*"},
		{"ecr.api", "ecr:GetAuthorizationToken", "*"},
		{"ecr.api", "ecr:BatchGetImage", fmt.Sprintf("arn:%s:ecr:%s:%s:repository/eks/kube-proxy", s.Target.Partition, s.Target.Region, registry(s.Target.Region))},
		{"s3", "s3:GetObject", bucket},
	} {
		for _, e := range endpointsFor(s, p, call.service) {
			if e.State == "available" && !policyAllows(e.Policy, call.action, call.resource) {
				denied = append(denied, call.action)
				found = append(found, fact("ec2:DescribeVpcEndpoints", fmt.Sprintf("%s, %s: policy %s", e.ID, e.Service, e.Policy)))
				commands = append(commands, fmt.Sprintf("aws ec2 modify-vpc-endpoint --region %s --reset-policy --vpc-endpoint-id %s", s.Target.Region, e.ID))
			}
		}
	}
	if len(denied) == 0 {
		return pass("they allow what nodes need", p.evidence())
	}
	return fail(report.Likely, "the policy of an endpoint does not allow "+strings.Join(slices.Compact(denied), ", "),
		do("allow it (layers of EKS's images: s3:GetObject on "+bucket+"), or take the default policy", slices.Compact(commands)...), found...)
}

// registry is the account whose ECR serves EKS's images in a region: "Amazon
// container image registries for Amazon EKS add-ons" in the EKS user guide.
// Regions that are not listed here have the account of most.
func registry(region string) string {
	accounts := map[string]string{
		"af-south-1": "877085696533", "ap-east-1": "800184023465", "ap-south-2": "900889452093", "ap-southeast-3": "296578399912",
		"ap-southeast-4": "491585149902", "ca-west-1": "761377655185", "eu-central-2": "900612956339", "eu-south-1": "590381155156",
		"eu-south-2": "455263428931", "il-central-1": "066635153087", "me-central-1": "759879836304", "me-south-1": "558608220178",
		"cn-north-1": "918309763551", "cn-northwest-1": "961992271922", "us-gov-east-1": "151742754352", "us-gov-west-1": "013241004608",
	}
	return cmp.Or(accounts[region], "602401143452")
}
