package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const docHealth = "https://docs.aws.amazon.com/eks/latest/userguide/troubleshooting.html#cluster-health-status"

// clusterChecks are about the control plane's own footing.
func clusterChecks() []Check {
	return []Check{
		{
			ID: "cluster.health", Title: "EKS finds the cluster healthy",
			Why:  "EKS watches what a cluster stands on: its role, subnets, security groups and key. What is missing there, no machine can make good.",
			Ref:  docHealth,
			Link: LinkTarget, Needs: sections(snapshot.SectionCluster), Cluster: clusterHealth,
		},
		{
			ID: "cluster.subnets", Title: "cluster's own subnets exist",
			Why:  "The control plane reaches machines through interfaces in the cluster's subnets. Without them, logs, exec, webhooks and the private endpoint fail.",
			Ref:  docNetwork,
			Link: LinkAPIServer, Needs: sections(snapshot.SectionCluster, snapshot.SectionSubnets), Cluster: clusterSubnets,
		},
	}
}

// healthFix says what helps. The codes are those of the EKS user guide,
// "Cluster health status".
func healthFix(s *snapshot.Snapshot, code string) report.Fix {
	cluster := fmt.Sprintf("--region %s --name %s", s.Target.Region, s.Cluster.Name)
	switch code {
	case "SUBNET_NOT_FOUND", "SECURITY_GROUP_NOT_FOUND", "EC2_SUBNET_NOT_FOUND", "EC2_SECURITY_GROUP_NOT_FOUND":
		return do("give the cluster subnets and security groups that exist", "aws eks update-cluster-config "+cluster+" --resources-vpc-config subnetIds=SUBNET,SUBNET")
	case "IP_NOT_AVAILABLE", "INSUFFICIENT_FREE_ADDRESSES":
		return do("give the cluster subnets with free addresses", "aws eks update-cluster-config "+cluster+" --resources-vpc-config subnetIds=SUBNET,SUBNET")
	case "ASSUME_ROLE_ACCESS_DENIED", "PERMISSION_ACCESS_DENIED", "IAM_ROLE_NOT_FOUND":
		return do("restore the cluster's role with its trust and AmazonEKSClusterPolicy", "aws iam attach-role-policy --policy-arn arn:aws:iam::aws:policy/AmazonEKSClusterPolicy --role-name "+lastOf(s.Cluster.RoleARN))
	case "STS_REGIONAL_ENDPOINT_DISABLED":
		return do("activate the regional STS endpoint in the account settings of the IAM console")
	case "OPT_IN_REQUIRED":
		return do("enable the region for the account", "aws account enable-region --region-name "+s.Target.Region)
	case "KMS_KEY_DISABLED", "KMS_KEY_MARKED_FOR_DELETION", "KMS_GRANT_REVOKED", "KMS_KEY_NOT_FOUND":
		return do("enable the cluster's key, and restore its grant; recovery takes up to three hours", "aws kms enable-key --key-id KEY --region "+s.Target.Region)
	}
	return do("follow the message", "aws eks describe-cluster "+cluster+" --query cluster.health")
}

func clusterHealth(s *snapshot.Snapshot) []Result {
	if len(s.Cluster.HealthIssues) == 0 {
		return pass("EKS reports no issue", fact("eks:DescribeCluster", "health.issues: none"))
	}
	var out []Result
	for _, issue := range s.Cluster.HealthIssues {
		out = append(out, fail(report.Certain, "EKS reports "+issue.Code, healthFix(s, issue.Code),
			fact("eks:DescribeCluster", strings.TrimSpace(fmt.Sprintf("%s: %s %s", issue.Code, issue.Message, strings.Join(issue.Resources, " ")))))...)
	}
	return out
}

func clusterSubnets(s *snapshot.Snapshot) []Result {
	var gone []string
	for _, id := range s.Cluster.SubnetIDs {
		if s.Network.Subnet(id) == nil {
			gone = append(gone, id)
		}
	}
	found := fact("ec2:DescribeSubnets", fmt.Sprintf("of %s, gone: %s", strings.Join(s.Cluster.SubnetIDs, ", "), orNone(gone)))
	keep := slices.DeleteFunc(slices.Clone(s.Cluster.SubnetIDs), func(id string) bool { return slices.Contains(gone, id) })
	fix := do("give the cluster subnets that exist, in two zones", fmt.Sprintf("aws eks update-cluster-config --region %s --name %s --resources-vpc-config subnetIds=%s",
		s.Target.Region, s.Cluster.Name, strings.Join(append(keep, "SUBNET"), ",")))
	switch {
	case len(gone) == 0:
		return pass("all of them exist", found)
	case len(keep) == 0:
		return fail(report.Certain, "none of the cluster's subnets exists any more", fix, found)
	}
	return warn(report.Certain, "subnets of the cluster are gone: "+strings.Join(gone, ", "), fix, found)
}
