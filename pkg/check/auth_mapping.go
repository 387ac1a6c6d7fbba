package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// mapping is what the cluster's authenticator makes of a role, and what is
// wrong with that: at most one result for each row of the family.
type mapping struct {
	snap    *snapshot.Snapshot
	use     roleUse
	mode    snapshot.AuthMode
	data    map[string]string // aws-auth
	want    authmap.Entry     // what mapRoles should say
	arn     string            // as the authenticator knows the role: without its path
	entry   *snapshot.AccessEntry
	verdict authmap.Verdict
	faults  map[string]Result // by check id
	unread  []Result          // what is missing to know
}

// anyInstance stands for the machines of a role: what they are mapped to
// differs in their names only.
const anyInstance = "i-00000000000000000"

// mapRole asks the authenticator's rules about a role and finds the mistakes
// that explain the answer.
func mapRole(s *snapshot.Snapshot, use roleUse) *mapping {
	m := &mapping{snap: s, use: use, mode: s.Cluster.AuthMode, faults: map[string]Result{}}
	if s.Access.AwsAuth != nil {
		m.data = s.Access.AwsAuth.Data
	}
	m.droppedMap()
	arn, err := authmap.MappingARN(use.arn)
	if err != nil {
		return m // the role is made, and mapped, with the group
	}
	id, err := authmap.NodeIdentity(arn, anyInstance, "")
	if err != nil {
		return m
	}
	m.want = authmap.NodeEntry(use.arn)
	m.arn = arn
	var entries []authmap.AccessEntry
	for i := range s.Access.Entries {
		entries = append(entries, m.convert(&s.Access.Entries[i]))
	}
	id.UserID = m.roleID()
	m.verdict = authmap.Simulate(id, authmap.Mode(m.mode), entries, m.data)
	if m.missing(); m.unread == nil {
		m.judge()
	}
	return m
}

// Unique ids as Simulate compares them. EKS does not show the one that an
// entry was made for; that an entry is older than the role tells as much.
const (
	presentID = "the role's own id"
	earlierID = "the id of an earlier role of that name"
)

func (m *mapping) roleID() string {
	if m.use.role != nil && m.use.role.UniqueID != "" {
		return m.use.role.UniqueID
	}
	return presentID
}

// convert also notes the entry that is the role's.
func (m *mapping) convert(e *snapshot.AccessEntry) authmap.AccessEntry {
	out := authmap.AccessEntry{PrincipalARN: e.PrincipalARN, Type: e.Type, Username: e.Username, Groups: e.Groups}
	if e.Type == "" {
		out.Type = "EC2_LINUX" // listed, not described: taken as right
	}
	if arn, err := authmap.StripPath(e.PrincipalARN); err != nil || !strings.EqualFold(arn, m.arn) {
		return out
	}
	m.entry = e
	out.PrincipalID = m.roleID()
	if m.entryOutlived() {
		out.PrincipalID = earlierID
	}
	return out
}

// entryOutlived reports whether the entry is older than the role.
func (m *mapping) entryOutlived() bool {
	return m.entry != nil && m.use.role != nil && !m.entry.CreatedAt.IsZero() && m.use.role.CreatedAt.After(m.entry.CreatedAt)
}

// missing tells when what was not read could change the answer. An entry that
// counts decides alone.
func (m *mapping) missing() {
	if m.mode.ReadsEntries() {
		if m.unread = unread(m.snap, m.use.arn, snapshot.SectionAccessEntries); m.unread != nil || m.verdict.Source == authmap.SourceEntry {
			return
		}
	}
	if m.mode.ReadsAwsAuth() {
		m.unread = unread(m.snap, "", snapshot.SectionAwsAuth)
	}
}

// judge finds the mistakes behind the verdict.
func (m *mapping) judge() {
	if m.entryOutlived() && m.mode.ReadsEntries() {
		m.staleEntry()
	}
	switch m.verdict.Outcome {
	case authmap.OutcomeMapped, authmap.OutcomeTemplate:
		m.mapped()
	case authmap.OutcomeNotMapped:
		m.notMapped()
	case authmap.OutcomeStaleEntry, authmap.OutcomeBadARN:
	}
}

func (m *mapping) add(id string, result []Result) {
	if len(result) > 0 {
		m.faults[id] = result[0]
	}
}

func (m *mapping) fail(id, summary string, fix report.Fix, evidence ...report.Evidence) {
	m.add(id, fail(report.Certain, summary, fix, m.evidence(evidence)...))
}

func (m *mapping) warn(id, summary string, fix report.Fix, evidence ...report.Evidence) {
	m.add(id, warn(report.Certain, summary, fix, m.evidence(evidence)...))
}

// evidence ends in what the authenticator would answer.
func (m *mapping) evidence(found []report.Evidence) []report.Evidence {
	found = slices.Clone(found)
	if m.verdict.Outcome == "" {
		return found
	}
	answer := m.verdict.Reason
	if m.verdict.Outcome == authmap.OutcomeMapped && !m.entrySays(found) {
		answer = fmt.Sprintf("%s: user %q, groups %q", answer, m.verdict.Username, m.verdict.Groups)
	}
	return append(found, fact("the authenticator's rules, mode "+string(m.mode), answer))
}

// entrySays reports whether evidence quotes an access entry whose own words are
// the user and the groups that a machine becomes.
func (m *mapping) entrySays(found []report.Evidence) bool {
	return m.verdict.Source == authmap.SourceEntry && m.entry.Username == m.verdict.Username && slices.Equal(m.entry.Groups, m.verdict.Groups) &&
		slices.Contains(found, m.entryFact())
}

// broken reports whether anything keeps machines of the role out.
func (m *mapping) broken() bool {
	for _, fault := range m.faults {
		if fault.Status == report.Fail {
			return true
		}
	}
	return false
}

const awsAuth = "configmap kube-system/aws-auth"

// line quotes a line of aws-auth.
func (m *mapping) line(key string, line int) report.Evidence {
	return fact(awsAuth, fmt.Sprintf("%s line %d: %s", key, line, authmap.Line(m.data, key, line)))
}

func (m *mapping) where() string {
	return fmt.Sprintf("--region %s --cluster-name %s --principal-arn %s", m.snap.Target.Region, m.snap.Cluster.Name, m.use.arn)
}

// createEntry is the fix where access entries count.
func (m *mapping) createEntry() report.Fix {
	return do("make an access entry for the role", "aws eks create-access-entry "+m.where()+" --type EC2_LINUX")
}

// letIn is the fix for a role that nothing maps.
func (m *mapping) letIn() report.Fix {
	if m.mode.ReadsEntries() {
		return m.createEntry()
	}
	return m.repair("map the role in mapRoles", "")
}

// repair is the fix for what mapRoles says of the role: in the entry that was
// meant for it, if its ARN is written as instead.
func (m *mapping) repair(summary, instead string) report.Fix {
	fix := editAwsAuth(summary)
	if edit, err := authmap.SettleRole(m.data, m.want, instead); err == nil {
		fix.Diff = edit.Diff()
	}
	return fix
}

func editAwsAuth(summary string) report.Fix {
	return do(summary+"; keep a copy first",
		"kubectl -n kube-system get configmap aws-auth -o yaml > aws-auth.backup.yaml", "kubectl -n kube-system edit configmap aws-auth")
}
