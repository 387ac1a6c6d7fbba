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

// healthFix says what helps. The API's model spells the codes Ec2SubnetNotFound
// (ClusterIssueCode, github.com/aws/aws-sdk-go-v2/service/eks@v1.105.4
// types/enums.go), the EKS user guide SUBNET_NOT_FOUND ("Cluster health
// status"): both are read.
func healthFix(s *snapshot.Snapshot, code string) report.Fix {
	cluster := fmt.Sprintf("--region %s --name %s", s.Target.Region, s.Cluster.Name)
	switch strings.ToLower(strings.ReplaceAll(code, "_", "")) {
	case "subnetnotfound", "securitygroupnotfound", "ec2subnetnotfound", "ec2securitygroupnotfound":
		return do("give the cluster subnets and security groups that exist", "aws eks update-cluster-config "+cluster+" --resources-vpc-config subnetIds=SUBNET,SUBNET")
	case "ipnotavailable", "insufficientfreeaddresses":
		return do("give the cluster subnets with free addresses", "aws eks update-cluster-config "+cluster+" --resources-vpc-config subnetIds=SUBNET,SUBNET")
	case "assumeroleaccessdenied", "permissionaccessdenied", "permissionaccessdeniedusingslr", "accessdenied", "iamrolenotfound":
		return do("restore the cluster's role with its trust and AmazonEKSClusterPolicy", "aws iam attach-role-policy --policy-arn arn:aws:iam::aws:policy/AmazonEKSClusterPolicy --role-name "+lastOf(s.Cluster.RoleARN))
	case "stsregionalendpointdisabled":
		return do("activate the regional STS endpoint in the account settings of the IAM console")
	case "optinrequired", "ec2servicenotsubscribed":
		return do("enable the region for the account", "aws account enable-region --region-name "+s.Target.Region)
	case "kmskeydisabled", "kmskeymarkedfordeletion", "kmsgrantrevoked", "kmskeynotfound":
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
