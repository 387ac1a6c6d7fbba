package check

import (
	"fmt"
	"slices"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const (
	docEntries = "https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html"
	docCreate  = "https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html"
	docAwsAuth = "https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html"
	docJoin    = "https://docs.aws.amazon.com/eks/latest/userguide/troubleshooting.html#worker-node-fail"
	docMigrate = "https://docs.aws.amazon.com/eks/latest/userguide/migrating-access-entries.html"
	docModes   = "https://docs.aws.amazon.com/eks/latest/userguide/setting-up-access-entries.html"
)

// authChecks are the ways in which the cluster's authenticator does not know
// a machine. A node is told nothing but "Unauthorized"; the rules ask what the
// authenticator would make of the role, and name the mistake that explains it.
func authChecks() []Check {
	return []Check{
		mappingRow("auth.role-not-mapped", "node role is let in",
			"The cluster admits a machine by its role. A role without an access entry or a mapping in aws-auth gets 401 Unauthorized, whatever else is right.", docJoin),
		mappingRow("auth.entry-missing", "access entry of the node role",
			"In the mode API only access entries let anybody in.", docCreate),
		mappingRow("auth.awsauth-missing", "ConfigMap aws-auth",
			"In the mode CONFIG_MAP nothing but this ConfigMap lets nodes in. It is not there until somebody makes it.", docAwsAuth),
		preflight(mappingRow("auth.awsauth-parse", "aws-auth can be read by the authenticator",
			"One syntax error in mapRoles drops every role in it, and all nodes mapped by it lose access.", docAwsAuth)),
		mappingRow("auth.awsauth-indentation", "aws-auth is read to its end",
			"A line that is indented less than the first dash, or a document marker, ends the list without an error: what follows counts for nothing.", docAwsAuth),
		mappingRow("auth.awsauth-json-flow", "aws-auth was not rewritten without the role",
			"Tools that keep mapRoles as JSON write all of it anew, and entries that they do not know are lost.", docAwsAuth),
		mappingRow("auth.arn-path", "role in aws-auth has no path",
			"STS does not tell a role's path, so the authenticator looks for role/NAME and never finds role/PATH/NAME. Access entries are written with the path.", docJoin),
		mappingRow("auth.arn-instance-profile", "aws-auth maps the role, not the instance profile",
			"The instance profile only hands the role out; the machine comes with the role.", docJoin),
		mappingRow("auth.arn-assumed-role", "aws-auth maps the role, not a session of it",
			"The authenticator turns a session's ARN into its role's before it looks in mapRoles, and what is written there is not turned.", docAwsAuth),
		mappingRow("auth.arn-wrong-account", "account and partition of the role in aws-auth",
			"ARNs are compared whole: a role of the same name elsewhere is another role.", docAwsAuth),
		mappingRow("auth.arn-malformed", "role in aws-auth is an ARN",
			"An ARN with a blank, a left-over variable or no account matches nothing, and an entry without the key rolearn is dropped.", docAwsAuth),
		mappingRow("auth.duplicate", "role stands once in aws-auth",
			"Of several entries for one role only the last counts.", docAwsAuth),
		mappingRow("auth.user-not-role", "role stands under mapRoles",
			"A role under mapUsers is found, but tools that look for nodes do not see it there.", docAwsAuth),
		mappingRow("auth.via-mapaccounts", "role is mapped by itself",
			"mapAccounts makes a machine a user by its ARN, in no group: it is let in and may do nothing.", docAwsAuth),
		mappingRow("auth.username-template", "user name of machines",
			"The node authorizer lets a machine act on the Node object of its own name only: system:node:{{EC2PrivateDNSName}} is the name that the kubelet registers.", docAwsAuth),
		mappingRow("auth.groups-wrong", "groups of machines",
			"Only members of system:nodes are nodes to the node authorizer; others are forbidden to register.", docAwsAuth),
		mappingRow("auth.mode-api", "mapping stands where the cluster looks: API",
			"A cluster in the mode API ignores aws-auth without a word.", docModes),
		mappingRow("auth.mode-configmap", "mapping stands where the cluster looks: CONFIG_MAP",
			"A cluster in the mode CONFIG_MAP ignores access entries.", docModes),
		preflight(mappingRow("auth.entry-type", "type of the node role's access entry",
			"An entry of another type than EC2_LINUX gives a node the wrong name and groups, and it wins over aws-auth. The type cannot be changed.", docEntries)),
		preflight(mappingRow("auth.entry-shadows", "access entry does not hide a right mapping",
			"Where both are read, the access entry wins. One of the wrong type takes nodes away that aws-auth let in.", docMigrate)),
		preflight(mappingRow("auth.entry-stale-role", "access entry is younger than its role",
			"An entry holds the role's unique id. When a role is deleted and made again under the same name, the entry looks right and admits nobody.", docEntries)),
		mappingRow("auth.entry-other-account", "account of the access entry's role",
			"Entries for nodes must name a role of the cluster's own account, and the one that the machines have.", docCreate),
	}
}

// mappingRow is the row of one mistake in a role's mapping.
func mappingRow(id, title, why, ref string) Check {
	return Check{
		ID: id, Title: title, Why: why, Ref: ref, Link: LinkAuthentication, Repairable: true,
		Needs: sections(snapshot.SectionCluster),
		Uses: sections(snapshot.SectionGroups, snapshot.SectionLaunch, snapshot.SectionInstances, snapshot.SectionNodes,
			snapshot.SectionRoles, snapshot.SectionAccessEntries, snapshot.SectionAwsAuth, snapshot.SectionHost),
		Join: witnessed(perRole(func(s *snapshot.Snapshot, use roleUse) []Result {
			m := mapRole(s, use)
			fault, found := m.faults[id]
			switch {
			case found:
				return []Result{fault}
			case m.unread != nil:
				return m.unread
			case m.broken() || m.verdict.Outcome == "" && id != "auth.awsauth-parse":
				return nil
			case m.verdict.Outcome == "":
				return pass("aws-auth can be read", fact(awsAuth, "parses"))
			}
			return pass(fmt.Sprintf("%s lets the role in", m.verdict.Source), m.evidence(nil)...)
		}, snapshot.SectionGroups, snapshot.SectionLaunch, snapshot.SectionInstances, snapshot.SectionRoles)),
	}
}

// witnessed adds to a mistake in a role's mapping what the machine itself was
// told by the cluster, where it was asked.
func witnessed(ask func(*snapshot.Snapshot) func(Joiner) []Result) func(*snapshot.Snapshot) func(Joiner) []Result {
	return func(s *snapshot.Snapshot) func(Joiner) []Result {
		about := ask(s)
		return func(j Joiner) []Result {
			results := about(j)
			if j.Node == nil || j.Node.Host == nil || j.Node.Host.SelfReview == nil || j.Node.Host.SelfReview.Status != 401 {
				return results
			}
			told := slices.Clone(results)
			for i := range told {
				if told[i].Status == report.Fail {
					told[i].Evidence = append(slices.Clip(told[i].Evidence), agent(snapshot.ProbeSelfReview, "the cluster answers the machine 401 Unauthorized"))
				}
			}
			return told
		}
	}
}

// preflight marks a row that `add` runs too.
func preflight(row Check) Check {
	row.Preflight = true
	return row
}

// replaceEntry is the fix for an entry that cannot be changed.
func replaceEntry(s *snapshot.Snapshot, arn string) report.Fix {
	where := fmt.Sprintf("--region %s --cluster-name %s --principal-arn %s", s.Target.Region, s.Cluster.Name, arn)
	return do("delete the entry and make it again; machines on this role lose access for a moment",
		"aws eks delete-access-entry "+where, "aws eks create-access-entry "+where+" --type EC2_LINUX")
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
