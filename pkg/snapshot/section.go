package snapshot

// Section names one body of facts that is read, is missing, or is withheld
// from a check as a whole. Its row says what reading it takes.
type Section string

// The sections, in reading order.
const (
	SectionCluster          Section = "eks/cluster"
	SectionAccessEntries    Section = "eks/access-entries"
	SectionAddons           Section = "eks/addons"
	SectionSubnets          Section = "ec2/subnets"
	SectionRouteTables      Section = "ec2/route-tables"
	SectionSecurityGroups   Section = "ec2/security-groups"
	SectionInstanceTypes    Section = "ec2/instance-types"
	SectionOfferings        Section = "ec2/instance-type-offerings"
	SectionImages           Section = "ec2/images"
	SectionKeyPairs         Section = "ec2/key-pairs"
	SectionInstances        Section = "ec2/instances"
	SectionConsole          Section = "ec2/console-output"
	SectionQuotas           Section = "servicequotas/ec2"
	SectionRoles            Section = "iam/roles"
	SectionStacks           Section = "cloudformation/stacks"
	SectionGroups           Section = "autoscaling/groups"
	SectionActivities       Section = "autoscaling/activities"
	SectionLaunch           Section = "ec2/launch-templates"
	SectionKubeVersion      Section = "kube/version"
	SectionAwsAuth          Section = "kube/aws-auth"
	SectionNodes            Section = "kube/nodes"
	SectionCNI              Section = "kube/cni"
	SectionVPC              Section = "ec2/vpc"
	SectionDHCPOptions      Section = "ec2/dhcp-options"
	SectionNATGateways      Section = "ec2/nat-gateways"
	SectionInternetGateways Section = "ec2/internet-gateways"
	SectionVPCEndpoints     Section = "ec2/vpc-endpoints"
	SectionNetworkACLs      Section = "ec2/network-acls"
	SectionInstanceStatus   Section = "ec2/instance-status"
	SectionDaemonSets       Section = "kube/daemonsets"
	SectionSystemPods       Section = "kube/pods"
	SectionEvents           Section = "kube/events"
	SectionLeases           Section = "kube/leases"
	SectionCSRs             Section = "kube/csrs"
	SectionWebhooks         Section = "kube/webhooks"
	SectionRolePolicies     Section = "iam/role-policies"
	SectionUserData         Section = "ec2/user-data"
	SectionBindings         Section = "kube/cluster-role-bindings"
	SectionHost             Section = "host/report"
	SectionClusterRole      Section = "iam/cluster-role"
	SectionCNIRole          Section = "iam/cni-role"
	SectionENIConfigs       Section = "kube/eniconfigs"
)

// Permission is what reading a section takes: IAM actions and RBAC rules.
type Permission struct {
	Actions []string // "eks:DescribeCluster"
	RBAC    []RBACRule
}

// RBACRule is one rule of a Kubernetes ClusterRole.
type RBACRule struct {
	APIGroup  string
	Resource  string
	Names     []string // resourceNames; empty for all
	Namespace string   // empty for cluster-wide
	Verbs     []string
}

// Permissions says for every section what reading it takes. Commands print
// it, deploy/ is generated from it, and a gap's fix is found in it.
func Permissions() map[Section]Permission {
	actions := func(actions ...string) Permission { return Permission{Actions: actions} }
	return map[Section]Permission{
		SectionCluster:          actions("eks:DescribeCluster", "eks:ListClusters"),
		SectionAccessEntries:    actions("eks:ListAccessEntries", "eks:DescribeAccessEntry"),
		SectionAddons:           actions("eks:ListAddons", "eks:DescribeAddon"),
		SectionSubnets:          actions("ec2:DescribeSubnets"),
		SectionRouteTables:      actions("ec2:DescribeRouteTables"),
		SectionSecurityGroups:   actions("ec2:DescribeSecurityGroups"),
		SectionInstanceTypes:    actions("ec2:DescribeInstanceTypes"),
		SectionOfferings:        actions("ec2:DescribeInstanceTypeOfferings"),
		SectionImages:           actions("ssm:GetParameter", "ec2:DescribeImages"),
		SectionKeyPairs:         actions("ec2:DescribeKeyPairs"),
		SectionInstances:        actions("ec2:DescribeInstances"),
		SectionConsole:          actions("ec2:GetConsoleOutput"),
		SectionQuotas:           actions("servicequotas:GetServiceQuota", "ec2:DescribeInstances"),
		SectionRoles:            actions("iam:GetRole", "iam:GetInstanceProfile", "iam:ListAttachedRolePolicies", "iam:ListInstanceProfiles"),
		SectionStacks:           actions("cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents"),
		SectionGroups:           actions("autoscaling:DescribeAutoScalingGroups"),
		SectionActivities:       actions("autoscaling:DescribeScalingActivities"),
		SectionLaunch:           actions("ec2:DescribeLaunchTemplateVersions"),
		SectionKubeVersion:      {},
		SectionAwsAuth:          {RBAC: []RBACRule{{Resource: "configmaps", Names: []string{"aws-auth"}, Namespace: "kube-system", Verbs: []string{"get"}}}},
		SectionNodes:            {RBAC: []RBACRule{{Resource: "nodes", Verbs: []string{"get", "list", "watch"}}}},
		SectionCNI:              {RBAC: []RBACRule{{APIGroup: "apps", Resource: "daemonsets", Names: []string{"aws-node"}, Namespace: "kube-system", Verbs: []string{"get"}}, {Resource: "serviceaccounts", Names: []string{"aws-node"}, Namespace: "kube-system", Verbs: []string{"get"}}}},
		SectionVPC:              actions("ec2:DescribeVpcs", "ec2:DescribeVpcAttribute"),
		SectionDHCPOptions:      actions("ec2:DescribeDhcpOptions"),
		SectionNATGateways:      actions("ec2:DescribeNatGateways"),
		SectionInternetGateways: actions("ec2:DescribeInternetGateways"),
		SectionVPCEndpoints:     actions("ec2:DescribeVpcEndpoints"),
		SectionNetworkACLs:      actions("ec2:DescribeNetworkAcls"),
		SectionInstanceStatus:   actions("ec2:DescribeInstanceStatus"),
		SectionDaemonSets:       {RBAC: []RBACRule{{APIGroup: "apps", Resource: "daemonsets", Verbs: []string{"list"}}}},
		SectionSystemPods:       {RBAC: []RBACRule{{Resource: "pods", Namespace: "kube-system", Verbs: []string{"list"}}}},
		SectionEvents:           {RBAC: []RBACRule{{Resource: "events", Namespace: "default", Verbs: []string{"list"}}, {Resource: "events", Namespace: "kube-system", Verbs: []string{"list"}}}},
		SectionLeases:           {RBAC: []RBACRule{{APIGroup: "coordination.k8s.io", Resource: "leases", Namespace: "kube-node-lease", Verbs: []string{"list"}}}},
		SectionCSRs:             {RBAC: []RBACRule{{APIGroup: "certificates.k8s.io", Resource: "certificatesigningrequests", Verbs: []string{"list"}}}},
		SectionWebhooks: {RBAC: []RBACRule{
			{APIGroup: "admissionregistration.k8s.io", Resource: "validatingwebhookconfigurations", Verbs: []string{"list"}},
			{APIGroup: "admissionregistration.k8s.io", Resource: "mutatingwebhookconfigurations", Verbs: []string{"list"}},
		}},
		SectionRolePolicies: actions("iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:GetRolePolicy"),
		SectionClusterRole:  actions("iam:GetRole", "iam:ListAttachedRolePolicies"),
		SectionCNIRole:      actions("iam:GetRole", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListOpenIDConnectProviders"),
		SectionENIConfigs:   {RBAC: []RBACRule{{APIGroup: "crd.k8s.amazonaws.com", Resource: "eniconfigs", Verbs: []string{"list"}}}},
		SectionUserData:     actions("ec2:DescribeInstanceAttribute"),
		SectionBindings:     {RBAC: []RBACRule{{APIGroup: "rbac.authorization.k8s.io", Resource: "clusterrolebindings", Verbs: []string{"list"}}}},
		// Roads take what they take; the doctor, which goes them, also lists the
		// ports that an earlier run may have left open.
		SectionHost: actions("ec2:DescribeSecurityGroupRules"),
	}
}
