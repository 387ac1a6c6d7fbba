package access

import (
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// WithAwsAuth is the view as it is after aws-auth has become data; nil: it is
// deleted.
func (v View) WithAwsAuth(data map[string]string) View {
	snap := *v.Snap
	snap.Access.AwsAuth = nil
	if data != nil {
		snap.Access.AwsAuth = &snapshot.AwsAuth{Data: data}
	}
	return View{Snap: &snap, Gone: v.Gone}
}

// WithEntry is the view as it is after an access entry was made.
func (v View) WithEntry(entry snapshot.AccessEntry) View {
	out := v.WithoutEntry(entry.PrincipalARN)
	out.Snap.Access.Entries = append(out.Snap.Access.Entries, entry)
	return out
}

// WithoutEntry is the view as it is after an access entry was deleted.
func (v View) WithoutEntry(principal string) View {
	snap := *v.Snap
	snap.Access.Entries = slices.DeleteFunc(slices.Clone(snap.Access.Entries), func(e snapshot.AccessEntry) bool { return e.PrincipalARN == principal })
	return View{Snap: &snap, Gone: v.Gone}
}

// WithMode is the view as it is after the authentication mode was changed.
func (v View) WithMode(mode snapshot.AuthMode) View {
	snap, cluster := *v.Snap, *v.Snap.Cluster
	cluster.AuthMode, snap.Cluster = mode, &cluster
	return View{Snap: &snap, Gone: v.Gone}
}

// Loss is somebody whom a change would put out or make somebody else.
type Loss struct {
	// Who is a role with machines, or an ARN.
	Who           string
	Machines      int // that come with the role
	Before, After Answer
}

// Losses compares what the machines that run, and others who are named, are
// answered before and after a change. People who are named in mappings only
// are not asked about: that is what the change is for.
func Losses(before, after View, others ...authmap.Identity) []Loss {
	var losses []Loss
	judge := func(who string, machines int, id authmap.Identity) {
		loss := Loss{Who: who, Machines: machines, Before: before.Ask(id), After: after.Ask(id)}
		if loss.Before.In() && !sameUser(loss.Before, loss.After) {
			losses = append(losses, loss)
		}
	}
	seen := map[string]bool{}
	for i := range before.Snap.Nodes {
		node := &before.Snap.Nodes[i]
		role := before.roleOf(node)
		if role == "" || seen[role] || !alive(node.Cloud) {
			continue
		}
		seen[role] = true
		if subject, err := before.machine(node); err == nil {
			judge(role, len(before.machines(role)), subject.Identity)
		}
	}
	for _, id := range others {
		judge(id.ARN, 0, id)
	}
	return losses
}

// sameUser compares two answers by who the caller becomes. system:bootstrappers
// is of use before a node exists and is shown by aws-auth only.
func sameUser(a, b Answer) bool {
	return a.In() == b.In() && a.Username == b.Username && slices.Equal(groups(a), groups(b))
}

func groups(answer Answer) []string {
	out := slices.DeleteFunc(slices.Clone(answer.Groups), func(g string) bool { return g == "system:bootstrappers" })
	slices.Sort(out)
	return slices.Compact(out)
}

// Blind says why it is not known which machines live on which role, "" when
// it is: then a change cannot be told to be harmless.
func (v View) Blind() string {
	for _, section := range []snapshot.Section{snapshot.SectionInstances, snapshot.SectionRoles} {
		if gap, missing := v.Snap.Gap(section, ""); missing {
			return gap.Detail
		}
	}
	var unknown []string
	for i := range v.Snap.Nodes {
		node := &v.Snap.Nodes[i]
		if node.Cloud != nil && alive(node.Cloud) && node.Cloud.InstanceProfile != "" && v.roleOf(node) == "" {
			unknown = append(unknown, node.InstanceID)
		}
	}
	if len(unknown) > 0 {
		return "the role of " + strings.Join(unknown, ", ") + " is not known"
	}
	return ""
}

// At lists the rows that are about a principal, in any form of its ARN.
func At(rows []Row, principal string) []Row {
	return slices.DeleteFunc(slices.Clone(rows), func(row Row) bool {
		return !strings.EqualFold(row.Principal, principal) && !sameRole(row.Principal, principal)
	})
}
