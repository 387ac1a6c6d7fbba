// Package access tells who may come into a cluster: access entries and
// aws-auth side by side, each mapping with what the cluster's authenticator
// makes of it and what is wrong with it, and what it takes to move from
// aws-auth to access entries. It is pure: facts in, answers out.
package access

import (
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// View is what is known of a cluster's mappings.
type View struct {
	Snap *snapshot.Snapshot
	// Gone are names of roles of the cluster's account that IAM does not have.
	// A role that is neither here nor among the snapshot's roles was not looked
	// for, or could not be.
	Gone []string
}

// data is aws-auth's; nil when there is no such ConfigMap.
func (v View) data() map[string]string {
	if v.Snap.Access.AwsAuth == nil {
		return nil
	}
	return v.Snap.Access.AwsAuth.Data
}

func (v View) mode() snapshot.AuthMode { return v.Snap.Cluster.AuthMode }

// role returns the facts of a role by its name in the cluster's account, or
// nil.
func (v View) role(arn string) *snapshot.Role {
	for i := range v.Snap.Roles {
		if sameRole(v.Snap.Roles[i].ARN, arn) {
			return &v.Snap.Roles[i]
		}
	}
	return nil
}

// gone reports whether the ARN is of a role that IAM does not have.
func (v View) gone(arn string) bool {
	return v.own(arn) && strings.Contains(arn, ":role/") && slices.Contains(v.Gone, lastPart(arn))
}

// own reports whether an ARN is of the cluster's account.
func (v View) own(arn string) bool {
	parts := strings.SplitN(arn, ":", 6)
	return len(parts) == 6 && parts[4] == v.Snap.Target.AccountID
}

// sameRole compares two ARNs of roles as the authenticator does: without
// their paths, and in any letter case.
func sameRole(a, b string) bool {
	x, errX := authmap.StripPath(a)
	y, errY := authmap.StripPath(b)
	return errX == nil && errY == nil && strings.EqualFold(x, y)
}

func lastPart(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// RoleNames are the names of the cluster's account's roles that any mapping
// names: those worth asking IAM about.
func RoleNames(snap *snapshot.Snapshot) []string {
	v := View{Snap: snap}
	var names []string
	add := func(arn string) {
		if v.own(arn) && strings.Contains(arn, ":role/") && lastPart(arn) != "" {
			names = append(names, lastPart(arn))
		}
	}
	for _, entry := range snap.Access.Entries {
		add(entry.PrincipalARN)
	}
	for _, item := range authmap.Items(v.data()) {
		add(item.RoleARN)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// machines are the running machines that come with a role.
func (v View) machines(roleARN string) []*snapshot.Node {
	var found []*snapshot.Node
	for i := range v.Snap.Nodes {
		node := &v.Snap.Nodes[i]
		if node.Cloud != nil && alive(node.Cloud) && sameRole(v.roleOf(node), roleARN) {
			found = append(found, node)
		}
	}
	return found
}

func alive(machine *snapshot.Instance) bool {
	return machine.State == "running" || machine.State == "pending"
}

// roleOf is the ARN of a machine's role; "" when that is not known.
func (v View) roleOf(node *snapshot.Node) string {
	if node.Cloud == nil || node.Cloud.InstanceProfile == "" {
		return ""
	}
	for i := range v.Snap.Roles {
		if slices.Contains(v.Snap.Roles[i].InstanceProfiles, node.Cloud.InstanceProfile) {
			return v.Snap.Roles[i].ARN
		}
	}
	return ""
}
