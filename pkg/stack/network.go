package stack

// addSecurityGroups adds the group's own security group. It is there even without a rule: it is the place to let
// somebody in later without touching what other nodes share.
//
// Only one security group of an interface may carry the cluster's tag, or load balancer controllers refuse to choose.
// EKS tags the cluster security group; so ours is tagged only when that one is not attached.
func addSecurityGroups(resources object, in Input) {
	properties := object{
		"GroupDescription": sub("Nodes of group ${NodeGroupName} of EKS cluster ${ClusterName}"),
		"VpcId":            ref("VpcId"),
	}
	tags := []any{tag("Name", sub("${ClusterName}-${NodeGroupName}-nodes"))}
	if in.Network.Isolated {
		tags = append(tags, object{"Key": sub("kubernetes.io/cluster/${ClusterName}"), "Value": "owned"})
		addIsolation(resources)
	}
	properties["Tags"] = append(tags, userTags(in)...)
	if rules := ingress(in.Network.Ingress); len(rules) > 0 {
		properties["SecurityGroupIngress"] = rules
	}
	resources["NodeSecurityGroup"] = resource("AWS::EC2::SecurityGroup", properties)
}

// addIsolation adds the six rules by which AWS's template joins the nodes' group with the control plane's: nodes
// reach each other and the API server, the control plane reaches kubelets and webhooks.
func addIsolation(resources object) {
	nodes, controlPlane := getAtt("NodeSecurityGroup", "GroupId"), ref("ClusterControlPlaneSecurityGroup")
	in := func(name, description string, group, source any, protocol string, from, to int) {
		resources[name] = resource("AWS::EC2::SecurityGroupIngress",
			ruleBetween(description, group, "SourceSecurityGroupId", source, protocol, from, to))
	}
	out := func(name, description string, group, destination any, from, to int) {
		resources[name] = resource("AWS::EC2::SecurityGroupEgress",
			ruleBetween(description, group, "DestinationSecurityGroupId", destination, "tcp", from, to))
	}
	in("NodeSecurityGroupIngress", "Nodes to each other", nodes, nodes, "-1", 0, 0)
	in("ClusterControlPlaneSecurityGroupIngress", "Nodes to the API server", controlPlane, nodes, "tcp", 443, 443)
	in("NodeSecurityGroupFromControlPlaneIngress", "Control plane to kubelets and pods", nodes, controlPlane, "tcp", 1025, 65535)
	in("NodeSecurityGroupFromControlPlaneOn443Ingress", "Control plane to webhooks", nodes, controlPlane, "tcp", 443, 443)
	out("ControlPlaneEgressToNodeSecurityGroup", "Control plane to kubelets and pods", controlPlane, nodes, 1025, 65535)
	out("ControlPlaneEgressToNodeSecurityGroupOn443", "Control plane to webhooks", controlPlane, nodes, 443, 443)
}

func ruleBetween(description string, group any, peerKey string, peer any, protocol string, from, to int) object {
	rule := object{"Description": description, "GroupId": group, peerKey: peer, "IpProtocol": protocol}
	if protocol != "-1" {
		rule["FromPort"], rule["ToPort"] = from, to
	}
	return rule
}

func ingress(rules []Rule) []any {
	all := make([]any, 0, len(rules))
	for _, r := range rules {
		rule := object{"IpProtocol": r.Protocol}
		if r.Protocol != "-1" {
			rule["FromPort"], rule["ToPort"] = r.FromPort, r.ToPort
		}
		optional(rule, "Description", r.Description)
		optional(rule, "SourceSecurityGroupId", r.SourceGroup)
		optional(rule, "SourcePrefixListId", r.PrefixList)
		optional(rule, cidrKey(r.CIDR), r.CIDR)
		all = append(all, rule)
	}
	return all
}

// attached lists the security groups of the nodes' interfaces.
func attached(in Input) []any {
	var groups []any
	if !in.Network.Isolated {
		groups = append(groups, ref("ClusterControlPlaneSecurityGroup"))
	}
	groups = append(groups, getAtt("NodeSecurityGroup", "GroupId"))
	for _, id := range in.Network.SecurityGroups {
		groups = append(groups, id)
	}
	return groups
}
