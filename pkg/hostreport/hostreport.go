// Package hostreport is the document that node-agent writes and that every
// road brings home: a machine's facts, and what the agent found in them.
//
// Reading it is strict and bounded: whoever has root on a node can write what
// they like where the agent's answer is expected.
package hostreport

import (
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// The document's type.
const (
	APIVersion = product.PluginName + "/v1alpha1"
	Kind       = "HostReport"
)

// Bounds of a document, encoded.
const (
	MaxBytes = 64 << 10
	// MaxCompact is for narrow channels: SSM keeps 24,000 characters of a
	// command's output.
	MaxCompact = 16 << 10
)

// Document is one machine's report.
type Document struct {
	APIVersion   string        `json:"apiVersion"`
	Kind         string        `json:"kind"`
	AgentVersion string        `json:"agentVersion"`
	CollectedAt  time.Time     `json:"collectedAt"` // by the machine's clock
	Facts        snapshot.Host `json:"facts"`
	// Findings are the agent's own, for the person on the machine. Whoever
	// has the facts judges again: newer rules apply to older agents.
	Findings []report.Finding `json:"findings,omitempty"`
	// Trimmed names what was left out to keep within the bound.
	Trimmed []string `json:"trimmed,omitempty"`

	// Unknown are fields that this reader does not know, of a newer agent.
	Unknown []string `json:"-"`
}

// New makes the document of facts.
func New(agentVersion string, facts snapshot.Host, findings []report.Finding) *Document {
	return &Document{APIVersion: APIVersion, Kind: Kind, AgentVersion: agentVersion, CollectedAt: facts.CollectedAt, Facts: facts, Findings: findings}
}

// Node is the machine with its report, to be joined to the other views of it.
// instanceID is what the asker knows the machine by: a report's own word for
// it decides nothing.
func (d *Document) Node(instanceID string) snapshot.Node {
	facts := d.Facts
	return snapshot.Node{InstanceID: instanceID, Host: &facts}
}
