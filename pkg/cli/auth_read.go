package cli

import (
	"context"

	"github.com/eksnodes/kubectl-eksnodes/pkg/access"
	"github.com/eksnodes/kubectl-eksnodes/pkg/cloud"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// readAccess reads both lists of mappings, the machines with their roles, and
// what IAM says of the roles that mappings name. Only without the cluster it
// fails; other gaps are told and make answers unknown.
func (a *app) readAccess(ctx context.Context, s *session) (access.View, error) {
	a.screen.say("reading cluster %s in %s ...", s.cluster, s.aws.Region())
	snap := s.read(ctx, s.base, cloud.Request{
		Sections: []snapshot.Section{
			snapshot.SectionCluster, snapshot.SectionAccessEntries, snapshot.SectionRoles, snapshot.SectionGroups, snapshot.SectionInstances,
		},
		ListEntries: true, AllProfiles: true,
	}, snapshot.SectionNodes, snapshot.SectionAwsAuth)
	if ctx.Err() != nil {
		return access.View{}, ctx.Err()
	}
	if err := missing(&snap, snapshot.SectionCluster); err != nil {
		return access.View{}, err
	}
	if len(snap.Access.Entries) > 0 {
		details := cloud.Request{Sections: []snapshot.Section{snapshot.SectionAccessEntries}}
		for _, entry := range snap.Access.Entries {
			details.Principals = append(details.Principals, entry.PrincipalARN)
		}
		// The cluster is what the entries are read after, and is known.
		details.Sections = append(details.Sections, snapshot.SectionCluster)
		snap = s.read(ctx, snap, details)
	}
	a.tellGaps(&snap)
	view := access.View{Snap: &snap}
	roles, gone, err := s.aws.FindRoles(ctx, access.RoleNames(&snap))
	if ctx.Err() != nil {
		return view, ctx.Err()
	}
	if err != nil {
		a.note("could not look whether the roles exist, and since when: %v", err)
		return view, nil
	}
	view.Gone = gone
	addRoles(&snap, roles)
	return view, nil
}

// addRoles adds roles that are not known yet.
func addRoles(snap *snapshot.Snapshot, roles []snapshot.Role) {
	for _, role := range roles {
		if snap.Role(role.ARN) == nil {
			snap.Roles = append(snap.Roles, role)
		}
	}
}

// readPolicies adds the access policies to the entries that can have some.
func (a *app) readPolicies(ctx context.Context, s *session, snap *snapshot.Snapshot) {
	var principals []string
	for _, entry := range snap.Access.Entries {
		if entry.Type == "STANDARD" {
			principals = append(principals, entry.PrincipalARN)
		}
	}
	policies, err := s.aws.EntryPolicies(ctx, s.cluster, principals)
	if err != nil {
		a.note("could not read the access policies of entries: %v", err)
		return
	}
	for i := range snap.Access.Entries {
		entry := &snap.Access.Entries[i]
		entry.Policies = policies[entry.PrincipalARN]
	}
}

// note says something that is not an error on stderr.
func (a *app) note(format string, args ...any) {
	a.screen.say(a.screen.paint(bold, "note:")+" "+format, args...)
}
