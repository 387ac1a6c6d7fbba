package authmap

import (
	"fmt"
	"slices"
	"strings"
)

// Mode is EKS's accessConfig.authenticationMode.
type Mode string

// The modes: which of access entries and aws-auth the authenticator reads.
const (
	ModeConfigMap       Mode = "CONFIG_MAP"
	ModeAPIAndConfigMap Mode = "API_AND_CONFIG_MAP"
	ModeAPI             Mode = "API"
)

// AccessEntry is an EKS access entry.
type AccessEntry struct {
	// PrincipalARN may hold the role's path.
	PrincipalARN string
	Type         string
	// Username and Groups are those the API shows; empty ones are taken from
	// the type.
	Username string
	Groups   []string
	// PrincipalID is the unique id that the principal had when the entry was
	// made. The API does not show it: "" when it is not known.
	PrincipalID string
}

// Source is what maps an identity.
type Source string

// The sources, in the order in which they are asked.
const (
	SourceEntry    Source = "access entry"
	SourceRoles    Source = KeyRoles
	SourceUsers    Source = KeyUsers
	SourceAccounts Source = KeyAccounts
)

// Outcome is the kind of a verdict.
type Outcome string

// The outcomes. Only OutcomeMapped lets the caller in.
const (
	OutcomeMapped Outcome = "mapped"
	// OutcomeNotMapped: nothing maps the identity.
	OutcomeNotMapped Outcome = "not mapped"
	// OutcomeStaleEntry: its access entry belongs to an earlier principal of the
	// same name, and nothing else maps it.
	OutcomeStaleEntry Outcome = "stale entry"
	// OutcomeTemplate: a username or group has a template that does not apply.
	OutcomeTemplate Outcome = "template"
	// OutcomeBadARN: the authenticator does not accept the kind of principal.
	OutcomeBadARN Outcome = "bad ARN"
)

// Verdict is the authenticator's answer, and why.
type Verdict struct {
	Outcome  Outcome
	Username string
	Groups   []string
	// Source is what maps the identity; "" when nothing does.
	Source Source
	// Line is the line of the source's text in aws-auth, from 1; else 0.
	Line int
	// Reason says why in one sentence.
	Reason string
	// Notes are near misses and faults on the way, for the user to read.
	Notes []string
	// Ambiguous means that the authenticator draws lots anew for every request:
	// of mappings in mapUsers that differ in letter case only it keeps all, and
	// takes any.
	Ambiguous bool
}

// Simulate answers what the cluster's authenticator would make of an identity:
// the user and groups, or why it refuses. It follows aws-iam-authenticator
// (pkg/server, pkg/mapper/dynamicfile with unique ids for access entries,
// pkg/mapper/configmap for aws-auth), whose text the nodes never see. Access
// entries come first where the mode reads both. The mapping of sso entries is
// behind a feature gate that is off by default, and is taken as off; prefixes
// that EKS reserves for itself are not known and not looked at.
func Simulate(identity Identity, mode Mode, entries []AccessEntry, awsAuth map[string]string) Verdict {
	id, canonical, err := identity.complete()
	if err != nil {
		return Verdict{Outcome: OutcomeBadARN, Reason: err.Error()}
	}
	s := simulation{id: id, canonical: canonical, mode: mode}
	entry, entryFound := s.entry(entries)
	fromMap, mapFound := s.awsAuth(awsAuth)
	switch {
	case entryFound && mode != ModeConfigMap:
		return s.render(entry)
	case mapFound && mode != ModeAPI:
		return s.render(fromMap)
	case entryFound:
		s.note("an access entry maps it, but the mode %s does not read access entries", mode)
	case mapFound:
		s.note("%s maps it, but the mode %s does not read aws-auth", fromMap.source, mode)
	}
	out := Verdict{Outcome: OutcomeNotMapped, Reason: canonical + " is not mapped", Notes: s.notes}
	if s.stale && mode != ModeConfigMap {
		out.Outcome = OutcomeStaleEntry
		out.Reason = "the access entry of " + canonical + " belongs to an earlier principal of that name: it was deleted and made again"
	}
	return out
}

// match is a mapping that was found, before its templates are filled in.
type match struct {
	source   Source
	line     int
	username string
	groups   []string
	literal  bool // the username is no template
	lots     bool // others would do as well
}

type simulation struct {
	id        Identity
	canonical string
	mode      Mode
	stale     bool
	notes     []string
}

func (s *simulation) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

// entry finds the access entry of the identity. It is bound to the unique id
// of the principal, not to its name.
func (s *simulation) entry(entries []AccessEntry) (match, bool) {
	for _, e := range slices.Backward(entries) {
		arn, err := StripPath(e.PrincipalARN)
		if err != nil || !strings.EqualFold(arn, s.canonical) {
			continue
		}
		if e.PrincipalID != "" && s.id.UserID != "" && e.PrincipalID != s.id.UserID {
			s.stale = true
			s.note("the access entry was made for the unique id %s, the principal now has %s", e.PrincipalID, s.id.UserID)
			continue
		}
		username, groups := e.user()
		return match{source: SourceEntry, username: username, groups: groups}, true
	}
	return match{}, false
}

// user gives an entry's user. What each type stands for: "Create access
// entries", https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html.
func (e AccessEntry) user() (username string, groups []string) {
	username, groups = e.Username, e.Groups
	switch e.Type {
	case "EC2_LINUX", "EC2_WINDOWS", "EC2":
		username = NodeUsername
		if groups == nil {
			groups = []string{"system:nodes"}
		}
	case "FARGATE_LINUX", "HYBRID_LINUX":
		username = "system:node:{{SessionName}}"
		if groups == nil {
			groups = []string{"system:nodes"}
		}
	}
	if e.Username != "" {
		username = e.Username
	}
	if username == "" {
		username = e.PrincipalARN
		if parsed, err := splitARN(e.PrincipalARN); err == nil && strings.HasPrefix(parsed.resource, "role/") {
			name := parsed.resource[strings.LastIndex(parsed.resource, "/")+1:]
			username = fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/{{SessionName}}", parsed.partition, parsed.account, name)
		}
	}
	return username, groups
}

// awsAuth finds what aws-auth makes of the identity: mapRoles, then mapUsers,
// then mapAccounts. Of entries for the same ARN the last one counts.
func (s *simulation) awsAuth(data map[string]string) (match, bool) {
	m, roles, users := parse(data)
	for _, p := range m.Problems {
		if p.Dropped {
			s.note("%s", p)
		}
	}
	s.notes = append(s.notes, roles.doc().unreadNotes()...)
	for i, r := range slices.Backward(roles.all) {
		switch {
		case roles.dropped[i]:
		case r.RoleARN != "" && strings.EqualFold(r.RoleARN, s.canonical):
			return match{source: SourceRoles, line: roles.doc().entryLine(i), username: r.Username, groups: r.Groups}, true
		default:
			s.nearMiss(r, roles.doc().entryLine(i))
		}
	}
	if found, ok := s.user(users); ok {
		return found, true
	}
	if slices.Contains(m.Accounts, s.id.AccountID) {
		s.note("only %s maps it: the user is the bare ARN and in no group", KeyAccounts)
		return match{source: SourceAccounts, username: s.canonical, groups: []string{}, literal: true}, true
	}
	return match{}, false
}

// user looks in mapUsers. The authenticator keeps one mapping for every way of
// writing an ARN, but compares without regard to letter case.
func (s *simulation) user(users reading[User]) (match, bool) {
	var found match
	var arn string
	for i, u := range slices.Backward(users.all) {
		switch {
		case u.UserARN == "" || !strings.EqualFold(u.UserARN, s.canonical):
		case arn == "":
			arn = u.UserARN
			found = match{source: SourceUsers, line: users.doc().entryLine(i), username: u.Username, groups: u.Groups}
		case u.UserARN != arn:
			found.lots = true
			s.note("%s lines %d and %d map it in different letter case: which one counts changes from request to request",
				KeyUsers, users.doc().entryLine(i), found.line)
			return found, true
		}
	}
	return found, arn != ""
}

// nearMiss tells of an entry that means the role and does not match it.
func (s *simulation) nearMiss(r Role, line int) {
	want, err := splitARN(s.canonical)
	if err != nil || !strings.HasPrefix(want.resource, "role/") {
		return
	}
	name := strings.TrimPrefix(want.resource, "role/")
	have, err := splitARN(r.RoleARN)
	if err != nil || !strings.EqualFold(have.resource[strings.LastIndex(have.resource, "/")+1:], name) {
		return
	}
	switch {
	case have.account != want.account:
		s.note("%s line %d maps a role of that name in the account %q", KeyRoles, line, have.account)
	case have.partition != want.partition:
		s.note("%s line %d maps a role of that name in the partition %q", KeyRoles, line, have.partition)
	case strings.HasPrefix(have.resource, "role/"):
		s.note("%s line %d maps %s with its path, which the authenticator never matches", KeyRoles, line, r.RoleARN)
	default:
		s.note("%s line %d maps %s, which is no role", KeyRoles, line, r.RoleARN)
	}
}

// render fills in the templates of a match. A template that does not apply
// ends the search: nothing else is asked.
func (s *simulation) render(m match) Verdict {
	v := Verdict{Source: m.source, Line: m.line, Groups: []string{}, Notes: s.notes, Ambiguous: m.lots}
	fail := func(err error) Verdict {
		v.Outcome, v.Groups, v.Reason = OutcomeTemplate, nil, err.Error()
		return v
	}
	v.Outcome, v.Username, v.Reason = OutcomeMapped, m.username, fmt.Sprintf("%s maps %s", m.source, s.canonical)
	if m.literal {
		return v
	}
	var err error
	if v.Username, err = s.id.render(m.username); err != nil {
		v.Username = ""
		return fail(err)
	}
	for _, g := range m.groups {
		group, err := s.id.render(g)
		if err != nil {
			v.Username = ""
			return fail(err)
		}
		v.Groups = append(v.Groups, group)
	}
	return v
}
