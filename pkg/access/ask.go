package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Answer is what the cluster's authenticator would answer, or why that is not
// known.
type Answer struct {
	authmap.Verdict
	// Unknown says which fact is missing that could change the answer; "" when
	// none is.
	Unknown string
}

// Known reports whether the answer is one.
func (a Answer) Known() bool { return a.Unknown == "" }

// In reports whether the caller is let in, as far as that is known.
func (a Answer) In() bool { return a.Known() && a.Outcome == authmap.OutcomeMapped }

// Unique ids as authmap compares them. EKS does not show the one that an entry
// was made for; that the entry is older than the role tells as much.
const (
	presentID = "the principal's own id"
	earlierID = "the id of an earlier principal of that name"
)

// Ask answers for an identity. An access entry that counts decides alone;
// else what could not be read makes the answer unknown.
func (v View) Ask(id authmap.Identity) Answer {
	if id.UserID == "" {
		id.UserID = presentID
	}
	answer := Answer{Verdict: authmap.Simulate(id, authmap.Mode(v.mode()), v.entries(id), v.data())}
	if answer.Outcome == authmap.OutcomeBadARN {
		return answer
	}
	if v.mode().ReadsEntries() {
		if gap, missing := v.Snap.Gap(snapshot.SectionAccessEntries, ""); missing {
			answer.Unknown = "access entries come first, and could not be read: " + gap.Detail
			return answer
		}
		if answer.Source == authmap.SourceEntry {
			return answer
		}
	}
	if v.mode().ReadsAwsAuth() {
		if gap, missing := v.Snap.Gap(snapshot.SectionAwsAuth, ""); missing {
			answer.Unknown = "aws-auth could not be read: " + gap.Detail
		}
	}
	return answer
}

// entries are the access entries as the authenticator holds them for an
// identity.
func (v View) entries(id authmap.Identity) []authmap.AccessEntry {
	entries := make([]authmap.AccessEntry, 0, len(v.Snap.Access.Entries))
	for i := range v.Snap.Access.Entries {
		entry := &v.Snap.Access.Entries[i]
		out := authmap.AccessEntry{PrincipalARN: entry.PrincipalARN, Type: entry.Type, Username: entry.Username, Groups: entry.Groups, PrincipalID: id.UserID}
		if v.outlived(entry) {
			out.PrincipalID = earlierID
		}
		entries = append(entries, out)
	}
	return entries
}

// outlived reports whether an entry is older than the role that it names, and
// so was made for an earlier role of that name.
func (v View) outlived(entry *snapshot.AccessEntry) bool {
	role := v.role(entry.PrincipalARN)
	return role != nil && !entry.CreatedAt.IsZero() && role.CreatedAt.After(entry.CreatedAt)
}

// Sessions that stand for any: one of a person, one of a machine.
const (
	anySession  = "SESSION"
	anyInstance = "i-00000000000000000"
)

// Subject is somebody to ask about.
type Subject struct {
	Identity authmap.Identity
	// Notes say what was made of the words that named the subject.
	Notes []string
	// Open means that the session was not named and any will do.
	Open bool
}

// Find makes a subject of an ARN, an instance id or the name of a node. A role
// stands for its sessions; session names one, "" leaves it open.
func (v View) Find(who, session string) (Subject, error) {
	for i := range v.Snap.Nodes {
		node := &v.Snap.Nodes[i]
		if who == node.InstanceID || node.Kube != nil && node.Kube.Name == who {
			return v.machine(node)
		}
	}
	if !strings.HasPrefix(who, "arn:") {
		return Subject{}, fmt.Errorf("no instance or node of the cluster is %q: name an ARN, an instance id or a node", who)
	}
	if profile := strings.Index(who, ":instance-profile/"); profile > 0 {
		for i := range v.Snap.Roles {
			for _, arn := range v.Snap.Roles[i].InstanceProfiles {
				if arn == who {
					return v.sessionOf(v.Snap.Roles[i].ARN, session, "an instance profile is nobody: asked for the role in it, "+v.Snap.Roles[i].ARN)
				}
			}
		}
		return Subject{}, fmt.Errorf("%s is an instance profile with no role that is known: name the role", who)
	}
	kind, _, err := authmap.CanonicalARN(who)
	switch {
	case err != nil:
		return Subject{}, err
	case kind == authmap.PrincipalRole:
		return v.sessionOf(who, session)
	}
	return Subject{Identity: authmap.Identity{ARN: who}}, nil
}

func (v View) machine(node *snapshot.Node) (Subject, error) {
	role := v.roleOf(node)
	if role == "" {
		return Subject{}, fmt.Errorf("the role of %s is not known", node.InstanceID)
	}
	id, err := authmap.NodeIdentity(role, node.InstanceID, node.Cloud.PrivateDNSName)
	return Subject{Identity: id, Notes: []string{"it comes with the role " + role}}, err
}

// sessionOf is a session of a role: the one named, a machine's when machines
// come with it, else any.
func (v View) sessionOf(roleARN, session string, notes ...string) (Subject, error) {
	machines := v.machines(roleARN)
	if session == "" && len(machines) > 0 {
		subject, err := v.machine(machines[0])
		subject.Notes = slices.Concat(notes, []string{fmt.Sprintf("%d machines come with it: asked as %s", len(machines), machines[0].InstanceID)})
		return subject, err
	}
	subject := Subject{Notes: notes, Open: session == ""}
	if subject.Open {
		session = anySession
	}
	id, err := authmap.NodeIdentity(roleARN, session, "")
	subject.Identity = id
	return subject, err
}

// AskAbout answers for a subject. One with an open session is asked again as a
// machine when the mapping is one of machines.
func (v View) AskAbout(subject Subject) Answer {
	answer := v.Ask(subject.Identity)
	if !subject.Open || answer.Outcome != authmap.OutcomeTemplate {
		return answer
	}
	id, err := authmap.NodeIdentity(roleOfSession(subject.Identity.ARN), anyInstance, "")
	if err != nil {
		return answer
	}
	if again := v.Ask(id); again.Outcome == authmap.OutcomeMapped {
		again.Notes = append(again.Notes, "the mapping is one of machines: asked as if "+anyInstance+" came with the role")
		return again
	}
	return answer
}

func roleOfSession(arn string) string {
	_, canonical, err := authmap.CanonicalARN(arn)
	if err != nil {
		return arn
	}
	return canonical
}
