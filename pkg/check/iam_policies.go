package check

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// permission is something that a node's role must allow.
type permission struct {
	what   string
	action string // one action that stands for all of it
	// managed are AWS's policies that allow it, by name, the one to attach first.
	managed []string
}

func workerPolicy(_ *snapshot.Snapshot, use roleUse) []Result {
	return permission{
		what: "describe its own instance", action: "ec2:DescribeInstances",
		managed: []string{"AmazonEKSWorkerNodePolicy", "AmazonEC2ReadOnlyAccess", "AmazonEC2FullAccess", "ReadOnlyAccess", "PowerUserAccess", "AdministratorAccess"},
	}.judge(use, report.Fail)
}

func ecrPolicy(_ *snapshot.Snapshot, use roleUse) []Result {
	return permission{
		what: "pull images from ECR", action: "ecr:GetAuthorizationToken",
		managed: []string{
			"AmazonEC2ContainerRegistryPullOnly", "AmazonEC2ContainerRegistryReadOnly", "AmazonEC2ContainerRegistryPowerUser",
			"AmazonEC2ContainerRegistryFullAccess", "ReadOnlyAccess", "PowerUserAccess", "AdministratorAccess",
		},
	}.judge(use, report.Fail)
}

// cniPolicy applies where the VPC CNI has no role of its own. IPv6 clusters
// need another policy, which is the account's own.
func cniPolicy(s *snapshot.Snapshot, use roleUse) []Result {
	if s.Kube.CNIPolicyOnNode == nil || !*s.Kube.CNIPolicyOnNode {
		return nil
	}
	if s.Cluster.IPFamily == "ipv6" {
		return permission{what: "give IPv6 addresses to pods", action: "ec2:AssignIpv6Addresses", managed: []string{"AmazonEC2FullAccess", "PowerUserAccess", "AdministratorAccess"}}.judge(use, report.Warn)
	}
	return permission{
		what: "give addresses to pods", action: "ec2:AssignPrivateIpAddresses",
		managed: []string{"AmazonEKS_CNI_Policy", "AmazonEC2FullAccess", "PowerUserAccess", "AdministratorAccess"},
	}.judge(use, report.Fail)
}

// judge looks for the permission in the role's policies. Policies of the
// account's own that are attached are not read: with one of them there, the
// lack is only possible.
func (p permission) judge(use roleUse, worst report.Status) []Result {
	if use.role == nil || use.role.Policies == nil {
		return nil
	}
	policies := use.role.Policies
	var own []string
	for _, arn := range policies.Attached {
		_, account := arnParts(arn)
		if account == "aws" && slices.Contains(p.managed, lastSegment(arn)) {
			return pass(fmt.Sprintf("role %s may %s", use.role.Name, p.what), fact("iam:ListAttachedRolePolicies", arn))
		}
		if account != "aws" {
			own = append(own, lastSegment(arn))
		}
	}
	for _, policy := range policies.Inline {
		if allows(policy.Document, p.action) {
			return pass(fmt.Sprintf("role %s may %s", use.role.Name, p.what), fact("iam:GetRolePolicy", fmt.Sprintf("%s allows %s", policy.Name, p.action)))
		}
	}
	found := []report.Evidence{fact("iam:ListAttachedRolePolicies", "attached: "+list(policies.Attached))}
	if len(policies.Inline) > 0 {
		found = append(found, fact("iam:GetRolePolicy", fmt.Sprintf("%d inline policies, none allows %s", len(policies.Inline), p.action)))
	}
	partition, _ := arnParts(use.arn)
	fix := do(fmt.Sprintf("attach %s, or a policy that allows %s", p.managed[0], p.action),
		fmt.Sprintf("aws iam attach-role-policy --role-name %s --policy-arn arn:%s:iam::aws:policy/%s", use.role.Name, partition, p.managed[0]))
	summary := fmt.Sprintf("role %s may not %s: no policy allows %s", use.role.Name, p.what, p.action)
	if len(own) > 0 {
		return warn(report.Possible, fmt.Sprintf("no policy of AWS's lets role %s %s; %s might", use.role.Name, p.what, strings.Join(own, ", ")), fix, found...)
	}
	return []Result{{Status: worst, Confidence: report.Likely, Summary: summary, Fix: fix, Evidence: found}}
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// allows reports whether a policy document allows an action and does not deny
// it. Resources and conditions are not looked at.
func allows(document, action string) bool {
	var policy struct {
		Statement oneOrMany[struct {
			Effect string
			Action oneOrMany[string]
		}]
	}
	if err := json.Unmarshal([]byte(document), &policy); err != nil {
		return false
	}
	allowed := false
	for _, statement := range policy.Statement {
		if !slices.ContainsFunc(statement.Action, func(pattern string) bool {
			ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(action))
			return err == nil && ok
		}) {
			continue
		}
		if statement.Effect == "Deny" {
			return false
		}
		allowed = true
	}
	return allowed
}
