package authmap

import (
	"fmt"
	"maps"
)

// Action says what an edit does to mapRoles.
type Action string

// The actions of AddRole and RemoveRole.
const (
	// ActionNone leaves the map as it is.
	ActionNone Action = "none"
	// ActionAdded adds the entry.
	ActionAdded Action = "added"
	// ActionMerged adds groups to the entry that maps the role already.
	ActionMerged Action = "merged"
	// ActionRemoved removes the entry.
	ActionRemoved Action = "removed"
	// ActionTrimmed removes our groups from an entry that has others as well.
	ActionTrimmed Action = "trimmed"
)

// Edit is the outcome of AddRole or RemoveRole. Nothing is written by it.
type Edit struct {
	// Data is the ConfigMap's data after the edit: a copy, in which only
	// mapRoles differs.
	Data map[string]string
	// Action says what was done.
	Action Action
	// Line is the line of mapRoles, from 1, at which the entry stands: after
	// the edit, or before it when the entry is removed. 0 when there is none.
	Line int
	// Groups are those merged or trimmed.
	Groups []string
	// Notes tell the user what else was seen, one sentence each.
	Notes []string

	before map[string]string
}

// Changed tells whether the edit changes anything.
func (e Edit) Changed() bool { return e.Action != ActionNone }

// Diff shows the change of mapRoles as a unified diff; empty when there is
// none.
func (e Edit) Diff() string { return Diff(e.before[KeyRoles], e.Data[KeyRoles]) }

func unchanged(data map[string]string) Edit {
	return Edit{Data: maps.Clone(data), before: data, Action: ActionNone}
}

// with is the edit's data with another text of mapRoles.
func withRoles(data map[string]string, text string) map[string]string {
	out := maps.Clone(data)
	if out == nil {
		out = map[string]string{}
	}
	out[KeyRoles] = text
	return out
}

// ParseError means that the authenticator cannot read a key's text, so that
// nothing of it counts. It must be repaired by hand.
type ParseError struct {
	Key    string
	Line   int
	Reason string
}

func (e *ParseError) Error() string {
	return fmt.Sprintf("%s line %d: %s: the authenticator reads nothing of it; repair it first", e.Key, e.Line, e.Reason)
}

// ConflictError means that the role is mapped in a way that an edit would have
// to overrule.
type ConflictError struct {
	RoleARN string
	// Line is where mapRoles maps the role, from 1.
	Line   int
	Reason string
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s line %d maps %s already: %s", KeyRoles, e.Line, e.RoleARN, e.Reason)
}

// LayoutError means that no way was found to make the edit without touching
// anything else, for instance within an anchor that other entries share.
type LayoutError struct {
	Line   int
	Reason string
}

func (e *LayoutError) Error() string {
	return fmt.Sprintf("%s line %d: %s; edit it by hand", KeyRoles, max(e.Line, 1), e.Reason)
}
