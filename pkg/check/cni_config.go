package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const (
	docCustomNetwork = "https://docs.aws.amazon.com/eks/latest/userguide/cni-custom-network.html"
	// What picks a node's ENIConfig, in this order: GetNodeSpecificENIConfigName
	// in github.com/aws/amazon-vpc-cni-k8s@v1.23.2 pkg/eniconfig/eniconfig.go.
	externalENIConfig = "vpc.amazonaws.com/externalEniConfig"
	nodesENIConfig    = "k8s.amazonaws.com/eniConfig"
	defaultENIConfig  = "default"
)

// cniConfigChecks are about how the VPC CNI is set up.
func cniConfigChecks() []Check {
	const (
		nodes   = snapshot.SectionNodes
		cni     = snapshot.SectionCNI
		subnets = snapshot.SectionSubnets
		configs = snapshot.SectionENIConfigs
	)
	return []Check{
		{
			ID: "cni.eniconfig", Title: "node has an ENIConfig",
			Why:  "With custom networking the VPC CNI gives a node addresses for pods only when an ENIConfig is there for it: of the name that the node is labelled with, or \"default\".",
			Ref:  docCustomNetwork,
			Link: LinkCNI, Needs: sections(nodes, cni), Uses: sections(configs), Node: eniConfigThere,
		},
		{
			ID: "cni.eniconfig-subnet", Title: "ENIConfig's subnet fits the node",
			Why:  "An interface can only be in a subnet of its machine's zone, and takes pods' addresses from there.",
			Ref:  docCustomNetwork,
			Link: LinkCNI, Needs: sections(nodes, cni, snapshot.SectionInstances, subnets), Uses: sections(configs), Path: true, Node: eniConfigSubnet,
		},
		{
			ID: "cni.manifest-mixed", Title: "VPC CNI's containers are of one version",
			Why:  "The plugin's init container and settings belong to its version. When only an image is changed, the rest of the manifest is another version's, and the plugin may crash.",
			Ref:  "https://github.com/aws/amazon-vpc-cni-k8s/blob/master/docs/troubleshooting.md",
			Link: LinkCNI, Needs: sections(cni), Cluster: manifestMixed,
		},
	}
}

// customNetwork reports whether the VPC CNI takes pods' addresses from
// ENIConfigs.
func customNetwork(s *snapshot.Snapshot) bool {
	return strings.EqualFold(s.Kube.CNISettings["AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG"], "true")
}

// eniConfigName is the ENIConfig that the VPC CNI picks for a node; ok is
// false when an annotation that is not read may decide.
func eniConfigName(s *snapshot.Snapshot, node *snapshot.KubeNode) (name string, ok bool) {
	if name := node.Labels[externalENIConfig]; name != "" {
		return name, true
	}
	if key := s.Kube.CNISettings["ENI_CONFIG_ANNOTATION_DEF"]; key != "" && !strings.HasPrefix(key, "k8s.amazonaws.com/") {
		return "", false
	}
	annotation, label := nodesENIConfig, nodesENIConfig
	if key := s.Kube.CNISettings["ENI_CONFIG_ANNOTATION_DEF"]; key != "" {
		annotation = key
	}
	if key := s.Kube.CNISettings["ENI_CONFIG_LABEL_DEF"]; key != "" {
		label = key
	}
	for _, name := range []string{node.Annotations[annotation], node.Labels[label]} {
		if name != "" {
			return name, true
		}
	}
	return defaultENIConfig, true
}

// eniConfigOf finds a node's ENIConfig; asked is false where none is needed
// or what it is called is not known.
func eniConfigOf(s *snapshot.Snapshot, n *snapshot.Node) (config *snapshot.ENIConfig, name string, asked bool) {
	if n.Kube == nil || !customNetwork(s) {
		return nil, "", false
	}
	name, ok := eniConfigName(s, n.Kube)
	if !ok {
		return nil, "", false
	}
	i := slices.IndexFunc(s.Kube.ENIConfigs, func(c snapshot.ENIConfig) bool { return c.Name == name })
	if i < 0 {
		return nil, name, true
	}
	return &s.Kube.ENIConfigs[i], name, true
}

func eniConfigThere(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if n.Kube == nil || s.Kube.CNIVersion == "" {
		return nil
	}
	if !customNetwork(s) {
		return pass("custom networking is off", fact("daemonset kube-system/aws-node", "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG is not true"))
	}
	if unknown := unread(s, "", snapshot.SectionENIConfigs); unknown != nil {
		return unknown
	}
	config, name, asked := eniConfigOf(s, n)
	if !asked {
		return nil
	}
	var names []string
	for _, c := range s.Kube.ENIConfigs {
		names = append(names, c.Name)
	}
	found := fact("kube/eniconfigs", fmt.Sprintf("%s needs %q, there are %s", n.Kube.Name, name, orNone(names)))
	if config != nil {
		return pass("it has "+name, found)
	}
	return fail(report.Certain, fmt.Sprintf("custom networking is on, and there is no ENIConfig %q for the node", name),
		do("make it for the node's zone, or have the VPC CNI pick by zone (ENI_CONFIG_LABEL_DEF=topology.kubernetes.io/zone)",
			"kubectl -n kube-system set env daemonset/aws-node ENI_CONFIG_LABEL_DEF=topology.kubernetes.io/zone", "kubectl get eniconfigs"), found)
}

func eniConfigSubnet(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if !running(n) || s.Kube.CNIVersion == "" || n.Kube == nil {
		return nil
	}
	config, name, asked := eniConfigOf(s, n)
	if !asked || config == nil {
		if !customNetwork(s) {
			return pass("custom networking is off", fact("daemonset kube-system/aws-node", "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG is not true"))
		}
		return unread(s, "", snapshot.SectionENIConfigs)
	}
	subnet := s.Network.Subnet(config.SubnetID)
	found := []report.Evidence{fact("kube/eniconfigs", fmt.Sprintf("%s: subnet %s", name, config.SubnetID)), fact("ec2:DescribeInstances", n.InstanceID+": "+n.Cloud.Zone)}
	edit := do("write a subnet of the machine's zone and of the cluster's VPC", "kubectl edit eniconfig "+name)
	switch {
	case subnet == nil:
		return fail(report.Likely, fmt.Sprintf("subnet %s of ENIConfig %s is not in the cluster's VPC", config.SubnetID, name), edit, found...)
	case subnet.Zone != n.Cloud.Zone:
		return fail(report.Certain, fmt.Sprintf("subnet %s of ENIConfig %s is in %s, the machine in %s", subnet.ID, name, subnet.Zone, n.Cloud.Zone), edit, found...)
	case subnet.FreeAddresses == 0:
		return fail(report.Likely, fmt.Sprintf("subnet %s of ENIConfig %s has no free address for pods", subnet.ID, name),
			do("name a larger subnet", "kubectl edit eniconfig "+name), append(found, freeFact(subnet))...)
	}
	return pass("it fits", append(found, freeFact(subnet))...)
}

func freeFact(subnet *snapshot.Subnet) report.Evidence {
	return fact("ec2:DescribeSubnets", fmt.Sprintf("%s (%s): %d free of %s", subnet.ID, subnet.Zone, subnet.FreeAddresses, subnet.CIDR))
}

// manifestMixed compares the tags of the two images, which the plugin's chart
// keeps the same (charts/aws-vpc-cni/values.yaml of v1.23.2). Images of one's
// own may be tagged as one likes, so that other words than versions say
// nothing.
func manifestMixed(s *snapshot.Snapshot) []Result {
	main, init := s.Kube.CNIVersion, s.Kube.CNIInitVersion
	if !strings.HasPrefix(main, "v") || !strings.HasPrefix(init, "v") {
		return nil
	}
	found := fact("daemonset kube-system/aws-node", fmt.Sprintf("aws-node %s, aws-vpc-cni-init %s", main, init))
	release := func(tag string) string { version, _, _ := strings.Cut(tag, "-"); return version }
	if release(main) != release(init) {
		return warn(report.Likely, fmt.Sprintf("the VPC CNI is %s with an init container of %s: its manifest is of two versions", main, init),
			do("apply the whole manifest of one version, or let EKS keep it as an add-on", fmt.Sprintf(
				"aws eks create-addon --region %s --cluster-name %s --addon-name vpc-cni --resolve-conflicts OVERWRITE", s.Target.Region, s.Target.ClusterName)), found)
	}
	return pass("both are "+release(main), found)
}
