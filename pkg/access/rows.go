package access

import (
	"cmp"
	"slices"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
)

// Row is one mapping: an access entry, or an entry of aws-auth.
type Row struct {
	// Principal is the ARN as it is written, or the account of mapAccounts; ""
	// when the mapping has none.
	Principal string
	Source    authmap.Source
	Line      int      // of the source's text in aws-auth, from 1; 0 when it is not known
	Type      string   // of an access entry
	Username  string   // as written, with its templates; "" leaves it to the type
	Groups    []string // as written
	Policies  []string // names of an access entry's access policies
	State     State
	// Answer is what the authenticator answers to the principal, by this mapping
	// or another one.
	Answer   Answer
	Problems []string // what is wrong with it, one sentence each
}

// State is what a mapping does.
type State string

// The states. Only of StateOK it can be said that nothing is wrong.
const (
	StateOK       State = "ok"       // the principal is let in by it
	StateWrong    State = "wrong"    // the principal is let in by it, as somebody it should not be
	StateShadowed State = "shadowed" // another mapping of the principal comes first
	StateIgnored  State = "ignored"  // the cluster's mode does not read where it stands
	StateDropped  State = "dropped"  // the authenticator cannot use it
	StateDead     State = "dead"     // it never matches anybody
	StateGone     State = "gone"     // its role does not exist
	StateStale    State = "stale"    // it was made for an earlier role of that name
	StateUnknown  State = "unknown"  // what is needed to tell could not be read
)

// Rows lists all mappings with what they do: access entries first, then
// aws-auth in the order of its text.
func (v View) Rows() []Row {
	var rows []Row
	for i := range v.Snap.Access.Entries {
		entry := &v.Snap.Access.Entries[i]
		row := Row{
			Principal: entry.PrincipalARN, Source: authmap.SourceEntry, Type: entry.Type,
			Username: entry.Username, Groups: entry.Groups, Policies: entry.Policies,
		}
		v.judge(&row, "")
		rows = append(rows, row)
	}
	parsed := authmap.Parse(v.data())
	for _, problem := range parsed.Problems {
		if problem.Dropped && problem.Entry < 0 {
			rows = append(rows, Row{Source: authmap.Source(problem.Key), Line: problem.Line, State: v.readState(StateDropped),
				Problems: []string{"the authenticator reads nothing of " + problem.Key + ": " + problem.Reason}})
		}
	}
	for _, item := range authmap.Items(v.data()) {
		row := Row{
			Principal: item.RoleARN, Source: authmap.SourceRoles, Line: item.Line, Username: item.Username, Groups: item.Groups,
		}
		if item.SSO != nil {
			row.Principal = "sso:" + item.SSO.AccountID + "/" + item.SSO.PermissionSetName
		}
		v.judge(&row, item.Dropped)
		rows = append(rows, row)
	}
	for _, user := range parsed.Users {
		row := Row{Principal: user.UserARN, Source: authmap.SourceUsers, Username: user.Username, Groups: user.Groups}
		v.judge(&row, "")
		rows = append(rows, row)
	}
	for _, account := range parsed.Accounts {
		rows = append(rows, v.accountRow(account))
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(rank(a.Source), rank(b.Source)) })
	return rows
}

func rank(source authmap.Source) int {
	return slices.Index([]authmap.Source{authmap.SourceEntry, authmap.SourceRoles, authmap.SourceUsers, authmap.SourceAccounts}, source)
}

func (v View) accountRow(account string) Row {
	row := Row{Principal: account, Source: authmap.SourceAccounts, State: v.readState(StateOK)}
	if row.State == StateOK {
		row.Problems = []string{"everybody of the account is let in by the bare ARN, in no group"}
	} else {
		row.Problems = []string{v.unreadMode()}
	}
	return row
}

// readState is the state, or StateIgnored when the mode does not read aws-auth.
func (v View) readState(state State) State {
	if !v.mode().ReadsAwsAuth() {
		return StateIgnored
	}
	return state
}

func (v View) unreadMode() string {
	return "a cluster in the mode " + string(v.mode()) + " does not read it"
}
