package check

import (
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// roleUse is a role in use: by a machine, or by the next machine of a group.
type roleUse struct {
	arn  string         // with its path; "" when the role is made with the group
	role *snapshot.Role // nil when it was not read
	// profile is the instance profile, name or ARN, that hands the role out.
	profile  string
	proposed bool
}

func (u roleUse) name() string { return u.arn[strings.LastIndexByte(u.arn, '/')+1:] }

// roleOf finds the role of a joiner: a machine's own instance profile tells,
// else its group's.
func roleOf(s *snapshot.Snapshot, j Joiner) (roleUse, bool) {
	var use roleUse
	if j.Node != nil && j.Node.Cloud != nil && j.Node.Cloud.InstanceProfile != "" {
		use.profile = j.Node.Cloud.InstanceProfile
		if use.role = roleInProfile(s, use.profile); use.role != nil {
			use.arn = use.role.ARN
			return use, true
		}
	}
	if j.Group == nil {
		return use, false
	}
	launch := &j.Group.Launch
	if use.profile != "" && launch.InstanceProfile != "" && lastSegment(use.profile) != lastSegment(launch.InstanceProfile) {
		return use, false // the machine has another profile than its group: the group's role is not its
	}
	use.proposed = j.Group.Proposed
	use.arn, use.role = launch.RoleARN, nodeRole(s, j.Group)
	if use.arn == "" && use.role != nil {
		use.arn = use.role.ARN
	}
	if use.profile == "" {
		use.profile = launch.InstanceProfile
	}
	return use, use.arn != "" || use.proposed
}

// nodeRole is the role of a group, if it is known and was read.
func nodeRole(s *snapshot.Snapshot, g *snapshot.Group) *snapshot.Role {
	if role := s.Role(g.Launch.RoleARN); role != nil {
		return role
	}
	return roleInProfile(s, g.Launch.InstanceProfile)
}

// roleInProfile is the role that an instance profile, by name or ARN, holds.
func roleInProfile(s *snapshot.Snapshot, profile string) *snapshot.Role {
	if profile == "" {
		return nil
	}
	for i := range s.Roles {
		if slices.ContainsFunc(s.Roles[i].InstanceProfiles, func(arn string) bool { return sameProfile(arn, profile) }) {
			return &s.Roles[i]
		}
	}
	return nil
}

// sameProfile compares an instance profile's ARN with a name or an ARN.
func sameProfile(arn, other string) bool {
	return arn == other || !strings.HasPrefix(other, "arn:") && lastSegment(arn) == other
}

func lastSegment(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }

// arnParts takes account and partition from an ARN.
func arnParts(arn string) (partition, account string) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 {
		return "", ""
	}
	return parts[1], parts[4]
}

// perRole makes a Join rule of one about roles: it is run once for each role,
// and what it says holds for whatever uses the role.
func perRole(rule func(*snapshot.Snapshot, roleUse) []Result, needed ...snapshot.Section) func(*snapshot.Snapshot) func(Joiner) []Result {
	return func(s *snapshot.Snapshot) func(Joiner) []Result {
		said := map[roleUse][]Result{}
		return func(j Joiner) []Result {
			if j.Node == nil && j.Machines > 0 {
				return nil // its machines answer for it
			}
			use, known := roleOf(s, j)
			if !known {
				return j.unread(s, needed...)
			}
			results, done := said[use]
			if !done {
				results = rule(s, use)
				said[use] = results
			}
			return results
		}
	}
}
