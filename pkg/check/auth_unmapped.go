package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// notMapped looks for the mistake behind a role that nothing maps: one that
// was meant for it, in a place that does not count or written so that it does
// not match. Only when there is none the mapping is simply missing.
func (m *mapping) notMapped() {
	otherMode := m.wrongMode()
	if m.mode.ReadsAwsAuth() {
		m.nearMisses()
		m.unreadEnd()
	}
	m.otherAccountEntry()
	if m.broken() || otherMode {
		return
	}
	missing := fmt.Sprintf("nothing lets the role %s in", m.use.name())
	switch {
	case m.mode == snapshot.AuthAPI:
		m.fail("auth.entry-missing", missing+": it has no access entry", m.createEntry(), fact("eks:ListAccessEntries", "no entry for "+m.use.arn))
	case m.mode == snapshot.AuthConfigMap && m.snap.Access.AwsAuth == nil:
		m.fail("auth.awsauth-missing", "there is no ConfigMap aws-auth, and the cluster reads nothing else",
			do("make it: "+"https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html", m.newAwsAuth()), fact(awsAuth, "not found"))
	default:
		found := fact(awsAuth, fmt.Sprintf("%d roles in mapRoles, none is %s", len(authmap.Parse(m.data).Roles), m.arn))
		if m.snap.Access.AwsAuth == nil {
			found = fact(awsAuth, "not found")
		}
		if text := strings.TrimSpace(m.data[authmap.KeyRoles]); strings.HasPrefix(text, "[{") {
			m.add("auth.awsauth-json-flow", fail(report.Likely, fmt.Sprintf("aws-auth is written as JSON by a tool, and the role %s is not in it", m.use.name()), m.letIn(),
				m.evidence(append(m.joinedBefore(), found, m.line(authmap.KeyRoles, 1)))...))
			return
		}
		m.fail("auth.role-not-mapped", missing+m.neither(), m.letIn(), append(m.joinedBefore(), found)...)
	}
}

func (m *mapping) neither() string {
	if m.mode.ReadsEntries() {
		return ": it has neither an access entry nor a mapping in aws-auth"
	}
	return ": aws-auth does not map it"
}

func (m *mapping) newAwsAuth() string {
	edit, err := authmap.AddRole(nil, m.want)
	if err != nil {
		return "kubectl -n kube-system create configmap aws-auth"
	}
	// One line, so that it can be pasted out of any report.
	return fmt.Sprintf("kubectl -n kube-system create configmap aws-auth --from-literal=mapRoles=$'%s'",
		strings.ReplaceAll(strings.TrimSuffix(edit.Data[authmap.KeyRoles], "\n"), "\n", `\n`))
}

// joinedBefore is the sign that the mapping has been taken away: machines of
// the role have joined.
func (m *mapping) joinedBefore() []report.Evidence {
	for i := range m.snap.Nodes {
		node := &m.snap.Nodes[i]
		if node.Kube == nil {
			continue
		}
		use, known := roleOf(m.snap, Joiner{Node: node, Group: m.snap.Group(node.Group)})
		if known && use.arn == m.use.arn {
			return []report.Evidence{fact("kube/nodes", fmt.Sprintf("node %s joined with this role: it was mapped then, and has been taken out since", node.Kube.Name))}
		}
	}
	return nil
}

// wrongMode finds a mapping in a place that the cluster's mode does not read.
func (m *mapping) wrongMode() bool {
	mode := fact("eks:DescribeCluster", "authenticationMode "+string(m.mode))
	if m.mode == snapshot.AuthAPI {
		if i, line := m.rightInMap(); i >= 0 {
			m.fail("auth.mode-api", "aws-auth maps the role, but the cluster's mode API does not read aws-auth", m.createEntry(), mode, m.line(authmap.KeyRoles, line))
			return true
		}
	}
	if m.mode == snapshot.AuthConfigMap && m.entry != nil {
		fix := m.letIn()
		fix.Commands = append(fix.Commands, fmt.Sprintf("# or, for good: aws eks update-cluster-config --region %s --name %s --access-config authenticationMode=API_AND_CONFIG_MAP", m.snap.Target.Region, m.snap.Cluster.Name))
		m.fail("auth.mode-configmap", "the role has an access entry, but the cluster's mode CONFIG_MAP does not read entries", fix, mode, fact("eks:DescribeAccessEntry", m.entry.PrincipalARN))
		return true
	}
	return false
}

// nearMisses judges the entries of mapRoles that mean the role and do not
// match it. STS tells the authenticator arn:…:role/NAME, compared whole.
func (m *mapping) nearMisses() {
	for _, item := range authmap.Items(m.data) {
		id, what := m.nearMiss(item)
		if id == "" {
			continue
		}
		if item.Dropped != "" && m.faults["auth.awsauth-parse"].Status == report.Warn {
			delete(m.faults, "auth.awsauth-parse") // it tells of this entry, less well
		}
		m.fail(id, what, m.repair("write "+m.arn, m.meant(id)), m.line(authmap.KeyRoles, item.Line))
	}
}

func (m *mapping) nearMiss(item authmap.Item) (id, what string) {
	if item.RoleARN == "" {
		if strings.Contains(item.JSON, m.use.name()+`"`) {
			return "auth.arn-malformed", "aws-auth has the role under another key than rolearn: the entry is ignored"
		}
		return "", ""
	}
	written := strings.Trim(item.RoleARN, " \t\r\n'\"")
	parts := strings.SplitN(written, ":", 6)
	if len(parts) != 6 {
		if strings.HasSuffix(written, m.use.name()) {
			return "auth.arn-malformed", fmt.Sprintf("aws-auth maps %q, which is no role's ARN", item.RoleARN)
		}
		return "", ""
	}
	partition, account := arnParts(m.arn)
	kind, rest, _ := strings.Cut(parts[5], "/")
	name := lastSegment(rest)
	if kind == "assumed-role" {
		name, _, _ = strings.Cut(rest, "/")
	}
	isProfile := kind == "instance-profile" && m.ownProfile(written)
	if !strings.EqualFold(name, m.use.name()) && !isProfile {
		return "", ""
	}
	switch {
	case written != item.RoleARN, strings.ContainsAny(written, "${}*"), parts[4] == "":
		return "auth.arn-malformed", fmt.Sprintf("aws-auth maps %q, which is no role's ARN", item.RoleARN)
	case parts[4] != account, parts[1] != partition:
		return "auth.arn-wrong-account", fmt.Sprintf("aws-auth maps a role of that name in %s %s, the machines' is in %s %s", parts[1], parts[4], partition, account)
	case kind == "instance-profile":
		return "auth.arn-instance-profile", "aws-auth maps the instance profile, not the role in it"
	case kind == "assumed-role":
		return "auth.arn-assumed-role", "aws-auth maps a session of the role (assumed-role), not the role"
	case kind == "role" && strings.Contains(rest, "/"):
		return "auth.arn-path", "aws-auth maps the role with its path, which the authenticator never sees"
	}
	return "auth.arn-malformed", fmt.Sprintf("aws-auth maps %q, which is no role's ARN", item.RoleARN)
}

func (m *mapping) ownProfile(arn string) bool {
	name := lastSegment(arn)
	if m.use.profile != "" && lastSegment(m.use.profile) == name {
		return true
	}
	return m.use.role != nil && slices.ContainsFunc(m.use.role.InstanceProfiles, func(p string) bool { return lastSegment(p) == name })
}

// unreadEnd finds the role behind the place where the authenticator stops
// reading mapRoles.
func (m *mapping) unreadEnd() {
	line, text := authmap.Unread(m.data)
	if line > 0 && strings.Contains(text, m.use.name()) {
		m.fail("auth.awsauth-indentation", fmt.Sprintf("mapRoles ends before line %d, and the role stands after it", line),
			editAwsAuth("indent all entries alike, and take out document markers"), m.line(authmap.KeyRoles, line))
	}
}

// otherAccountEntry finds an entry for a role of the name in another account.
func (m *mapping) otherAccountEntry() {
	if !m.mode.ReadsEntries() {
		return
	}
	_, account := arnParts(m.arn)
	for i := range m.snap.Access.Entries {
		arn := m.snap.Access.Entries[i].PrincipalARN
		if _, other := arnParts(arn); other != account && strings.EqualFold(lastSegment(arn), m.use.name()) {
			m.fail("auth.entry-other-account", fmt.Sprintf("the access entry is for a role of that name in the account %s, the machines' is in %s", other, account),
				m.createEntry(), fact("eks:ListAccessEntries", arn))
		}
	}
}

// staleEntry finds an entry that was made for an earlier role of the name.
func (m *mapping) staleEntry() {
	found := []report.Evidence{
		fact("eks:DescribeAccessEntry", "created "+stamp(m.entry.CreatedAt)),
		fact("iam:GetRole", "created "+stamp(m.use.role.CreatedAt)),
	}
	summary := fmt.Sprintf("role %s was made after its access entry: the entry belongs to a role that is gone", m.use.role.Name)
	if m.verdict.Outcome == authmap.OutcomeMapped {
		m.add("auth.entry-stale-role", warn(report.Likely, summary+"; aws-auth maps the role", replaceEntry(m.snap, m.entry.PrincipalARN), found...))
		return
	}
	m.add("auth.entry-stale-role", fail(report.Likely, summary, replaceEntry(m.snap, m.entry.PrincipalARN), found...))
}

// droppedMap finds faults for which the authenticator drops mapRoles or an
// entry of it. It fails where nodes depend on the map alone; where access
// entries count too, it warns.
func (m *mapping) droppedMap() {
	if !m.mode.ReadsAwsAuth() || m.data == nil {
		return
	}
	var found []report.Evidence
	whole := false
	for _, problem := range authmap.Parse(m.data).Problems {
		if problem.Dropped {
			whole = whole || problem.Entry < 0 && problem.Key == authmap.KeyRoles
			found = append(found, fact(awsAuth, problem.String()), m.line(problem.Key, problem.Line))
		}
	}
	if len(found) == 0 {
		return
	}
	fix := editAwsAuth("correct the line")
	named := m.use.arn != "" && strings.Contains(m.data[authmap.KeyRoles], m.use.name()) && !m.hasEntry()
	if whole && (named || !m.mode.ReadsEntries()) {
		m.fail("auth.awsauth-parse", "mapRoles cannot be read, and the authenticator drops every role in it", fix, found...)
		return
	}
	m.warn("auth.awsauth-parse", "aws-auth has entries that the authenticator drops", fix, found...)
}

func (m *mapping) hasEntry() bool {
	return slices.ContainsFunc(m.snap.Access.Entries, func(e snapshot.AccessEntry) bool { return e.PrincipalARN == m.use.arn })
}
