package authmap

import (
	"slices"
	"strings"
)

// Entry is one mapping of mapRoles: whoever comes with the role is this user
// in these groups.
type Entry struct {
	// RoleARN is the role's ARN; a path is removed when the entry is written.
	RoleARN string
	// Username may hold templates such as {{EC2PrivateDNSName}}.
	Username string
	// Groups are the Kubernetes groups, in the order in which they are written.
	Groups []string
}

// NodeUsername is the user that a node must be: the node authorizer and the
// approver of kubelet certificates accept no other.
const NodeUsername = "system:node:{{EC2PrivateDNSName}}"

// NodeEntry is the entry that lets the Linux nodes of a role join.
func NodeEntry(roleARN string) Entry {
	return Entry{
		RoleARN:  roleARN,
		Username: NodeUsername,
		Groups:   []string{"system:bootstrappers", "system:nodes"},
	}
}

// WindowsNodeEntry is NodeEntry for Windows nodes, whose kube-proxy runs with
// the node's identity.
func WindowsNodeEntry(roleARN string) Entry {
	e := NodeEntry(roleARN)
	e.Groups = append(e.Groups, "eks:kube-proxy-windows")
	return e
}

// forMap gives the entry as it is written: ARN without path, groups once each.
func (e Entry) forMap() (Entry, error) {
	arn, err := MappingARN(e.RoleARN)
	if err != nil {
		return Entry{}, err
	}
	groups := []string{}
	for _, g := range e.Groups {
		if !slices.Contains(groups, g) {
			groups = append(groups, g)
		}
	}
	return Entry{RoleARN: arn, Username: e.Username, Groups: groups}, nil
}

func (e Entry) role() Role {
	return Role{RoleARN: e.RoleARN, Username: e.Username, Groups: e.Groups}
}

// maps tells whether the authenticator uses the mapping for the entry's role.
func (e Entry) maps(r Role) bool { return strings.EqualFold(r.RoleARN, e.RoleARN) }

// missing lists the groups of want that have lacks, in want's order.
func missing(want, have []string) []string {
	var out []string
	for _, g := range want {
		if !slices.Contains(have, g) {
			out = append(out, g)
		}
	}
	return out
}
