package daemon

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// ConditionType is the type of the Node condition. It is the product's own:
// Ready and the kubelet's other conditions are never touched.
const ConditionType = product.TagPrefix + "Healthy"

// Statuses of a condition.
const (
	True    = "True"
	False   = "False"
	Unknown = "Unknown"
)

// Reasons of the condition.
const (
	ReasonHealthy = "NothingFails"
	ReasonFails   = "ChecksFail"
	ReasonBlind   = "CouldNotLook"
)

// Condition is a Node condition.
type Condition struct {
	Type               string    `json:"type"`
	Status             string    `json:"status"`
	Reason             string    `json:"reason"`
	Message            string    `json:"message"`
	LastHeartbeatTime  time.Time `json:"lastHeartbeatTime"`
	LastTransitionTime time.Time `json:"lastTransitionTime"`
}

// maxNamed is how many checks a condition names.
const maxNamed = 5

// conditionOf is a verdict as a condition, without times: True when nothing
// fails, False when something does, Unknown when nothing does but something
// that was asked for could not be read.
//
// What it says up to the colon are the checks alone: numbers in a summary,
// which change with every look, do not make it another condition.
func conditionOf(verdict *report.Report) Condition {
	condition := Condition{Type: ConditionType, Status: True, Reason: ReasonHealthy, Message: "no check fails"}
	status := report.Fail
	switch {
	case verdict.Counts.Fail > 0:
		condition.Status, condition.Reason = False, ReasonFails
	case verdict.Counts.Unknown > 0:
		condition.Status, condition.Reason, status = Unknown, ReasonBlind, report.Unknown
	case verdict.Counts.Pass == 0:
		return Condition{Type: ConditionType, Status: Unknown, Reason: ReasonBlind, Message: "nothing could be read"}
	default:
		return condition
	}
	var names []string
	first := ""
	for i := range verdict.Findings {
		finding := &verdict.Findings[i]
		if finding.Status != status || finding.BlockedBy != "" || slices.Contains(names, finding.Check) {
			continue
		}
		if len(names) == 0 {
			first = finding.Summary
		}
		names = append(names, finding.Check)
	}
	condition.Message = strings.Join(names[:min(len(names), maxNamed)], ", ")
	if more := len(names) - maxNamed; more > 0 {
		condition.Message += fmt.Sprintf(" and %d more", more)
	}
	condition.Message += ": " + first
	return condition
}

// same reports whether two conditions say the same, whatever the times and
// the numbers in them.
func (c *Condition) same(other *Condition) bool {
	checks, _, _ := strings.Cut(c.Message, ":")
	others, _, _ := strings.Cut(other.Message, ":")
	return c.Status == other.Status && c.Reason == other.Reason && checks == others
}
