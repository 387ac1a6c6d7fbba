package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// fewPods is less than the system's own pods need. No type of EC2 has so few
// addresses: it is what somebody typed.
const fewPods = 4

// capacityChecks are about what a node has to offer.
func capacityChecks() []Check {
	const (
		instances = snapshot.SectionInstances
		nodes     = snapshot.SectionNodes
		types     = snapshot.SectionInstanceTypes
	)
	return []Check{
		{
			ID: "node.max-pods", Title: "node takes as many pods as it has addresses for",
			Why:  "A kubelet that takes more pods than the VPC CNI has addresses for leaves the last of them in ContainerCreating; one that takes next to none is of no use.",
			Ref:  "https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html",
			Link: LinkReady, Needs: sections(instances, nodes, types), Uses: sections(snapshot.SectionCNI, snapshot.SectionCluster), Node: maxPods,
		},
		{
			ID: "node.gpu", Title: "node offers its GPUs and accelerators",
			Why:  "A GPU is offered by a device plugin, which needs the driver of the image. A node without either is Ready and runs no pod that asks for a GPU.",
			Ref:  "https://docs.aws.amazon.com/eks/latest/userguide/ml-eks-k8s-device-plugin.html",
			Link: LinkReady, Needs: sections(instances, nodes, types, snapshot.SectionDaemonSets), Node: devices,
		},
	}
}

// typeOf is the machine's instance type, if it was read.
func typeOf(s *snapshot.Snapshot, n *snapshot.Node) *snapshot.InstanceType {
	if n.Cloud == nil || n.Kube == nil {
		return nil
	}
	return s.Catalog.InstanceType(n.Cloud.Type)
}

// maxPods counts as nodeadm does: internal/kubelet/eni_max_pods.go of
// github.com/awslabs/amazon-eks-ami/nodeadm@v0.0.0-20260213141146-147b13ea3f4a.
// Custom networking does not use the first interface, and prefixes and IPv6
// have no such limit.
func maxPods(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	t := typeOf(s, n)
	if t == nil {
		return nil
	}
	pods, known := n.Kube.Allocatable["pods"]
	if !known {
		return nil
	}
	found := []report.Evidence{fact("kube/nodes", fmt.Sprintf("%s: %d pods", n.Kube.Name, pods))}
	if pods < fewPods {
		return warn(report.Certain, fmt.Sprintf("the node takes %d pods, less than the system's own", pods),
			do("leave maxPods out of the user data: it is worked out from the type"), found...)
	}
	interfaces := t.MaxENIs
	if customNetwork(s) {
		interfaces--
	}
	most := int64(interfaces*(t.IPsPerENI-1) + 2)
	plain := s.Kube.CNIVersion != "" && !strings.EqualFold(s.Kube.CNISettings["ENABLE_PREFIX_DELEGATION"], "true") && s.Cluster != nil && s.Cluster.IPFamily != "ipv6"
	if !plain || t.MaxENIs == 0 || t.IPsPerENI == 0 {
		return pass(fmt.Sprintf("%d pods", pods), found...)
	}
	found = append(found, fact("ec2:DescribeInstanceTypes", fmt.Sprintf("%s: %d interfaces of %d addresses", t.Name, t.MaxENIs, t.IPsPerENI)))
	if pods > most {
		return warn(report.Likely, fmt.Sprintf("the node takes %d pods, and the VPC CNI has addresses for %d", pods, most),
			do("leave maxPods out of the user data, or give pods prefixes", "kubectl -n kube-system set env daemonset/aws-node ENABLE_PREFIX_DELEGATION=true"), found...)
	}
	return pass(fmt.Sprintf("%d pods, addresses for %d", pods, most), found...)
}

// devices looks for any resource of the maker's: shared and partitioned
// devices have names of their own.
func devices(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	t := typeOf(s, n)
	if t == nil || t.GPU == "" && !t.Neuron || !n.Kube.Ready() || s.CollectedAt.Sub(n.Kube.CreatedAt) < joinTime {
		return nil
	}
	maker, domain := t.GPU, strings.ToLower(t.GPU)+".com/"
	if t.Neuron {
		maker, domain = "AWS Neuron", "aws.amazon.com/neuron"
	}
	for name, count := range n.Kube.Allocatable {
		if strings.HasPrefix(name, domain) && count > 0 {
			return pass("it does", fact("kube/nodes", fmt.Sprintf("%s: %d %s", n.Kube.Name, count, name)))
		}
	}
	runs := func(part string) bool {
		return slices.ContainsFunc(s.Kube.System.DaemonSets, func(set snapshot.DaemonSet) bool {
			return strings.Contains(set.Name, part) && set.Desired > 0
		})
	}
	found := fact("kube/nodes", fmt.Sprintf("%s (%s): no %s* can be allocated", n.Kube.Name, t.Name, domain))
	fix := do("use an image with the driver (AL2023's nvidia or neuron flavour), and install the device plugin", fmt.Sprintf("kubectl describe node %s", n.Kube.Name))
	switch {
	case runs("dra-driver"), runs("dra-kubelet-plugin"):
		return pass("its devices are offered by a DRA driver", found)
	case runs("device-plugin"):
		return warn(report.Likely, fmt.Sprintf("a device plugin runs, and the node offers no %s device: does its image have the driver?", maker), fix, found)
	}
	return warn(report.Possible, fmt.Sprintf("the node offers none of its %s devices: no device plugin runs", maker), fix, found)
}
