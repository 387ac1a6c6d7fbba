package nodegroup

import (
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Listed is one row of `list`.
type Listed struct {
	Name, Cluster, Tool, ASGName string
	Min, Desired, Max            int
	Ready                        int // Ready nodes of the group's instances
	InService                    int // instances that Auto Scaling counts on
	InstanceIDs                  []string
	InstanceTypes                []string
	ImageID                      string // "" while the group has no instance and its launch template was not read
	RoleARN                      string
	Mapping                      string // where the role is mapped: entry, aws-auth, both, none, ?
	MappingDetail                string
	CreatedAt                    time.Time
}

// The mapping states of a listed group.
const (
	mappedByEntry = "entry"
	mappedByMap   = "aws-auth"
	mappedNowhere = "none"
	mappedUnknown = "?"
)

// List makes the rows of all groups in a snapshot.
func List(snap *snapshot.Snapshot) []Listed {
	rows := make([]Listed, 0, len(snap.Groups))
	members := membersOf(snap)
	for i := range snap.Groups {
		group := &snap.Groups[i]
		row := Listed{
			Name: group.Name, Cluster: group.Cluster, Tool: group.Tool, ASGName: group.ASGName,
			Min: group.Min, Desired: group.Desired, Max: group.Max, InstanceIDs: group.InstanceIDs,
			InstanceTypes: group.Launch.InstanceTypes, ImageID: group.Launch.ImageID,
			RoleARN: RoleOf(snap, group), CreatedAt: group.CreatedAt,
		}
		row.InService = inService(group)
		for _, node := range members[group.ASGName] {
			if node.Kube != nil && node.Kube.Ready() {
				row.Ready++
			}
			if node.Cloud != nil && row.ImageID == "" {
				row.ImageID = node.Cloud.ImageID
			}
			if node.Cloud != nil && len(row.InstanceTypes) == 0 {
				row.InstanceTypes = []string{node.Cloud.Type}
			}
		}
		row.Mapping, row.MappingDetail = mappingState(snap, row.RoleARN)
		rows = append(rows, row)
	}
	return rows
}

// ListAll makes rows of the groups of all clusters, of which nothing is known
// but what Auto Scaling says.
func ListAll(snap *snapshot.Snapshot) []Listed {
	rows := make([]Listed, 0, len(snap.Groups))
	for i := range snap.Groups {
		group := &snap.Groups[i]
		rows = append(rows, Listed{
			Name: group.Name, Cluster: group.Cluster, Tool: group.Tool, ASGName: group.ASGName,
			Min: group.Min, Desired: group.Desired, Max: group.Max, InService: inService(group), InstanceIDs: group.InstanceIDs, CreatedAt: group.CreatedAt,
		})
	}
	return rows
}

func inService(group *snapshot.Group) int {
	n := 0
	for _, member := range group.Members {
		if member.Lifecycle == "InService" {
			n++
		}
	}
	return n
}

// membersOf sorts the machines by their Auto Scaling groups: looking for each
// group's among all of them would take groups times machines.
func membersOf(snap *snapshot.Snapshot) map[string][]*snapshot.Node {
	byID := make(map[string]*snapshot.Node, len(snap.Nodes))
	for i := range snap.Nodes {
		byID[snap.Nodes[i].InstanceID] = &snap.Nodes[i]
	}
	members := make(map[string][]*snapshot.Node, len(snap.Groups))
	for i := range snap.Groups {
		group := &snap.Groups[i]
		for _, id := range group.InstanceIDs {
			if node := byID[id]; node != nil {
				members[group.ASGName] = append(members[group.ASGName], node)
			}
		}
	}
	return members
}

// RoleOf returns the ARN of the role that a group's nodes have, "" when the
// snapshot does not tell: from the stack, the launch template or an instance.
func RoleOf(snap *snapshot.Snapshot, group *snapshot.Group) string {
	if group.Stack != nil && group.Stack.Outputs[outputRole] != "" {
		return group.Stack.Outputs[outputRole]
	}
	if group.Launch.RoleARN != "" {
		return group.Launch.RoleARN
	}
	profile := group.Launch.InstanceProfile
	for i := range snap.Nodes {
		node := &snap.Nodes[i]
		if profile == "" && node.Group == group.Name && node.Cloud != nil {
			profile = node.Cloud.InstanceProfile
		}
	}
	return roleInProfile(snap, profile)
}

// roleInProfile finds the role inside an instance profile, given by name or ARN.
func roleInProfile(snap *snapshot.Snapshot, profile string) string {
	for i := range snap.Roles {
		for _, arn := range snap.Roles[i].InstanceProfiles {
			if named(profile, arn, nameInARN(arn)) {
				return snap.Roles[i].ARN
			}
		}
	}
	return ""
}

// mappingState says where a role is let in, by what the cluster's mode reads.
func mappingState(snap *snapshot.Snapshot, roleARN string) (state, detail string) {
	if roleARN == "" {
		return mappedUnknown, "the nodes' role is not known"
	}
	mode := snap.Cluster.AuthMode
	if mode.ReadsEntries() {
		if gap, missing := snap.Gap(snapshot.SectionAccessEntries, ""); missing {
			return mappedUnknown, gap.Detail
		}
		for _, entry := range snap.Access.Entries {
			if entry.PrincipalARN == roleARN {
				return mappedByEntry, "access entry of the role"
			}
		}
	}
	if mode.ReadsAwsAuth() {
		if gap, missing := snap.Gap(snapshot.SectionAwsAuth, ""); missing {
			return mappedUnknown, gap.Detail
		}
		return mapState(snap.Access.AwsAuth, roleARN)
	}
	return mappedNowhere, "no access entry, and the cluster reads nothing else"
}

// mapState asks what adding the role to aws-auth would change: nothing means
// that it is there.
func mapState(awsAuth *snapshot.AwsAuth, roleARN string) (state, detail string) {
	if awsAuth == nil {
		return mappedNowhere, "there is no aws-auth"
	}
	edit, err := authmap.AddRole(awsAuth.Data, authmap.NodeEntry(roleARN))
	switch {
	case err != nil:
		return mappedUnknown, err.Error()
	case edit.Changed():
		return mappedNowhere, "aws-auth does not map the role"
	}
	return mappedByMap, "aws-auth maps the role"
}
