package check

import (
	"fmt"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// lowAddresses is how many free addresses make a subnet nearly full: a node
// takes up to this many at once for its pods.
const lowAddresses = 16

// cniFitChecks are about what the pod network needs beside its pods.
func cniFitChecks() []Check {
	return []Check{
		{
			ID: "cni.addresses", Title: "subnet has addresses for the node's pods",
			Why:  "The VPC CNI gives every pod an address of the machine's subnet; when there is none, the plugin does not start or pods stay in ContainerCreating.",
			Ref:  "https://docs.aws.amazon.com/eks/latest/best-practices/ip-opt.html",
			Link: LinkCNI, Needs: sections(snapshot.SectionInstances, snapshot.SectionSubnets), Uses: sections(snapshot.SectionCNI, snapshot.SectionCluster), Path: true, Node: podAddresses,
		},
		{
			ID: "cni.kube-proxy-version", Title: "kube-proxy's version fits the kubelet's",
			Why:  "kube-proxy may not be newer than the API server, and not more than three minor versions away from its node's kubelet.",
			Ref:  docKubeProxy,
			Link: LinkReady, Needs: sections(snapshot.SectionNodes, snapshot.SectionDaemonSets), Node: kubeProxyVersion,
		},
	}
}

// podAddresses is about pods that take addresses of the machine's own subnet:
// not those of an IPv6 cluster, nor of custom networking, where
// cni.eniconfig-subnet looks at the other subnet.
func podAddresses(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if !running(n) || customNetwork(s) || s.Cluster != nil && s.Cluster.IPFamily == "ipv6" {
		return nil
	}
	subnet := s.Network.Subnet(n.Cloud.SubnetID)
	if subnet == nil {
		return nil
	}
	found := freeFact(subnet)
	fix := do("add subnets of a new range to the group, or give pods prefixes", fmt.Sprintf(
		"aws ec2 associate-vpc-cidr-block --region %s --vpc-id %s --cidr-block 100.64.0.0/16", s.Target.Region, subnet.VPCID),
		"kubectl -n kube-system set env daemonset/aws-node ENABLE_PREFIX_DELEGATION=true")
	switch {
	case subnet.FreeAddresses == 0:
		return fail(report.Likely, fmt.Sprintf("%s has no free address for pods", subnet.ID), fix, found)
	case subnet.FreeAddresses < lowAddresses:
		return warn(report.Likely, fmt.Sprintf("%s is nearly full: %d addresses are free", subnet.ID, subnet.FreeAddresses), fix, found)
	}
	return pass(fmt.Sprintf("%d addresses are free", subnet.FreeAddresses), found)
}

func kubeProxyVersion(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	set := s.Kube.System.DaemonSet("kube-system", kubeProxy)
	if n.Kube == nil || set == nil {
		return nil
	}
	kubelet, okK := minorOf(n.Kube.KubeletVersion)
	proxy, okP := minorOf(set.Image[strings.LastIndexByte(set.Image, ':')+1:])
	if !okK || !okP {
		return nil
	}
	found := []report.Evidence{fact("kube/daemonsets", "kube-proxy: "+set.Image), fact("kube/nodes", n.Kube.Name+": kubelet "+n.Kube.KubeletVersion)}
	if proxy-kubelet > maxSkew || kubelet-proxy > maxSkew {
		return warn(report.Certain, fmt.Sprintf("kube-proxy 1.%d is more than %d versions away from the kubelet's 1.%d", proxy, maxSkew, kubelet),
			do("update the add-on to the cluster's version", fmt.Sprintf("aws eks update-addon --region %s --cluster-name %s --addon-name kube-proxy", s.Target.Region, s.Target.ClusterName)), found...)
	}
	return pass(fmt.Sprintf("kube-proxy 1.%d, kubelet 1.%d", proxy, kubelet), found...)
}
