// Package report is the form in which verdicts leave the product: versioned,
// plain, the same words in both binaries and in every output format.
package report

import (
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

// APIVersion of the documents in this package.
const APIVersion = product.PluginName + "/v1alpha1"

// Report is what a judgement ends in.
type Report struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"` // Report
	Cluster    string `json:"cluster,omitempty"`
	Region     string `json:"region,omitempty"`
	// CollectedAt is when the facts were read.
	CollectedAt time.Time `json:"collectedAt,omitzero"`
	Machines    Machines  `json:"machines,omitzero"`
	Findings    []Finding `json:"findings"` // in verdict order, causes first
	Counts      Counts    `json:"counts"`
}

// Machines counts the machines that were judged.
type Machines struct {
	Total      int `json:"total"`
	Registered int `json:"registered"` // have a Node object
	Ready      int `json:"ready"`
}

// Kind says what the subjects of a finding are.
type Kind string

// The kinds of subjects.
const (
	KindCluster Kind = "cluster"
	KindGroup   Kind = "group"
	KindMachine Kind = "machine"
)

// Counts says how many findings have each status.
type Counts struct {
	Pass    int `json:"pass"`
	Warn    int `json:"warn"`
	Fail    int `json:"fail"`
	Unknown int `json:"unknown"`
}

// Status is the outcome of one check. Not applicable is not a status: such a
// check leaves no finding.
type Status string

// The statuses. Unknown is the engine's to say: a needed fact is missing.
const (
	Pass    Status = "pass"
	Warn    Status = "warn"
	Fail    Status = "fail"
	Unknown Status = "unknown"
)

// Confidence says how much a finding proves; it is set in the rule.
type Confidence string

// The confidences.
const (
	Certain  Confidence = "certain"  // the fact itself proves it
	Likely   Confidence = "likely"   // the facts fit nothing else that is common
	Possible Confidence = "possible" // the facts allow it
)

// Finding is one verdict about one subject.
type Finding struct {
	Check      string     `json:"check"` // auth.entry-stale-role
	Title      string     `json:"title"`
	Status     Status     `json:"status"`
	Confidence Confidence `json:"confidence,omitempty"`
	// Subjects are the machines, groups or the cluster it is about, sorted;
	// equal findings about many subjects are one.
	Subjects []string `json:"subjects,omitempty"`
	// More is how many subjects there are besides those listed.
	More int  `json:"more,omitempty"`
	Kind Kind `json:"kind,omitempty"`
	// Of is how many such subjects the check was asked about.
	Of int `json:"of,omitempty"`
	// Link is the link of the join chain that the check looks at.
	Link string `json:"link,omitempty"`
	// Summary is one line, lower case, no full stop, values as the user would type them.
	Summary string `json:"summary"`
	// Evidence quotes the facts, one per line, with where they were read.
	Evidence []Evidence `json:"evidence,omitempty"`
	Fix      Fix        `json:"fix,omitzero"`
	Refs     []string   `json:"refs,omitempty"` // documentation URLs
	// BlockedBy is the check whose failure explains this one.
	BlockedBy string `json:"blockedBy,omitempty"`
}

// Evidence is one fact with its source.
type Evidence struct {
	Source string `json:"source"` // "eks:DescribeCluster", "node condition Ready"
	Fact   string `json:"fact"`
	// Road is by which the machine's own word came home: console, ssm, ssh;
	// "" for what AWS or the cluster say, and for files.
	Road string `json:"road,omitempty"`
}

// Fix says what to do.
type Fix struct {
	Summary string `json:"summary,omitempty"`
	// Diff shows what to change in a text, unified; Commands tell how.
	Diff     string   `json:"diff,omitempty"`
	Commands []string `json:"commands,omitempty"` // each can be pasted into a shell
}

// Failed reports whether any finding has status Fail.
func (r *Report) Failed() bool { return r.Counts.Fail > 0 }

// Count fills Counts from Findings.
func (r *Report) Count() {
	r.Counts = Counts{}
	for _, finding := range r.Findings {
		switch finding.Status {
		case Pass:
			r.Counts.Pass++
		case Warn:
			r.Counts.Warn++
		case Fail:
			r.Counts.Fail++
		case Unknown:
			r.Counts.Unknown++
		}
	}
}
