package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Repair is what puts the mapping of one role right, as data: the rule says
// what, somebody else does it.
type Repair struct {
	RoleARN string
	// Subjects are the machines, and groups without one, that come with the
	// role, sorted.
	Subjects []string
	// DeleteEntry is the access entry that goes; nil: none does.
	DeleteEntry *snapshot.AccessEntry
	// CreateEntry is the type of the access entry to make then; "": none.
	CreateEntry string
	// AwsAuth is the edit of aws-auth; nil: it stays as it is.
	AwsAuth *AwsAuthRepair
	// ByHand says why the repair is nobody's but the user's, "" where it is
	// known.
	ByHand string
}

// AwsAuthRepair is an edit of mapRoles: authmap.SettleRole with Want and
// Instead.
type AwsAuthRepair struct {
	Want    authmap.Entry
	Instead string // an ARN as it is written, which was meant for the role
	Edit    authmap.Edit
}

// Repairs says how each role that a check of the mapping finds fault with is
// put right: whether the check fails or warns, and nothing for a check of
// anything else.
func Repairs(snap *snapshot.Snapshot, checkID string) []Repair {
	rows := authChecks()
	row := slices.IndexFunc(rows, func(c Check) bool { return c.ID == checkID && c.Repairable })
	if row < 0 || snap.Cluster == nil {
		return nil
	}
	seen := restrict(snap, slices.Concat(rows[row].Needs, rows[row].Uses))
	var repairs []Repair
	at := map[string]int{}
	for name, j := range joinersOf(seen) {
		use, known := roleOf(seen, j)
		if !known || j.Node == nil && j.Machines > 0 { // its machines answer for a group
			continue
		}
		i, have := at[use.arn]
		if !have {
			m := mapRole(seen, use)
			if _, found := m.faults[checkID]; !found {
				continue
			}
			i = len(repairs)
			at[use.arn] = i
			repairs = append(repairs, m.repairOf(checkID))
		}
		repairs[i].Subjects = append(repairs[i].Subjects, name)
	}
	for i := range repairs {
		slices.Sort(repairs[i].Subjects)
	}
	return repairs
}

// repairOf is the repair of one fault.
func (m *mapping) repairOf(checkID string) Repair {
	r := Repair{RoleARN: m.use.arn}
	switch checkID {
	case "auth.awsauth-parse", "auth.awsauth-indentation":
		r.ByHand = m.unreadable(checkID)
	case "auth.entry-shadows":
		r.DeleteEntry = m.entry
	case "auth.entry-type", "auth.entry-stale-role":
		r.DeleteEntry, r.CreateEntry = m.entry, nodeEntryType(m.entry)
	case "auth.role-not-mapped", "auth.entry-missing", "auth.awsauth-missing", "auth.mode-api", "auth.mode-configmap", "auth.via-mapaccounts", "auth.entry-other-account":
		m.letInBy(&r)
	case "auth.username-template", "auth.groups-wrong":
		if m.verdict.Source == authmap.SourceEntry {
			r.DeleteEntry, r.CreateEntry = m.entry, nodeEntryType(m.entry)
		} else {
			m.settle(&r, "")
		}
	case "auth.duplicate", "auth.user-not-role":
		m.settle(&r, "")
	default:
		m.settle(&r, m.meant(checkID))
	}
	return r
}

// letInBy maps a role that nothing maps, in the place that the cluster reads.
func (m *mapping) letInBy(r *Repair) {
	if m.mode.ReadsEntries() {
		r.CreateEntry = entryLinux
		return
	}
	m.settle(r, "")
}

// settle puts aws-auth right.
func (m *mapping) settle(r *Repair, instead string) {
	edit, err := authmap.SettleRole(m.data, m.want, instead)
	switch {
	case err != nil:
		r.ByHand = fmt.Sprintf("aws-auth: %v", err)
	case !edit.Changed():
		r.ByHand = "aws-auth says already what it should"
	default:
		r.AwsAuth = &AwsAuthRepair{Want: m.want, Instead: instead, Edit: edit}
	}
}

// meant is the ARN, as it is written, of the last entry of mapRoles that the
// check takes for one that was meant for the role. One of another account that
// is no node's stays: it may be right for that account.
func (m *mapping) meant(checkID string) string {
	for _, item := range slices.Backward(authmap.Items(m.data)) {
		if id, _ := m.nearMiss(item); id != checkID {
			continue
		}
		if checkID == "auth.arn-wrong-account" && item.Username != authmap.NodeUsername {
			return ""
		}
		return item.RoleARN
	}
	return ""
}

// unreadable says where aws-auth must be corrected before anybody edits it.
func (m *mapping) unreadable(checkID string) string {
	if checkID == "auth.awsauth-indentation" {
		line, _ := authmap.Unread(m.data)
		return fmt.Sprintf("mapRoles line %d: the list ends before it, and what stands from there on counts for nothing; only you know what of it is meant", line)
	}
	for _, problem := range authmap.Parse(m.data).Problems {
		if problem.Dropped {
			return strings.TrimSuffix(problem.String(), ".") + "; only you know what is meant"
		}
	}
	return "aws-auth cannot be read"
}

const entryLinux = "EC2_LINUX"

// nodeEntryType keeps an entry for Windows nodes one.
func nodeEntryType(e *snapshot.AccessEntry) string {
	if e != nil && nodeEntry(e.Type) {
		return e.Type
	}
	return entryLinux
}
