package nodegroup

import (
	"context"
	"fmt"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// EntryType is the access entry type of Linux nodes, Bottlerocket included.
const EntryType = "EC2_LINUX"

// MappingKind is where a cluster looks up who a node's role is.
type MappingKind string

// The kinds. Where a cluster reads both, the entry wins, so one is enough.
const (
	MapEntry   MappingKind = "access entry"
	MapAwsAuth MappingKind = "aws-auth"
)

// mappingKind follows the authentication mode: an entry wherever entries are
// read, the ConfigMap only where nothing else is.
func mappingKind(mode snapshot.AuthMode) MappingKind {
	if mode.ReadsEntries() {
		return MapEntry
	}
	return MapAwsAuth
}

// Mapping is the part of a plan that lets the nodes' role in.
type Mapping struct {
	Kind MappingKind `json:"kind"`
	// RoleARN is empty while the role is still to be made by the stack.
	RoleARN string `json:"roleARN,omitempty"`
	// Done is true when the role is mapped already.
	Done bool `json:"done"`
	// Diff shows the change of aws-auth, with a placeholder for a role that
	// is still to be made.
	Diff string `json:"diff,omitempty"`
}

// planMapping says how the role will be let in. A map that cannot be edited
// is an error now, before anything is made.
func planMapping(snap *snapshot.Snapshot, roleARN string) (Mapping, error) {
	mapping := Mapping{Kind: mappingKind(snap.Cluster.AuthMode), RoleARN: roleARN}
	if mapping.Kind == MapEntry {
		for _, entry := range snap.Access.Entries {
			if roleARN != "" && entry.PrincipalARN == roleARN && entry.Type == EntryType {
				mapping.Done = true
			}
		}
		return mapping, nil
	}
	if gap, missing := snap.Gap(snapshot.SectionAwsAuth, ""); missing {
		return mapping, fmt.Errorf("read aws-auth: %s", gap.Detail)
	}
	if roleARN == "" {
		roleARN = fmt.Sprintf("arn:%s:iam::%s:role/MADE-BY-THE-STACK", snap.Target.Partition, snap.Target.AccountID)
	}
	var data map[string]string
	if snap.Access.AwsAuth != nil {
		data = snap.Access.AwsAuth.Data
	}
	edit, err := authmap.AddRole(data, authmap.NodeEntry(roleARN))
	if err != nil {
		return mapping, fmt.Errorf("aws-auth: %w", err)
	}
	mapping.Done, mapping.Diff = !edit.Changed(), edit.Diff()
	return mapping, nil
}

// mapper lets a role in and puts it out again.
type mapper struct {
	entries  Entries
	awsAuth  AwsAuth
	progress Progress
}

// add maps a role; a role that is mapped already is left alone.
func (m *mapper) add(ctx context.Context, kind MappingKind, cluster, roleARN string, tags map[string]string) error {
	if kind == MapAwsAuth {
		change, err := m.awsAuth.AddNodeRole(ctx, roleARN)
		if err != nil {
			return fmt.Errorf("map %s in aws-auth: %w", roleARN, err)
		}
		m.reportChange(change, roleARN)
		return nil
	}
	entry, err := m.entries.AccessEntry(ctx, cluster, roleARN)
	if err != nil {
		return fmt.Errorf("describe the access entry of %s: %w", roleARN, err)
	}
	state := "there already"
	switch {
	case entry == nil:
		if err := m.entries.CreateAccessEntry(ctx, cluster, roleARN, EntryType, tags); err != nil {
			return fmt.Errorf("create the access entry of %s: %w", roleARN, err)
		}
		state = "created"
	case entry.Type != EntryType:
		return &WrongEntryError{Cluster: cluster, Entry: *entry}
	}
	m.progress.Report(Step{Topic: "mapping", Subject: "access entry " + EntryType, State: state, Detail: roleARN})
	return nil
}

// remove takes the mapping of a role away; one that is gone is no error.
func (m *mapper) remove(ctx context.Context, kind MappingKind, cluster, roleARN string) error {
	if kind == MapAwsAuth {
		change, err := m.awsAuth.RemoveNodeRole(ctx, roleARN)
		if err != nil {
			return fmt.Errorf("take %s out of aws-auth: %w", roleARN, err)
		}
		m.reportChange(change, roleARN)
		return nil
	}
	entry, err := m.entries.AccessEntry(ctx, cluster, roleARN)
	if err != nil {
		return fmt.Errorf("describe the access entry of %s: %w", roleARN, err)
	}
	state := "gone already"
	switch {
	case entry != nil && entry.Type == EntryType:
		if err := m.entries.DeleteAccessEntry(ctx, cluster, roleARN); err != nil {
			return fmt.Errorf("delete the access entry of %s: %w", roleARN, err)
		}
		state = "deleted"
	case entry != nil:
		state = "kept: type " + entry.Type + " is not ours"
	}
	m.progress.Report(Step{Topic: "mapping", Subject: "access entry " + EntryType, State: state, Detail: roleARN})
	return nil
}

func (m *mapper) reportChange(change MapChange, roleARN string) {
	state := change.Action
	if !change.Changed {
		state = "nothing to change"
	}
	m.progress.Report(Step{Topic: "mapping", Subject: "aws-auth", State: state, Detail: roleARN})
	for _, note := range change.Notes {
		m.progress.Report(Step{Topic: "mapping", Subject: "aws-auth", State: "note", Detail: note})
	}
	if change.Diff != "" {
		m.progress.Report(Step{Topic: "diff", Detail: change.Diff})
	}
	if change.Backup != "" {
		m.progress.Report(Step{Topic: "mapping", Subject: "aws-auth", State: "backup", Detail: change.Backup})
	}
}

// WrongEntryError says that a role has an access entry by which no node can
// join. The type of an entry cannot be changed, and the entry is somebody
// else's, so it is left alone.
type WrongEntryError struct {
	Cluster string
	Entry   snapshot.AccessEntry
}

// Error names the entry and the way out.
func (e *WrongEntryError) Error() string {
	return fmt.Sprintf("the access entry of %s has type %s, nodes join by %s only: delete it if nobody needs it "+
		"(aws eks delete-access-entry --cluster-name %s --principal-arn %s), then run the same command again",
		e.Entry.PrincipalARN, e.Entry.Type, EntryType, e.Cluster, e.Entry.PrincipalARN)
}
