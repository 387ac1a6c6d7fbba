package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const docGroups = "https://docs.aws.amazon.com/eks/latest/userguide/sec-group-reqs.html"

// groupRuleChecks follow the security groups between machine and control
// plane, both ways.
func groupRuleChecks() []Check {
	needs := sections(snapshot.SectionInstances, snapshot.SectionCluster, snapshot.SectionSubnets, snapshot.SectionSecurityGroups)
	return []Check{
		{
			ID: "net.groups-out", Title: "machine's security groups let it call out",
			Why:  "AWS's APIs, which nodeadm asks first, and the API server are called on port 443; a security group without a rule for it drops the call without a word.",
			Ref:  docGroups,
			Link: LinkAWSAPI, Needs: needs, Path: true, Node: groupsOut,
		},
		{
			ID: "net.groups-control-plane", Title: "control plane's security groups let the machine in",
			Why:  "With the private endpoint on, the API server's name means the control plane's interfaces in the VPC. Their security groups must admit machines on port 443.",
			Ref:  docGroups,
			Link: LinkAPIServer, Needs: needs, Path: true, Node: groupsControlPlane,
		},
		{
			ID: "net.groups-kubelet", Title: "control plane can call the kubelet",
			Why:  "Logs, exec, port-forward and metrics go from the control plane to port 10250 of a machine.",
			Ref:  docGroups,
			Link: LinkReady, Needs: needs, Node: groupsKubelet,
		},
		{
			ID: "net.groups-dns", Title: "machine can ask CoreDNS",
			Why:  "CoreDNS runs on some of the machines and all others ask it on port 53; without that, pods resolve no name.",
			Ref:  docGroups,
			Link: LinkReady, Needs: append(needs, snapshot.SectionNodes, snapshot.SectionSystemPods), Join: groupsDNS,
		},
	}
}

// controlPlane is what rules may name to mean the control plane's interfaces.
func controlPlane(s *snapshot.Snapshot) peers {
	who := peers{groups: slices.Clone(s.Cluster.SecurityGroupIDs)}
	if s.Cluster.ClusterSGID != "" {
		who.groups = append(who.groups, s.Cluster.ClusterSGID)
	}
	for _, id := range s.Cluster.SubnetIDs {
		if subnet := s.Network.Subnet(id); subnet != nil {
			who.cidrs = append(who.cidrs, subnet.CIDR)
		}
	}
	return who
}

// self is what rules may name to mean the machine.
func self(n *snapshot.Node) peers {
	return peers{groups: n.Cloud.SecurityGroupIDs, cidrs: []string{n.Cloud.PrivateIP}}
}

func running(n *snapshot.Node) bool {
	return n.Cloud != nil && (n.Cloud.State == "running" || n.Cloud.State == "pending")
}

// ruleEvidence quotes the groups of a machine with the rules of a direction.
func ruleEvidence(s *snapshot.Snapshot, ids []string, direction string, of func(*snapshot.SecurityGroup) []snapshot.Rule) []report.Evidence {
	var found []report.Evidence
	for _, id := range ids {
		group := s.Network.SecurityGroup(id)
		if group == nil {
			continue
		}
		var rules []string
		for _, rule := range of(group) {
			ports := "all"
			if rule.Protocol != "-1" {
				ports = fmt.Sprintf("%s %d-%d", rule.Protocol, rule.FromPort, rule.ToPort)
			}
			if rules = append(rules, ports+" "+rule.Peer); len(rules) == 6 {
				break
			}
		}
		found = append(found, fact("ec2:DescribeSecurityGroups", fmt.Sprintf("%s (%s), %s: %s", id, group.Name, direction, orNone(rules))))
	}
	return found
}

func groupsOut(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if !running(n) {
		return nil
	}
	rules, known := rulesOf(s, n.Cloud.SecurityGroupIDs, egress)
	if !known {
		return nil
	}
	found := ruleEvidence(s, n.Cloud.SecurityGroupIDs, "outbound", egress)
	target := everywhere
	open := slices.ContainsFunc(rules, func(rule snapshot.Rule) bool {
		return opens(rule, "tcp", 443) && (strings.HasPrefix(rule.Peer, "pl-") || internet(rule.Peer))
	})
	if s.Cluster.EndpointPrivate {
		open = open || controlPlane(s).allowedBy(rules, "tcp", 443)
	}
	if open {
		return pass("port 443 is open outbound", found...)
	}
	return fail(report.Certain, fmt.Sprintf("security groups %s let nothing out to port 443 of the API server", strings.Join(n.Cloud.SecurityGroupIDs, ", ")),
		do("open port 443 outbound", fmt.Sprintf("aws ec2 authorize-security-group-egress --region %s --group-id %s --protocol tcp --port 443 --cidr %s",
			s.Target.Region, n.Cloud.SecurityGroupIDs[0], target)), found...)
}

func groupsControlPlane(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if !running(n) || !s.Cluster.EndpointPrivate {
		return nil
	}
	who := controlPlane(s)
	rules, known := rulesOf(s, who.groups, ingress)
	if !known {
		return nil
	}
	if n.Cloud.PrivateIP == "" && len(n.Cloud.SecurityGroupIDs) == 0 {
		return []Result{unknown(snapshot.Gap{Section: snapshot.SectionInstances, Reason: snapshot.GapAbsent, Detail: "EC2 tells neither an address nor a security group of the machine"})}
	}
	found := ruleEvidence(s, who.groups, "inbound", ingress)
	if self(n).allowedBy(rules, "tcp", 443) {
		return pass("port 443 is open for the machine", found...)
	}
	found = append(found, fact("ec2:DescribeInstances", fmt.Sprintf("%s: %s, %s", n.InstanceID, n.Cloud.PrivateIP, orNone(n.Cloud.SecurityGroupIDs))))
	source := "--cidr " + n.Cloud.PrivateIP + "/32"
	if len(n.Cloud.SecurityGroupIDs) > 0 {
		source = "--source-group " + n.Cloud.SecurityGroupIDs[0]
	}
	return fail(report.Certain, fmt.Sprintf("the control plane's security groups %s do not admit the machine on port 443", strings.Join(who.groups, ", ")),
		do("attach the cluster security group to the machines, or admit theirs", fmt.Sprintf(
			"aws ec2 authorize-security-group-ingress --region %s --group-id %s --protocol tcp --port 443 %s", s.Target.Region, who.groups[len(who.groups)-1], source)), found...)
}

func groupsKubelet(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if !running(n) {
		return nil
	}
	rules, known := rulesOf(s, n.Cloud.SecurityGroupIDs, ingress)
	who := controlPlane(s)
	if !known || len(who.groups) == 0 {
		return nil
	}
	found := ruleEvidence(s, n.Cloud.SecurityGroupIDs, "inbound", ingress)
	if who.allowedBy(rules, "tcp", 10250) {
		return pass("port 10250 is open for the control plane", found...)
	}
	return warn(report.Likely, "the control plane cannot call the kubelet on port 10250: logs, exec and metrics fail",
		do("open port 10250 for it", fmt.Sprintf("aws ec2 authorize-security-group-ingress --region %s --group-id %s --protocol tcp --port 10250 --source-group %s",
			s.Target.Region, n.Cloud.SecurityGroupIDs[0], who.groups[len(who.groups)-1])), found...)
}

// groupsDNS asks the security groups of the machines that CoreDNS runs on
// whether they admit this one. It does not apply while CoreDNS runs nowhere
// that is known: a first machine, Fargate.
func groupsDNS(s *snapshot.Snapshot) func(Joiner) []Result {
	servers := dnsMachines(s)
	return func(j Joiner) []Result {
		if j.Node == nil || !running(j.Node) {
			return nil
		}
		return asksDNS(s, j.Node, servers)
	}
}

func asksDNS(s *snapshot.Snapshot, n *snapshot.Node, servers []*snapshot.Node) []Result {
	var closed []*snapshot.Node
	var found []report.Evidence
	asked := 0
	for _, server := range servers {
		rules, known := rulesOf(s, server.Cloud.SecurityGroupIDs, ingress)
		if !known {
			continue
		}
		asked++
		found = append(found, ruleEvidence(s, server.Cloud.SecurityGroupIDs, "inbound", ingress)...)
		if server.InstanceID != n.InstanceID && !self(n).allowedBy(rules, "udp", 53) {
			closed = append(closed, server)
		}
	}
	switch {
	case asked == 0:
		return nil
	case len(closed) == 0:
		return pass("port 53 is open for it where CoreDNS runs", found...)
	}
	return warn(report.Likely, fmt.Sprintf("the machine cannot ask CoreDNS on port 53 of %d of %d machines: pods resolve no names, or only some of the time", len(closed), asked),
		do("let the machines talk to each other", fmt.Sprintf("aws ec2 authorize-security-group-ingress --region %s --group-id %s --protocol all --source-group %s",
			s.Target.Region, closed[0].Cloud.SecurityGroupIDs[0], firstOr(n.Cloud.SecurityGroupIDs, "GROUP"))), found...)
}

// dnsMachines are the machines that CoreDNS's pods run on.
func dnsMachines(s *snapshot.Snapshot) []*snapshot.Node {
	serves := map[string]bool{}
	for _, pod := range s.Kube.System.Pods {
		if strings.HasPrefix(pod.Owner, "ReplicaSet/coredns-") && pod.Node != "" {
			serves[pod.Node] = true
		}
	}
	var machines []*snapshot.Node
	for i := range s.Nodes {
		if node := &s.Nodes[i]; node.Kube != nil && serves[node.Kube.Name] && running(node) {
			machines = append(machines, node)
		}
	}
	return machines
}
