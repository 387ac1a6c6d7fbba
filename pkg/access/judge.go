package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
)

// nodePrefix begins the username of every node.
const nodePrefix = "system:node:"

// nodesGroup is the group whose members the node authorizer takes for nodes.
const nodesGroup = "system:nodes"

// judge says what a mapping does. dropped is why the authenticator does not
// use it, "" when it does.
func (v View) judge(row *Row, dropped string) {
	reads := v.mode().ReadsEntries()
	if row.Source != authmap.SourceEntry {
		reads = v.mode().ReadsAwsAuth()
	}
	never := neverMatches(row)
	subject, err := v.Find(row.Principal, "")
	if err == nil {
		row.Answer = v.AskAbout(subject)
	}
	set := func(state State, problem string, args ...any) {
		row.State = state
		if problem != "" {
			row.Problems = append(row.Problems, fmt.Sprintf(problem, args...))
		}
	}
	switch {
	case !reads:
		set(StateIgnored, "%s", v.unreadMode())
	case dropped != "":
		set(StateDropped, "%s", dropped)
	case never != "":
		set(StateDead, "%s", never)
	case v.gone(row.Principal):
		set(StateGone, "there is no role %s: whoever makes one of that name is not who this was written for", lastPart(row.Principal))
	case err != nil:
		set(StateDead, "%v", err)
	case row.Source == authmap.SourceEntry && v.staleEntry(row.Principal):
		set(StateStale, "the role was made again after it: EKS keeps the unique id of the role that it was made for")
	case !row.Answer.Known():
		set(StateUnknown, "%s", row.Answer.Unknown)
	case !v.answers(row):
		set(StateShadowed, "%s comes first", place(row.Answer))
	case row.Answer.Outcome == authmap.OutcomeTemplate:
		set(StateWrong, "%s", row.Answer.Reason)
	default:
		set(StateOK, "")
		v.judgeUser(row)
	}
}

// answers reports whether the answer to the principal comes from this mapping.
func (v View) answers(row *Row) bool {
	if row.Answer.Source != row.Source {
		return false
	}
	switch row.Source {
	case authmap.SourceRoles:
		return row.Line == row.Answer.Line
	case authmap.SourceUsers:
		row.Line = row.Answer.Line // authmap does not say where each user stands
	}
	return true
}

func place(answer Answer) string {
	if answer.Line > 0 {
		return fmt.Sprintf("%s line %d", answer.Source, answer.Line)
	}
	return "the " + string(answer.Source)
}

// neverMatches tells why no caller can have the ARN of a mapping, or nothing.
func neverMatches(row *Row) string {
	if row.Source == authmap.SourceAccounts || strings.HasPrefix(row.Principal, "sso:") {
		if row.Source == authmap.SourceRoles {
			return "the authenticator maps permission sets behind a feature gate that is off by default"
		}
		return ""
	}
	kind, _, err := authmap.CanonicalARN(row.Principal)
	if err != nil {
		return err.Error()
	}
	if kind == authmap.PrincipalAssumedRole {
		return "it names a session: callers are looked up by their role"
	}
	if row.Source == authmap.SourceEntry {
		return ""
	}
	if bare, err := authmap.StripPath(row.Principal); err == nil && bare != row.Principal {
		return "it names the role with its path, which STS never tells: write " + bare
	}
	return ""
}

func (v View) staleEntry(principal string) bool {
	for i := range v.Snap.Access.Entries {
		if entry := &v.Snap.Access.Entries[i]; entry.PrincipalARN == principal {
			return v.outlived(entry)
		}
	}
	return false
}

// judgeUser says what is wrong with whom a mapping makes of its principal.
func (v View) judgeUser(row *Row) {
	node := strings.HasPrefix(row.Answer.Username, nodePrefix)
	machines := len(v.machines(row.Principal))
	wrong := func(problem string, args ...any) {
		row.State = StateWrong
		row.Problems = append(row.Problems, fmt.Sprintf(problem, args...))
	}
	switch {
	case node && !slices.Contains(row.Answer.Groups, nodesGroup):
		wrong("its machines are named as nodes, but are not in the group %s", nodesGroup)
	case node && !strings.Contains(row.Username, "{{") && row.Source != authmap.SourceEntry:
		wrong("the username is a fixed one: every machine would be the same node")
	case !node && machines > 0:
		wrong("%d machines come with the role, and become %q: not nodes", machines, row.Answer.Username)
	}
	if row.Source == authmap.SourceUsers && strings.Contains(row.Principal, ":role/") {
		row.Problems = append(row.Problems, "a role under mapUsers is found, but tools that look for roles do not see it there")
	}
}
