package daemon

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// verdictOf is a report with these findings.
func verdictOf(findings ...report.Finding) *report.Report {
	verdict := &report.Report{Findings: findings}
	for _, f := range findings {
		switch f.Status {
		case report.Pass:
			verdict.Counts.Pass++
		case report.Warn:
			verdict.Counts.Warn++
		case report.Fail:
			verdict.Counts.Fail++
		case report.Unknown:
			verdict.Counts.Unknown++
		}
	}
	return verdict
}

func finding(check string, status report.Status, summary string) report.Finding {
	return report.Finding{Check: check, Status: status, Summary: summary}
}

func TestConditionOf(t *testing.T) {
	pass, fail := finding("a.pass", report.Pass, "well"), finding("b.fail", report.Fail, "it is 5 minutes off")
	blocked := report.Finding{Check: "c.blocked", Status: report.Fail, Summary: "follows", BlockedBy: "b.fail"}
	unknown := finding("d.unknown", report.Unknown, "permission denied")
	many := []report.Finding{fail}
	for _, name := range []string{"c.1", "c.2", "c.2", "c.3", "c.4", "c.5", "c.6"} {
		many = append(many, finding(name, report.Fail, "too"))
	}
	for name, test := range map[string]struct {
		verdict *report.Report
		want    Condition
	}{
		"healthy":            {verdictOf(pass), Condition{Status: True, Reason: ReasonHealthy, Message: "no check fails"}},
		"warned":             {verdictOf(pass, finding("w", report.Warn, "soon")), Condition{Status: True, Reason: ReasonHealthy, Message: "no check fails"}},
		"fails":              {verdictOf(pass, fail, blocked), Condition{Status: False, Reason: ReasonFails, Message: "b.fail: it is 5 minutes off"}},
		"unknown":            {verdictOf(pass, unknown), Condition{Status: Unknown, Reason: ReasonBlind, Message: "d.unknown: permission denied"}},
		"fails, and unknown": {verdictOf(unknown, fail), Condition{Status: False, Reason: ReasonFails, Message: "b.fail: it is 5 minutes off"}},
		"nothing read":       {verdictOf(), Condition{Status: Unknown, Reason: ReasonBlind, Message: "nothing could be read"}},
		"many":               {verdictOf(many...), Condition{Status: False, Reason: ReasonFails, Message: "b.fail, c.1, c.2, c.3, c.4 and 2 more: it is 5 minutes off"}},
	} {
		test.want.Type = ConditionType
		if diff := cmp.Diff(test.want, conditionOf(test.verdict)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestSameCondition(t *testing.T) {
	five, six := conditionOf(verdictOf(finding("clock", report.Fail, "5 minutes off"))), conditionOf(verdictOf(finding("clock", report.Fail, "6 minutes off")))
	other := conditionOf(verdictOf(finding("disk", report.Fail, "full")))
	well := conditionOf(verdictOf(finding("disk", report.Pass, "well")))
	if !five.same(&six) {
		t.Error("a number in the words makes another condition")
	}
	if five.same(&other) || five.same(&well) {
		t.Error("conditions are not told apart")
	}
}
