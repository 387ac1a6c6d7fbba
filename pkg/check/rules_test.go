package check

import (
	"slices"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

// ruleRow is one edit of the healthy cluster and what one rule says of it.
type ruleRow struct {
	check, name string
	edits       []snapshottest.Edit
	want        report.Status
	summary     string // part of the finding's summary
}

// ruleRows are the rows of all families, one function each.
func ruleRows() []ruleRow {
	return slices.Concat(joinRows(), authRuleRows(), iamRuleRows(), bootRuleRows(), lineRuleRows(), launchRuleRows(), netRuleRows(), nodeRuleRows(), cniRuleRows(), hostRuleRows())
}

// TestRules breaks one thing of a healthy cluster at a time.
func TestRules(t *testing.T) {
	for _, row := range ruleRows() {
		t.Run(row.check+"/"+row.name, func(t *testing.T) {
			got := findings(Run(snapshottest.Healthy(row.edits...), All()), row.check)
			for _, finding := range got {
				if finding.Status == row.want && strings.Contains(finding.Summary, row.summary) {
					if finding.Confidence == "" && row.want != report.Unknown || len(finding.Evidence) == 0 {
						t.Errorf("finding without confidence or evidence: %+v", finding)
					}
					if (row.want == report.Warn || row.want == report.Fail) && finding.Fix.Summary == "" {
						t.Errorf("finding without fix: %+v", finding)
					}
					return
				}
			}
			t.Errorf("got %+v, want %s %q", got, row.want, row.summary)
		})
	}
}
