package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// ClusterAdmin is the access policy that stands for system:masters.
const ClusterAdmin = "AmazonEKSClusterAdminPolicy"

// Migration is the way from aws-auth to access entries, step by step.
type Migration struct {
	Cluster string            `json:"cluster"`
	From    snapshot.AuthMode `json:"from"`
	To      snapshot.AuthMode `json:"to"`
	Steps   []MigrationStep   `json:"steps"`
	// Left are mappings that no access entry can take over. They go on working
	// until the mode is API, and not after.
	Left []LeftBehind `json:"left,omitempty"`
	// Idle are mappings that let nobody in today, and are not taken over.
	Idle []LeftBehind `json:"idle,omitempty"`
}

// MigrationStep is one step: a change of the mode, or an access entry.
type MigrationStep struct {
	Mode   snapshot.AuthMode     `json:"mode,omitempty"`
	OneWay bool                  `json:"oneWay,omitempty"` // EKS never goes back
	Entry  *snapshot.AccessEntry `json:"entry,omitempty"`
	// Made means that the entry is there and lacks its policies only: an
	// earlier run was stopped in between.
	Made bool `json:"made,omitempty"`
	// Takes is where aws-auth has what the entry takes over.
	Takes string   `json:"takes,omitempty"`
	Notes []string `json:"notes,omitempty"`
}

// LeftBehind is a mapping that is not taken over, and why.
type LeftBehind struct {
	Place     string `json:"place"`
	Principal string `json:"principal,omitempty"`
	Reason    string `json:"reason"`
}

// PlanMigration plans the way to a mode: API_AND_CONFIG_MAP, where an entry
// wins and aws-auth stays in force for all others, or API, where aws-auth is no
// longer read. Mappings that have an entry already are done.
func (v View) PlanMigration(to snapshot.AuthMode) Migration {
	m := Migration{Cluster: v.Snap.Cluster.Name, From: v.mode(), To: to}
	if m.From == snapshot.AuthConfigMap {
		m.Steps = append(m.Steps, MigrationStep{Mode: snapshot.AuthAPIAndConfigMap, OneWay: true})
	}
	if m.From == snapshot.AuthAPI {
		m.To = m.From
		return m
	}
	planned := map[string]bool{}
	for _, row := range slices.Backward(v.Rows()) { // of several mappings the last counts
		if row.Source == authmap.SourceEntry {
			continue
		}
		left := LeftBehind{Place: rowPlace(row), Principal: row.Principal}
		switch {
		case planned[bareARN(row.Principal)]:
			continue
		case v.entryOf(row.Principal) != nil:
			planned[bareARN(row.Principal)] = true
			if step, lacks := v.lackingPolicies(row); lacks {
				m.Steps = append(m.Steps, step)
			}
			continue
		case row.Source == authmap.SourceAccounts:
			left.Reason = "access entries name one principal each, not an account"
			m.Left = append(m.Left, left)
			continue
		case row.State != StateOK && row.State != StateWrong:
			left.Reason = strings.Join(row.Problems, "; ")
			m.Idle = append(m.Idle, left)
			continue
		}
		step, reason := v.entryFor(row)
		if reason != "" {
			left.Reason = reason
			m.Left = append(m.Left, left)
			continue
		}
		planned[bareARN(row.Principal)] = true
		m.Steps = append(m.Steps, step)
	}
	m.inOrder()
	if to == snapshot.AuthAPI {
		m.Steps = append(m.Steps, MigrationStep{Mode: snapshot.AuthAPI, OneWay: true})
	}
	return m
}

// inOrder puts what was found backwards into the order of the text.
func (m *Migration) inOrder() {
	first := 0
	if len(m.Steps) > 0 && m.Steps[0].OneWay {
		first = 1
	}
	slices.Reverse(m.Steps[first:])
	slices.Reverse(m.Left)
	slices.Reverse(m.Idle)
}

func rowPlace(row Row) string {
	if row.Line > 0 {
		return fmt.Sprintf("%s line %d", row.Source, row.Line)
	}
	return string(row.Source)
}

func bareARN(arn string) string {
	if bare, err := authmap.StripPath(arn); err == nil {
		return strings.ToLower(bare)
	}
	return strings.ToLower(arn)
}

// entryOf is the principal's access entry, or nil.
func (v View) entryOf(principal string) *snapshot.AccessEntry {
	for i := range v.Snap.Access.Entries {
		if entry := &v.Snap.Access.Entries[i]; bareARN(entry.PrincipalARN) == bareARN(principal) {
			return entry
		}
	}
	return nil
}

// lackingPolicies finds an entry that is as the mapping wants it, but has no
// policy yet.
func (v View) lackingPolicies(row Row) (step MigrationStep, lacks bool) {
	have := v.entryOf(row.Principal)
	step, reason := v.entryFor(row)
	if reason != "" || len(step.Entry.Policies) == 0 || len(have.Policies) > 0 || have.Type != step.Entry.Type || have.Username != step.Entry.Username {
		return step, false
	}
	step.Made = true
	return step, true
}

// entryFor is the access entry that takes a mapping over, or the reason why
// none can.
func (v View) entryFor(row Row) (step MigrationStep, reason string) {
	entry := &snapshot.AccessEntry{PrincipalARN: row.Principal}
	step = MigrationStep{Entry: entry, Takes: rowPlace(row)}
	if strings.Contains(row.Principal, ":role/") {
		if role := v.role(row.Principal); role != nil {
			entry.PrincipalARN = role.ARN // with its path
		} else {
			step.Notes = append(step.Notes, "IAM was not asked about the role: if it has a path, EKS refuses the entry")
		}
	}
	if strings.HasPrefix(row.Username, nodePrefix) {
		entry.Type, reason = machineType(row)
		if reason == "" && !v.own(row.Principal) {
			reason = "entries for machines must name a role of the cluster's account"
		}
		return step, reason
	}
	entry.Type, entry.Username = "STANDARD", row.Username
	if reason := refusedUsername(row.Username); reason != "" {
		return step, reason
	}
	for _, group := range row.Groups {
		switch {
		case group == "system:masters":
			entry.Policies = []string{ClusterAdmin}
			step.Notes = append(step.Notes, "system:masters becomes the access policy "+ClusterAdmin)
		case reserved(group):
			return step, fmt.Sprintf("EKS refuses the group %s in access entries: bind another group to the same roles first", group)
		case strings.Contains(group, "{{"):
			return step, fmt.Sprintf("the group %s has a template, which access entries do not fill in", group)
		default:
			entry.Groups = append(entry.Groups, group)
		}
	}
	return step, ""
}

// machineType is the type of entry whose machines become what the mapping
// makes of them: "Create access entries",
// https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html.
func machineType(row Row) (kind, reason string) {
	has := func(group string) bool { return slices.Contains(row.Groups, group) }
	for _, group := range row.Groups {
		if !slices.Contains([]string{"system:bootstrappers", nodesGroup, "system:node-proxier", "eks:kube-proxy-windows"}, group) {
			return "", fmt.Sprintf("machines are also in the group %s, which no type of access entry gives", group)
		}
	}
	switch {
	case !has(nodesGroup):
		return "", "its machines are not in the group " + nodesGroup + ": repair it first"
	case row.Username == authmap.NodeUsername && has("eks:kube-proxy-windows"):
		return "EC2_WINDOWS", ""
	case row.Username == authmap.NodeUsername && !has("system:node-proxier"):
		return "EC2_LINUX", ""
	case row.Username == nodePrefix+"{{SessionName}}" && has("system:node-proxier"):
		return "FARGATE_LINUX", ""
	}
	return "", fmt.Sprintf("no type of access entry makes machines the user %s in these groups", row.Username)
}

// refusedUsername tells why EKS does not take a username: "Set a custom
// username for EKS access entries",
// https://docs.aws.amazon.com/eks/latest/userguide/set-custom-username.html.
func refusedUsername(username string) string {
	if reserved(username) {
		return fmt.Sprintf("EKS refuses the username %s in access entries", username)
	}
	for _, template := range []string{"{{EC2PrivateDNSName}}", "{{AccessKeyID}}"} {
		if strings.Contains(username, template) {
			return fmt.Sprintf("the username has %s, which access entries do not fill in", template)
		}
	}
	if i := strings.Index(username, "{{SessionName"); i >= 0 && !strings.Contains(username[:i], ":") {
		return "EKS wants a colon before {{SessionName}} in a username"
	}
	return ""
}

// reserved reports whether EKS keeps a name of an access entry to itself.
func reserved(name string) bool {
	for _, prefix := range []string{"system:", "eks:", "aws:", "amazon:", "iam:"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
