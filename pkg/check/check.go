// Package check holds the rules: pure functions over a snapshot, one table
// row each, and the small engine that runs them.
package check

import (
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Link is a link of the join chain, in the order in which a machine passes
// them. For one machine the earliest failing link is the cause.
type Link int

// The chain: launch -> boot -> credentials -> AWS APIs -> API server reached
// -> authenticated -> authorised -> Node object -> CNI -> initialized -> Ready.
// Target comes before everything: are we looking at the right cluster?
const (
	LinkTarget Link = iota
	LinkLaunch
	LinkBoot
	LinkCredentials
	LinkAWSAPI
	LinkAPIServer
	LinkAuthentication
	LinkAuthorisation
	LinkNodeObject
	LinkCNI
	LinkInitialized
	LinkReady
)

// String is the link's name in reports.
func (l Link) String() string {
	switch l {
	case LinkTarget:
		return "target"
	case LinkLaunch:
		return "launch"
	case LinkBoot:
		return "boot"
	case LinkCredentials:
		return "credentials"
	case LinkAWSAPI:
		return "aws-api"
	case LinkAPIServer:
		return "api-server"
	case LinkAuthentication:
		return "authentication"
	case LinkAuthorisation:
		return "authorisation"
	case LinkNodeObject:
		return "node-object"
	case LinkCNI:
		return "cni"
	case LinkInitialized:
		return "initialized"
	case LinkReady:
		return "ready"
	}
	return "unknown"
}

// Check is one row of the table of rules.
type Check struct {
	ID    string // family.name, the family is the file's name
	Title string // what is looked at, as a noun phrase
	Why   string // why it matters, one or two sentences, for `explain`
	Ref   string // documentation URL
	Link  Link
	// Needs are the sections that the rule may see. If one is a gap the
	// rule is not run and the finding is unknown, with the gap's reason.
	Needs []snapshot.Section
	// Uses are sections that the rule may see besides, with their gaps: what
	// to make of a gap is for the rule to say, with unread.
	Uses []snapshot.Section
	// Preflight rows are run by `add` over the proposed group.
	Preflight bool
	// PlanOnly rows make sense only before something is made: `doctor` does
	// not run them over what stands.
	PlanOnly bool
	// Symptom rows say that something did not come about. Any other failure
	// of the same subject at the same link or before explains them; of two
	// symptoms at one link, the one that stands first in the list explains
	// the other.
	Symptom bool
	// Path rows are about the way from a machine to the cluster. A machine
	// that is Ready has come that way, so there they warn and never fail.
	Path bool
	// Warm rows are asked about the machines of warm pools too, which are not to
	// join yet. All others are about members of groups, and groupless machines.
	Warm bool
	// Repairable rows are about the mapping of roles, which Repairs knows how
	// to put right. What any other row finds is the user's to mend.
	Repairable bool

	// Host is what the machine's own report tells of the same question. It is
	// asked before the rule, where there is a report: nobody knows it better.
	// When it says nothing, or does not know, the rule is asked.
	Host func(*snapshot.Snapshot, *snapshot.Node) []Result

	// Exactly one of the four is set. Each returns what it found; nothing
	// means not applicable. A Node rule sees the pods, the lease and the
	// certificate requests of the machine's own node only.
	Cluster func(*snapshot.Snapshot) []Result
	Group   func(*snapshot.Snapshot, *snapshot.Group) []Result
	Node    func(*snapshot.Snapshot, *snapshot.Node) []Result
	// Join is about whatever is to join: see Joiner.
	Join func(*snapshot.Snapshot) func(Joiner) []Result
}

// Result is what a rule says; the engine adds the check's id, title and the
// subject to make a finding.
type Result struct {
	Status     report.Status // Pass, Warn or Fail; Unknown is the engine's to say
	Confidence report.Confidence
	Summary    string
	Evidence   []report.Evidence
	Fix        report.Fix
}
