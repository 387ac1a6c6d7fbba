package snapshot

// Section names one body of facts that is read, is missing, or is withheld
// from a check as a whole. Its row says what reading it takes.
type Section string

// The sections, in reading order.
const (
	SectionCluster        Section = "eks/cluster"
	SectionAccessEntries  Section = "eks/access-entries"
	SectionAddons         Section = "eks/addons"
	SectionSubnets        Section = "ec2/subnets"
	SectionRouteTables    Section = "ec2/route-tables"
	SectionSecurityGroups Section = "ec2/security-groups"
	SectionInstanceTypes  Section = "ec2/instance-types"
	SectionOfferings      Section = "ec2/instance-type-offerings"
	SectionImages         Section = "ec2/images"
	SectionKeyPairs       Section = "ec2/key-pairs"
	SectionInstances      Section = "ec2/instances"
	SectionConsole        Section = "ec2/console-output"
	SectionQuotas         Section = "servicequotas/ec2"
	SectionRoles          Section = "iam/roles"
	SectionStacks         Section = "cloudformation/stacks"
	SectionGroups         Section = "autoscaling/groups"
	SectionActivities     Section = "autoscaling/activities"
	SectionLaunch         Section = "ec2/launch-templates"
	SectionKubeVersion    Section = "kube/version"
	SectionAwsAuth        Section = "kube/aws-auth"
	SectionNodes          Section = "kube/nodes"
	SectionCNI            Section = "kube/cni"
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
		SectionCluster:        actions("eks:DescribeCluster", "eks:ListClusters"),
		SectionAccessEntries:  actions("eks:ListAccessEntries", "eks:DescribeAccessEntry"),
		SectionAddons:         actions("eks:ListAddons", "eks:DescribeAddon"),
		SectionSubnets:        actions("ec2:DescribeSubnets"),
		SectionRouteTables:    actions("ec2:DescribeRouteTables"),
		SectionSecurityGroups: actions("ec2:DescribeSecurityGroups"),
		SectionInstanceTypes:  actions("ec2:DescribeInstanceTypes"),
		SectionOfferings:      actions("ec2:DescribeInstanceTypeOfferings"),
		SectionImages:         actions("ssm:GetParameter", "ec2:DescribeImages"),
		SectionKeyPairs:       actions("ec2:DescribeKeyPairs"),
		SectionInstances:      actions("ec2:DescribeInstances"),
		SectionConsole:        actions("ec2:GetConsoleOutput"),
		SectionQuotas:         actions("servicequotas:GetServiceQuota", "ec2:DescribeInstances"),
		SectionRoles:          actions("iam:GetRole", "iam:GetInstanceProfile", "iam:ListAttachedRolePolicies", "iam:ListInstanceProfiles"),
		SectionStacks:         actions("cloudformation:DescribeStacks"),
		SectionGroups:         actions("autoscaling:DescribeAutoScalingGroups"),
		SectionActivities:     actions("autoscaling:DescribeScalingActivities"),
		SectionLaunch:         actions("ec2:DescribeLaunchTemplateVersions"),
		SectionKubeVersion:    {},
		SectionAwsAuth:        {RBAC: []RBACRule{{Resource: "configmaps", Names: []string{"aws-auth"}, Namespace: "kube-system", Verbs: []string{"get"}}}},
		SectionNodes:          {RBAC: []RBACRule{{Resource: "nodes", Verbs: []string{"get", "list", "watch"}}}},
		SectionCNI:            {RBAC: []RBACRule{{APIGroup: "apps", Resource: "daemonsets", Names: []string{"aws-node"}, Namespace: "kube-system", Verbs: []string{"get"}}, {Resource: "serviceaccounts", Names: []string{"aws-node"}, Namespace: "kube-system", Verbs: []string{"get"}}}},
	}
}
