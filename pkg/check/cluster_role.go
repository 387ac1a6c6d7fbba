package check

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// clusterPolicy is AWS's policy for a cluster's role.
const clusterPolicy = "AmazonEKSClusterPolicy"

func clusterRoleChecks() []Check {
	return []Check{{
		ID: "cluster.role", Title: "cluster's own role works",
		Why:  "EKS acts with the cluster's role: to attach the control plane's interfaces, and to look machines up for their names and their removal. Without it new nodes are not let in, or not initialized.",
		Ref:  "https://docs.aws.amazon.com/eks/latest/userguide/cluster-iam-role.html",
		Link: LinkTarget, Needs: sections(snapshot.SectionCluster, snapshot.SectionClusterRole), Cluster: clusterRole,
	}}
}

func clusterRole(s *snapshot.Snapshot) []Result {
	role := s.ClusterRole
	if role == nil {
		return nil
	}
	if role.Missing {
		return fail(report.Certain, fmt.Sprintf("the cluster's role %s does not exist", role.ARN), do("make a role of the same name again", fmt.Sprintf(
			`aws iam create-role --role-name %s --assume-role-policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]}]}'`, role.Name),
			attachClusterPolicy(s, role.Name)), fact("iam:GetRole", "no such role"))
	}
	if role.TrustPolicy != "" && !trustsService(role.TrustPolicy, "eks") {
		return fail(report.Certain, fmt.Sprintf("the cluster's role %s does not let EKS assume it", role.Name), do("let eks.amazonaws.com assume it", fmt.Sprintf(
			`aws iam update-assume-role-policy --role-name %s --policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]}]}'`, role.Name)),
			fact("iam:GetRole", "trust policy "+role.TrustPolicy))
	}
	found := fact("iam:ListAttachedRolePolicies", fmt.Sprintf("%s: %s", role.Name, list(role.AttachedPolicies)))
	if slices.ContainsFunc(role.AttachedPolicies, func(arn string) bool {
		_, account := arnParts(arn)
		return account != "aws" || slices.Contains([]string{clusterPolicy, "AdministratorAccess"}, lastSegment(arn))
	}) {
		return pass("EKS may assume it, and it has a policy", found)
	}
	// Inline policies are not read: they may say the same.
	return warn(report.Possible, fmt.Sprintf("the cluster's role %s has no %s", role.Name, clusterPolicy), do("attach it", attachClusterPolicy(s, role.Name)), found)
}

func attachClusterPolicy(s *snapshot.Snapshot, role string) string {
	return fmt.Sprintf("aws iam attach-role-policy --role-name %s --policy-arn arn:%s:iam::aws:policy/%s", role, s.Target.Partition, clusterPolicy)
}

// trustsService reports whether a trust policy lets one of AWS's services
// assume the role: ec2 is ec2.amazonaws.com, and ends differently in other
// partitions. A denial with conditions may be about others.
func trustsService(document, service string) bool {
	var policy trustPolicy
	if err := json.Unmarshal([]byte(document), &policy); err != nil {
		return false
	}
	allowed := false
	for i := range policy.Statement {
		statement := &policy.Statement[i]
		var principal struct{ Service oneOrMany[string] }
		if !statement.permits("sts:AssumeRole") || json.Unmarshal(statement.Principal, &principal) != nil {
			continue
		}
		if !slices.ContainsFunc(principal.Service, func(name string) bool { return strings.HasPrefix(name, service+".") }) {
			continue
		}
		switch {
		case statement.Effect != "Deny":
			allowed = true
		case len(statement.Condition) == 0:
			return false
		}
	}
	return allowed
}
