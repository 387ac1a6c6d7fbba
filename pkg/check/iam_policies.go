package check

import (
	"encoding/json"
	"fmt"
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

// cniPolicy applies where the VPC CNI has no role of its own, by its service
// account or by EKS Pod Identity, which only its pods show. IPv6 clusters
// need another policy, which is the account's own.
func cniPolicy(s *snapshot.Snapshot, use roleUse) []Result {
	if s.Kube.CNIPolicyOnNode == nil || !*s.Kube.CNIPolicyOnNode || slices.ContainsFunc(s.Kube.System.Pods, func(p snapshot.Pod) bool {
		return p.Owner == "DaemonSet/"+vpcCNI && (p.PodIdentity || p.RoleARN != "")
	}) {
		return nil
	}
	worst := report.Fail
	if s.Cluster.IPFamily == "ipv6" {
		worst = report.Warn
	}
	return cniPermission(s.Cluster.IPFamily).judge(use, worst)
}

// cniPermission is what the VPC CNI needs of whichever role it works with.
func cniPermission(family string) permission {
	if family == "ipv6" {
		return permission{what: "give IPv6 addresses to pods", action: "ec2:AssignIpv6Addresses", managed: []string{"AmazonEC2FullAccess", "PowerUserAccess", "AdministratorAccess"}}
	}
	return permission{
		what: "give addresses to pods", action: "ec2:AssignPrivateIpAddresses",
		managed: []string{"AmazonEKS_CNI_Policy", "AmazonEC2FullAccess", "PowerUserAccess", "AdministratorAccess"},
	}
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
// it. Resources are not looked at, and a denial with conditions may be about
// something else: it is passed over.
func allows(document, action string) bool {
	var policy struct {
		Statement oneOrMany[struct {
			Effect    string
			Action    oneOrMany[string]
			NotAction oneOrMany[string]
			Condition map[string]json.RawMessage
		}]
	}
	if err := json.Unmarshal([]byte(document), &policy); err != nil {
		return false
	}
	named := func(patterns []string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool { return wildcard(strings.ToLower(pattern), strings.ToLower(action)) })
	}
	allowed := false
	for _, statement := range policy.Statement {
		switch about := named(statement.Action) || len(statement.NotAction) > 0 && !named(statement.NotAction); {
		case !about:
		case statement.Effect != "Deny":
			allowed = true
		case len(statement.Condition) == 0:
			return false
		}
	}
	return allowed
}
