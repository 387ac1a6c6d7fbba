package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// nodesGroup is the group whose members the node authorizer and the node
// restriction take for nodes.
const nodesGroup = "system:nodes"

// mapped judges a role that something maps: by what, and to whom.
func (m *mapping) mapped() {
	switch m.verdict.Source {
	case authmap.SourceEntry:
		m.mappedByEntry()
	case authmap.SourceRoles:
		m.mappedByRoles()
	case authmap.SourceUsers:
		m.mappedByUsers()
	case authmap.SourceAccounts:
		m.fail("auth.via-mapaccounts", "only mapAccounts maps the role: its machines are users by their ARN, in no group",
			m.letIn(), fact(awsAuth, "mapAccounts has the account of "+m.use.arn))
	}
}

func (m *mapping) mappedByEntry() {
	found := m.entryFact()
	if kind := m.entry.Type; kind != "" && !nodeEntry(kind) {
		if i, line := m.rightInMap(); m.mode.ReadsAwsAuth() && i >= 0 {
			m.fail("auth.entry-shadows", fmt.Sprintf("the role's access entry of type %s hides its right mapping in aws-auth", kind),
				do("delete the entry: aws-auth maps the role as it should", "aws eks delete-access-entry "+m.where()), found, m.line(authmap.KeyRoles, line))
			return
		}
		m.fail("auth.entry-type", fmt.Sprintf("the role's access entry is of type %s, not EC2_LINUX", kind), replaceEntry(m.snap, m.entry.PrincipalARN), found)
		return
	}
	m.judgeUser(replaceEntry(m.snap, m.entry.PrincipalARN), found)
}

// entryFact quotes the role's access entry.
func (m *mapping) entryFact() report.Evidence {
	return fact("eks:DescribeAccessEntry", fmt.Sprintf("%s: type %s, username %q, groups %q", m.entry.PrincipalARN, m.entry.Type, m.entry.Username, m.entry.Groups))
}

// nodeEntry reports whether an entry's type makes nodes of a group of its
// own machines. EC2_WINDOWS does, for those.
func nodeEntry(kind string) bool { return kind == "EC2_LINUX" || kind == "EC2_WINDOWS" }

// rightInMap finds the entry of mapRoles that would map the role as it should.
func (m *mapping) rightInMap() (index, line int) {
	items := authmap.Items(m.data)
	for i, item := range slices.Backward(items) {
		if item.Dropped == "" && strings.EqualFold(item.RoleARN, m.arn) {
			if item.Username == authmap.NodeUsername && slices.Contains(item.Groups, nodesGroup) {
				return i, item.Line
			}
			return -1, 0
		}
	}
	return -1, 0
}

func (m *mapping) mappedByRoles() {
	var same []authmap.Item
	for _, item := range authmap.Items(m.data) {
		if item.Dropped == "" && strings.EqualFold(item.RoleARN, m.arn) {
			same = append(same, item)
		}
	}
	if len(same) == 0 {
		return
	}
	last := same[len(same)-1]
	found := m.line(authmap.KeyRoles, last.Line)
	differ := slices.ContainsFunc(same, func(item authmap.Item) bool {
		return item.Username != last.Username || !slices.Equal(item.Groups, last.Groups)
	})
	if !differ {
		m.judgeUser(m.repair("put the entry right", ""), found)
		return
	}
	var lines []report.Evidence
	for _, item := range same {
		lines = append(lines, fact(awsAuth, fmt.Sprintf("mapRoles line %d: username %q, groups %q", item.Line, item.Username, item.Groups)))
	}
	fix := m.repair("leave one entry for the role: the last one counts", "")
	if m.userFault() == "" {
		m.warn("auth.duplicate", fmt.Sprintf("mapRoles has the role %d times; the last entry counts, and is right", len(same)), fix, lines...)
		return
	}
	m.fail("auth.duplicate", fmt.Sprintf("mapRoles has the role %d times; the last entry counts, and is wrong", len(same)), fix, lines...)
}

func (m *mapping) mappedByUsers() {
	found := m.line(authmap.KeyUsers, m.verdict.Line)
	fix := m.repair("map the role in mapRoles, and take it out of mapUsers", "")
	m.judgeUser(fix, found)
	m.warn("auth.user-not-role", "the role stands under mapUsers: it is found there, but tools look for nodes in mapRoles", fix, found)
}

// judgeUser looks at the user that a machine becomes.
func (m *mapping) judgeUser(fix report.Fix, found ...report.Evidence) {
	switch m.userFault() {
	case "auth.username-template":
		m.fail("auth.username-template", fmt.Sprintf("machines of the role become the user %q, not %q", m.user(), authmap.NodeUsername), fix, found...)
	case "auth.groups-wrong":
		m.fail("auth.groups-wrong", fmt.Sprintf("machines of the role are not in the group %s", nodesGroup), fix, append(found, m.typeProblems()...)...)
	}
}

// userFault names the row that the user fails, or nothing.
func (m *mapping) userFault() string {
	switch {
	case m.verdict.Outcome == authmap.OutcomeTemplate, m.verdict.Username != authmap.NodeUsername && !m.instanceNames():
		return "auth.username-template"
	case !slices.Contains(m.verdict.Groups, nodesGroup):
		return "auth.groups-wrong"
	}
	return ""
}

// instanceNames reports whether machines are mapped by their instance ids,
// which is right where nodes are named so (nodeadm's feature gate
// InstanceIdNodeName).
func (m *mapping) instanceNames() bool { return m.verdict.Username == "system:node:"+anyInstance }

// user is the user's name with the instance's place held.
func (m *mapping) user() string {
	return strings.ReplaceAll(m.verdict.Username, anyInstance, "{{SessionName}}")
}

// typeProblems quotes values of the wrong type, such as groups that are no
// list, which the authenticator skips without dropping the entry.
func (m *mapping) typeProblems() []report.Evidence {
	var found []report.Evidence
	for _, problem := range authmap.Parse(m.data).Problems {
		if !problem.Dropped {
			found = append(found, fact(awsAuth, problem.String()))
		}
	}
	return found
}
