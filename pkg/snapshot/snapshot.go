// Package snapshot holds the facts that checks judge: plain data, read once,
// from three views of every machine (cloud, Kubernetes, the machine itself).
//
// Nothing here does IO and nothing here is an SDK type: a snapshot can be
// saved, mailed, and judged tomorrow by somebody without access. A fact that
// could not be read is a Gap, never a zero value that looks like an answer.
package snapshot

import (
	"cmp"
	"slices"
	"time"
)

// Snapshot is everything one command has read.
type Snapshot struct {
	// CollectedAt is "now" for every judgement: ages and expiries are
	// measured against it, never against the wall clock.
	CollectedAt time.Time `json:"collectedAt"`

	Target  Target   `json:"target"`
	Cluster *Cluster `json:"cluster,omitempty"` // SectionCluster
	Access  Access   `json:"access"`            // SectionAccessEntries, SectionAwsAuth
	Network Network  `json:"network"`           // SectionSubnets and the other network sections
	Catalog Catalog  `json:"catalog"`           // what AWS offers: types, images, quotas, key pairs
	Roles   []Role   `json:"roles,omitempty"`   // SectionRoles: node roles by ARN
	// Profiles are the instance profiles that were looked for, SectionRoles.
	Profiles []InstanceProfile `json:"profiles,omitempty"`
	// ClusterRole is the role that EKS acts with, SectionClusterRole.
	ClusterRole *Role `json:"clusterRole,omitempty"`
	// CNIRole is the role of the VPC CNI's service account, nil when it has
	// none, and OIDCProviders are the issuers that the account trusts
	// (without https://); SectionCNIRole.
	CNIRole       *Role    `json:"cniRole,omitempty"`
	OIDCProviders []string `json:"oidcProviders,omitempty"`
	Kube          Kube     `json:"kube"` // the cluster's own API

	Stacks []Stack `json:"stacks,omitempty"` // SectionStacks: the stacks that were asked for and exist
	Groups []Group `json:"groups,omitempty"` // SectionGroups, SectionLaunch, SectionActivities
	Nodes  []Node  `json:"nodes,omitempty"`  // joined by instance id

	Gaps []Gap `json:"gaps,omitempty"`
}

// Gap says that a section, or one subject of it, could not be read and why.
type Gap struct {
	Section Section `json:"section"`
	// Subject narrows the gap to one thing (an instance id, a role's ARN);
	// empty means the whole section.
	Subject string    `json:"subject,omitempty"`
	Reason  GapReason `json:"reason"`
	// Detail is one line for people: "access denied: eks:ListAccessEntries".
	Detail string `json:"detail"`
	// Fix is a command or a permission that would fill the gap, if known.
	Fix string `json:"fix,omitempty"`
}

// GapReason classifies why a fact is missing.
type GapReason string

// The reasons a fact can be missing.
const (
	GapDenied      GapReason = "denied"      // the caller may not read it
	GapThrottled   GapReason = "throttled"   // AWS asked us to slow down until the deadline
	GapTimeout     GapReason = "timeout"     // the deadline of the source passed
	GapUnreachable GapReason = "unreachable" // no answer: network, DNS, TLS
	GapNotAsked    GapReason = "not-asked"   // the command had no use for it; its checks do not apply
	GapAbsent      GapReason = "absent"      // the thing itself does not exist
	GapInvalid     GapReason = "invalid"     // an answer came but could not be understood
	GapOther       GapReason = "other"
)

// Target is what the user pointed at, before anything was read.
type Target struct {
	Context     string `json:"context,omitempty"` // kubeconfig context
	ClusterName string `json:"clusterName,omitempty"`
	Region      string `json:"region,omitempty"`
	Partition   string `json:"partition,omitempty"` // aws, aws-cn, aws-us-gov …
	AccountID   string `json:"accountID,omitempty"` // 12 digits, from the cluster's ARN
	Server      string `json:"server,omitempty"`    // API server URL of the kubeconfig
	// ServerCA is the PEM bundle of the kubeconfig, empty when it uses the
	// system's roots.
	ServerCA string `json:"serverCA,omitempty"`
}

// Gap returns the gap of a section (whole, or for the subject), if there is one.
func (s *Snapshot) Gap(section Section, subject string) (Gap, bool) {
	for _, gap := range s.Gaps {
		if gap.Section == section && (gap.Subject == "" || gap.Subject == subject) {
			return gap, true
		}
	}
	return Gap{}, false
}

// Role returns the node role with the ARN (exact match), or nil.
func (s *Snapshot) Role(arn string) *Role {
	for i := range s.Roles {
		if s.Roles[i].ARN == arn {
			return &s.Roles[i]
		}
	}
	return nil
}

// Group returns the group with the name, or nil.
func (s *Snapshot) Group(name string) *Group {
	for i := range s.Groups {
		if s.Groups[i].Name == name {
			return &s.Groups[i]
		}
	}
	return nil
}

// Stack returns the stack with the name, or nil.
func (s *Snapshot) Stack(name string) *Stack {
	for i := range s.Stacks {
		if s.Stacks[i].Name == name {
			return &s.Stacks[i]
		}
	}
	return nil
}

// AddNodes joins one side's view of machines to the others by instance id.
// A node without an instance id (not an EC2 machine, or a Node object whose
// providerID is not set yet) stays a row of its own. The slice is replaced,
// not changed, so that earlier copies of the snapshot stay as they were.
func (s *Snapshot) AddNodes(added ...Node) {
	nodes := slices.Clone(s.Nodes)
	at := make(map[string]int, len(nodes)+len(added))
	for i := range nodes {
		at[nodes[i].InstanceID] = i
	}
	for _, node := range added {
		if node.Host != nil && node.Host.Logs != nil {
			node.Logs = joinLogs(node.Logs, node.Host.Logs.Seen)
		}
		i, known := at[node.InstanceID]
		if !known || node.InstanceID == "" {
			at[node.InstanceID] = len(nodes)
			nodes = append(nodes, node)
			continue
		}
		have := &nodes[i]
		have.Group = cmp.Or(have.Group, node.Group)
		have.Warm = have.Warm || node.Warm
		have.Cloud = cmp.Or(have.Cloud, node.Cloud)
		have.Kube = cmp.Or(have.Kube, node.Kube)
		have.Console = cmp.Or(have.Console, node.Console)
		have.Status = cmp.Or(have.Status, node.Status)
		have.Logs = joinLogs(have.Logs, node.Logs)
		have.UserData = cmp.Or(have.UserData, node.UserData)
		have.Host = cmp.Or(have.Host, node.Host)
	}
	// Sources answer in any order; what is printed must not depend on it.
	slices.SortStableFunc(nodes, func(a, b Node) int {
		if a.InstanceID == "" || b.InstanceID == "" { // those without an id come last
			return cmp.Compare(b.InstanceID, a.InstanceID)
		}
		return cmp.Compare(a.InstanceID, b.InstanceID)
	})
	s.Nodes = nodes
}
