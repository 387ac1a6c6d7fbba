package check

import (
	"fmt"
	"strconv"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const docNodeRole = "https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html"

// iamChecks are about how a machine comes by its role, and what the role may.
func iamChecks() []Check {
	const (
		cluster   = snapshot.SectionCluster
		groups    = snapshot.SectionGroups
		launch    = snapshot.SectionLaunch
		instances = snapshot.SectionInstances
		roles     = snapshot.SectionRoles
		policies  = snapshot.SectionRolePolicies
	)
	role := sections(groups, launch, instances, roles)
	return []Check{
		{
			ID: "iam.no-instance-profile", Title: "machine has an instance profile",
			Why:  "Without an instance profile a machine has no role, no credentials and no way to say who it is.",
			Ref:  docNodeRole,
			Link: LinkCredentials, Needs: sections(instances), Uses: sections(groups, launch), Join: noProfile,
		},
		{
			ID: "iam.profile-empty", Title: "instance profile holds a role",
			Why:  "A profile whose role was deleted or taken out gives no credentials.",
			Ref:  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2_instance-profiles.html",
			Link: LinkCredentials, Needs: sections(roles), Uses: sections(groups, launch, instances), Join: profileEmpty,
		},
		{
			ID: "iam.profile-swapped", Title: "machine has its group's instance profile",
			Why:  "Tools such as SSM Quick Setup put another profile on running machines; their role is not mapped, and minutes later the node is gone.",
			Ref:  docNodeRole,
			Link: LinkCredentials, Needs: sections(groups, launch, instances), Uses: sections(snapshot.SectionNodes), Node: profileSwapped,
		},
		{
			ID: "iam.trust-not-ec2", Title: "node role trusts EC2",
			Why:  "A machine gets credentials only from a role that EC2 may assume.",
			Ref:  docNodeRole,
			Link: LinkCredentials, Needs: sections(roles), Uses: sections(groups, launch, instances), Preflight: true,
			Join: perRole(roleTrust, role...),
		},
		{
			ID: "iam.wrong-role-used", Title: "node role is not the cluster's own",
			Why:  "EKS does not allow nodes to use the role that a cluster was made with.",
			Ref:  docNodeRole,
			Link: LinkCredentials, Needs: sections(cluster), Uses: role, Preflight: true, Join: perRole(roleIsClusters, role...),
		},
		{
			ID: "iam.missing-worker-policy", Title: "node role may describe instances",
			Why:  "A booting node asks EC2 for its own name (ec2:DescribeInstances); AmazonEKSWorkerNodePolicy allows it.",
			Ref:  "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonEKSWorkerNodePolicy.html",
			Link: LinkAWSAPI, Path: true, Needs: sections(policies), Uses: role, Join: perRole(workerPolicy, role...),
		},
		{
			ID: "iam.missing-ecr-policy", Title: "node role may pull from ECR",
			Why:  "The images of kube-system are in ECR; without permission to pull them nothing starts on the node.",
			Ref:  "https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html",
			Link: LinkCNI, Path: true, Needs: sections(policies), Uses: role, Join: perRole(ecrPolicy, role...),
		},
		{
			ID: "iam.missing-cni-policy", Title: "VPC CNI may give addresses to pods",
			Why:  "The VPC CNI without a role of its own works with the node's, which then needs AmazonEKS_CNI_Policy.",
			Ref:  "https://docs.aws.amazon.com/eks/latest/userguide/cni-iam-role.html",
			Link: LinkCNI, Path: true, Needs: sections(policies, snapshot.SectionCNI, cluster, snapshot.SectionSystemPods), Uses: role, Join: perRole(cniPolicy, role...),
		},
	}
}

// iamLineChecks are about credentials and permissions as the machine meets
// them.
func iamLineChecks() []Check {
	return []Check{
		noCredentials(),
		linesRow("iam.explicit-deny", "no policy denies what nodes do",
			"A service control policy, a boundary or a session policy wins over whatever the role allows.", "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html", LinkAWSAPI,
			lineRow{sig: "explicit-deny", status: report.Fail, confidence: report.Likely, summary: "AWS denies the machine %s by an explicit deny in a policy", value: "action", only: neededActions(), fix: do("except the node role from the policy")},
			lineRow{sig: "explicit-deny", status: report.Warn, confidence: report.Possible, summary: "AWS denies the machine something by an explicit deny in a %s", value: "policy", fix: do("except the node role from the policy, if a node needs it")}),
		linesRow("iam.unauthorized", "role may do what the machine does",
			"A booting node describes itself (ec2:DescribeInstances); AL2's also describes the cluster.", docNodeRole, LinkAWSAPI,
			lineRow{sig: "aws-unauthorized", status: report.Fail, confidence: report.Likely, summary: "AWS refuses the machine %s: its role does not allow it", value: "action", only: neededActions(), fix: do("attach AmazonEKSWorkerNodePolicy, and what else the role lacks")},
			lineRow{sig: "aws-unauthorized", status: report.Fail, confidence: report.Likely, summary: "AWS refuses the machine %s: its role does not allow it", value: "operation", only: []string{"DescribeInstances", "DescribeCluster"}, fix: do("attach AmazonEKSWorkerNodePolicy, and what else the role lacks")},
			lineRow{sig: "aws-unauthorized", status: report.Warn, confidence: report.Possible, summary: "AWS refuses the machine %s", value: "action", fix: do("allow it, if it is more than a script of one's own that asks")}),
		linesRow("iam.sts-region-off", "STS is on in the region",
			"Tokens are made with the region's own STS endpoint, which an account can switch off.", "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html", LinkCredentials,
			proof("sts-region-disabled", "STS is not activated in the region", do("activate it in the account settings of IAM"))),
	}
}

// neededActions are what a machine calls on its way into a cluster. What else
// it is refused is a script's affair.
func neededActions() []string {
	return []string{"ec2:DescribeInstances", "eks:DescribeCluster", "ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "sts:GetCallerIdentity"}
}

// noCredentials is the symptom of what keeps credentials from a machine. It
// stands alone only when no rule finds the cause.
func noCredentials() Check {
	row := linesRow("iam.no-credentials", "machine gets credentials",
		"Credentials come from the instance metadata service, by the role in the instance profile.", docNodeRole, LinkCredentials,
		lineRow{sig: "no-credentials", status: report.Fail, confidence: report.Likely, summary: "programs on the machine find no credentials", unless: "nodeadm-done",
			fix: do("give the machine an instance profile with the node role, and leave instance metadata on")})
	row.Symptom = true
	return row
}

// noProfile judges machines, and the template of a group that has none.
func noProfile(s *snapshot.Snapshot) func(Joiner) []Result {
	return func(j Joiner) []Result {
		if j.Node == nil {
			return templateProfile(s, j)
		}
		if j.Node.Cloud == nil {
			return nil
		}
		if profile := j.Node.Cloud.InstanceProfile; profile != "" {
			return pass("it has an instance profile", fact("ec2:DescribeInstances", profile))
		}
		command := fmt.Sprintf("aws ec2 associate-iam-instance-profile --region %s --instance-id %s --iam-instance-profile Name=PROFILE", s.Target.Region, j.Node.InstanceID)
		return fail(report.Certain, "the machine has no instance profile, so it has no credentials",
			do("give it the node role's profile, and set it in the launch template", command), fact("ec2:DescribeInstances", "no IamInstanceProfile"))
	}
}

func templateProfile(s *snapshot.Snapshot, j Joiner) []Result {
	launch := &j.Group.Launch
	if j.Machines > 0 || j.Group.Proposed || launch.ImageID == "" {
		return j.unread(s, snapshot.SectionLaunch)
	}
	if launch.InstanceProfile == "" {
		return fail(report.Certain, "the launch template names no instance profile", do("set one in a new version of the template"), fact("ec2:DescribeLaunchTemplateVersions", launch.TemplateID+" has no IamInstanceProfile"))
	}
	return pass("the template names an instance profile", fact("ec2:DescribeLaunchTemplateVersions", launch.InstanceProfile))
}

// profileEmpty judges the profile that a machine has, else its template's.
func profileEmpty(s *snapshot.Snapshot) func(Joiner) []Result {
	return func(j Joiner) []Result {
		profile := ""
		switch {
		case j.Node != nil && j.Node.Cloud != nil:
			profile = j.Node.Cloud.InstanceProfile
		case j.Group != nil && j.Machines == 0:
			profile = j.Group.Launch.InstanceProfile
		}
		for i := range s.Profiles {
			p := &s.Profiles[i]
			if profile == "" || !sameProfile(profile, p.Name) && !sameProfile(p.ARN, profile) {
				continue
			}
			put := fmt.Sprintf("aws iam add-role-to-instance-profile --instance-profile-name %s --role-name ROLE", p.Name)
			switch {
			case p.Missing:
				return fail(report.Certain, fmt.Sprintf("instance profile %s does not exist", p.Name), do("make it, with the node role in it",
					"aws iam create-instance-profile --instance-profile-name "+p.Name, put), fact("iam:GetInstanceProfile", "no such profile"))
			case len(p.RoleARNs) == 0:
				return fail(report.Certain, fmt.Sprintf("instance profile %s holds no role", p.Name), do("put the node role in", put), fact("iam:GetInstanceProfile", "Roles is empty"))
			}
			return pass(fmt.Sprintf("profile %s holds a role", p.Name), fact("iam:GetInstanceProfile", p.RoleARNs[0]))
		}
		return nil
	}
}

// profileSwapped compares a machine with its group's template. The template
// may have changed since, so a machine that is Ready, or was started from
// another version, is only pointed at.
func profileSwapped(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	g := s.Group(n.Group)
	if g == nil || n.Cloud == nil || n.Cloud.InstanceProfile == "" || g.Launch.InstanceProfile == "" {
		return nil
	}
	have, want := lastSegment(n.Cloud.InstanceProfile), lastSegment(g.Launch.InstanceProfile)
	found := []report.Evidence{fact("ec2:DescribeInstances", n.Cloud.InstanceProfile), fact("launch template", g.Launch.InstanceProfile)}
	if have == want {
		return pass("it has the template's profile", found...)
	}
	summary := fmt.Sprintf("the machine has the instance profile %s, its group's template says %s", have, want)
	fix := do("put the group's profile back, and keep the tool that changed it away from nodes", fmt.Sprintf(
		"aws ec2 describe-iam-instance-profile-associations --region %s --filters Name=instance-id,Values=%s", s.Target.Region, n.InstanceID), fmt.Sprintf(
		"aws ec2 replace-iam-instance-profile-association --region %s --iam-instance-profile Name=%s --association-id ID", s.Target.Region, want))
	if n.Kube != nil && n.Kube.Ready() || !fromVersion(n, &g.Launch) {
		return warn(report.Possible, summary, fix, found...)
	}
	return fail(report.Likely, summary, fix, found...)
}

// fromVersion reports whether a machine was started from the version that its
// group's template has now, as far as that is known.
func fromVersion(n *snapshot.Node, launch *snapshot.Launch) bool {
	version := n.Cloud.Tags[templateVersionTag]
	return version == "" || launch.TemplateNumber == 0 || version == strconv.Itoa(launch.TemplateNumber)
}

func roleIsClusters(s *snapshot.Snapshot, use roleUse) []Result {
	if use.arn == "" {
		return nil
	}
	found := fact("eks:DescribeCluster", "role "+s.Cluster.RoleARN)
	if use.arn == s.Cluster.RoleARN {
		return fail(report.Likely, "the node role is the cluster's own role", do("use a role of the nodes' own: with `add`, leave --role out and get one made"), found)
	}
	return pass("the node role is not the cluster's", found)
}
