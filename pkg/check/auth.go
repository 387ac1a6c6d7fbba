package check

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const docEntries = "https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html"

func authChecks() []Check {
	const (
		groups  = snapshot.SectionGroups
		launch  = snapshot.SectionLaunch
		cluster = snapshot.SectionCluster
		roles   = snapshot.SectionRoles
		entries = snapshot.SectionAccessEntries
	)
	return []Check{
		{
			ID: "auth.role-trust", Title: "node role trusts EC2",
			Why:  "A machine gets credentials only from a role that EC2 may assume.",
			Ref:  "https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html",
			Link: LinkCredentials, Needs: sections(groups, launch, roles), Preflight: true, Group: roleTrust,
		},
		{
			ID: "auth.role-is-clusters", Title: "node role is not the cluster's own",
			Why:  "EKS does not allow nodes to use the role that a cluster was made with.",
			Ref:  "https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html",
			Link: LinkAuthentication, Needs: sections(groups, launch, cluster), Preflight: true, Group: roleIsClusters,
		},
		{
			ID: "auth.entry-type", Title: "type of the node role's access entry",
			Why:  "An entry of another type than EC2_LINUX gives a node the wrong name and groups, and it wins over aws-auth. The type cannot be changed.",
			Ref:  docEntries,
			Link: LinkAuthentication, Needs: sections(groups, launch, cluster, entries), Preflight: true, Group: entryType,
		},
		{
			ID: "auth.stale-entry", Title: "access entry is younger than its role",
			Why:  "An entry holds the role's unique id. When a role is deleted and made again under the same name, the entry looks right and admits nobody.",
			Ref:  docEntries,
			Link: LinkAuthentication, Needs: sections(groups, launch, cluster, entries, roles), Preflight: true, Group: staleEntry,
		},
		{
			ID: "auth.aws-auth-parses", Title: "aws-auth can be read by the authenticator",
			Why:  "One syntax error in mapRoles drops every role in it, and all nodes mapped by it lose access.",
			Ref:  "https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html",
			Link: LinkAuthentication, Needs: sections(cluster, snapshot.SectionAwsAuth), Preflight: true, Cluster: awsAuthParses,
		},
	}
}

// nodeRole is the role of a group, if it is known and was read.
func nodeRole(s *snapshot.Snapshot, g *snapshot.Group) *snapshot.Role {
	if role := s.Role(g.Launch.RoleARN); role != nil {
		return role
	}
	profile := g.Launch.InstanceProfile
	if profile == "" {
		return nil
	}
	for i := range s.Roles {
		if slices.ContainsFunc(s.Roles[i].InstanceProfiles, func(arn string) bool {
			return arn == profile || arn[strings.LastIndexByte(arn, '/')+1:] == profile
		}) {
			return &s.Roles[i]
		}
	}
	return nil
}

func roleTrust(s *snapshot.Snapshot, g *snapshot.Group) []Result {
	arn := g.Launch.RoleARN
	role := nodeRole(s, g)
	if role == nil {
		if arn == "" {
			return nil // made with the group
		}
		return fail(report.Certain, fmt.Sprintf("role %s does not exist", arn),
			do("name a role that does, or leave --role out and get one made"), fact("iam:GetRole", "no such role"))
	}
	if role.TrustPolicy == "" {
		return nil
	}
	found := fact("iam:GetRole", "trust policy "+role.TrustPolicy)
	if !trustsEC2(role.TrustPolicy) {
		return fail(report.Certain, fmt.Sprintf("role %s does not let EC2 assume it", role.Name),
			do("let ec2.amazonaws.com assume it", fmt.Sprintf(`aws iam update-assume-role-policy --role-name %s --policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}'`, role.Name)), found)
	}
	return pass(fmt.Sprintf("EC2 may assume %s", role.Name), fact("iam:GetRole", "ec2 is trusted"))
}

// trustPolicy is the part of an IAM policy that names who may assume a role.
type trustPolicy struct {
	Statement oneOrMany[struct {
		Effect    string
		Principal json.RawMessage
		Action    oneOrMany[string]
	}]
}

// oneOrMany reads IAM's habit of writing a list of one without brackets.
type oneOrMany[T any] []T

// UnmarshalJSON takes a value or a list of values.
func (o *oneOrMany[T]) UnmarshalJSON(data []byte) error {
	var many []T
	if err := json.Unmarshal(data, &many); err == nil {
		*o = many
		return nil
	}
	var one T
	if err := json.Unmarshal(data, &one); err != nil {
		return err
	}
	*o = oneOrMany[T]{one}
	return nil
}

// trustsEC2 reports whether a trust policy allows EC2 to assume the role.
// EC2's name is ec2.amazonaws.com, and ends differently in other partitions.
func trustsEC2(document string) bool {
	var policy trustPolicy
	if err := json.Unmarshal([]byte(document), &policy); err != nil {
		return false
	}
	allowed := false
	for _, statement := range policy.Statement {
		if !slices.ContainsFunc(statement.Action, func(action string) bool {
			return strings.EqualFold(action, "sts:AssumeRole") || strings.EqualFold(action, "sts:*") || action == "*"
		}) {
			continue
		}
		var principal struct{ Service oneOrMany[string] }
		if err := json.Unmarshal(statement.Principal, &principal); err != nil {
			continue
		}
		if !slices.ContainsFunc(principal.Service, func(name string) bool { return strings.HasPrefix(name, "ec2.") }) {
			continue
		}
		if statement.Effect == "Deny" {
			return false
		}
		allowed = true
	}
	return allowed
}

func roleIsClusters(s *snapshot.Snapshot, g *snapshot.Group) []Result {
	if g.Launch.RoleARN == "" {
		return nil
	}
	found := fact("eks:DescribeCluster", "role "+s.Cluster.RoleARN)
	if g.Launch.RoleARN == s.Cluster.RoleARN {
		return fail(report.Likely, "the node role is the cluster's own role", do("name another role, or leave --role out and get one made"), found)
	}
	return pass("the node role is not the cluster's", found)
}

// entryOf is the access entry of the group's role, if the mode reads entries.
func entryOf(s *snapshot.Snapshot, g *snapshot.Group) *snapshot.AccessEntry {
	if g.Launch.RoleARN == "" || !s.Cluster.AuthMode.ReadsEntries() {
		return nil
	}
	for i := range s.Access.Entries {
		if s.Access.Entries[i].PrincipalARN == g.Launch.RoleARN {
			return &s.Access.Entries[i]
		}
	}
	return nil
}

// replaceEntry is the fix for an entry that cannot be changed.
func replaceEntry(s *snapshot.Snapshot, arn string) report.Fix {
	where := fmt.Sprintf("--region %s --cluster-name %s --principal-arn %s", s.Target.Region, s.Cluster.Name, arn)
	return do("delete the entry and make it again; machines on this role lose access for a moment",
		"aws eks delete-access-entry "+where, "aws eks create-access-entry "+where+" --type EC2_LINUX")
}

func entryType(s *snapshot.Snapshot, g *snapshot.Group) []Result {
	entry := entryOf(s, g)
	if entry == nil || entry.Type == "" {
		return nil
	}
	found := fact("eks:DescribeAccessEntry", fmt.Sprintf("%s: type %s", entry.PrincipalARN, entry.Type))
	if entry.Type != "EC2_LINUX" {
		return fail(report.Certain, fmt.Sprintf("the role's access entry is of type %s, not EC2_LINUX", entry.Type), replaceEntry(s, entry.PrincipalARN), found)
	}
	return pass("the entry is of type EC2_LINUX", found)
}

func staleEntry(s *snapshot.Snapshot, g *snapshot.Group) []Result {
	entry, role := entryOf(s, g), s.Role(g.Launch.RoleARN)
	if entry == nil || role == nil || entry.CreatedAt.IsZero() || role.CreatedAt.IsZero() {
		return nil
	}
	found := []report.Evidence{
		fact("eks:DescribeAccessEntry", "created "+entry.CreatedAt.UTC().Format(time.RFC3339)),
		fact("iam:GetRole", "created "+role.CreatedAt.UTC().Format(time.RFC3339)),
	}
	if role.CreatedAt.After(entry.CreatedAt) {
		return fail(report.Likely, fmt.Sprintf("role %s was made after its access entry: the entry belongs to a role that is gone", role.Name),
			replaceEntry(s, entry.PrincipalARN), found...)
	}
	return pass("the entry is younger than the role", found...)
}

// awsAuthParses fails where nodes depend on the map alone; where access
// entries count too, it warns.
func awsAuthParses(s *snapshot.Snapshot) []Result {
	if !s.Cluster.AuthMode.ReadsAwsAuth() || s.Access.AwsAuth == nil {
		return nil
	}
	parsed := authmap.Parse(s.Access.AwsAuth.Data)
	var found []report.Evidence
	for _, problem := range parsed.Problems {
		if problem.Dropped {
			found = append(found, fact("configmap kube-system/aws-auth", problem.String()))
		}
	}
	if len(found) == 0 {
		return pass(fmt.Sprintf("%d roles are mapped", len(parsed.Roles)), fact("configmap kube-system/aws-auth", "parses"))
	}
	fix := do("correct the line; keep a copy first",
		"kubectl -n kube-system get configmap aws-auth -o yaml > aws-auth.backup.yaml", "kubectl -n kube-system edit configmap aws-auth")
	summary := "aws-auth has entries that the authenticator drops"
	if s.Cluster.AuthMode.ReadsEntries() {
		return warn(report.Certain, summary, fix, found...)
	}
	return fail(report.Certain, summary, fix, found...)
}
