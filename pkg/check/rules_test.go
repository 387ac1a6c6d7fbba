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
	return slices.Concat(joinRows(), authRuleRows(), iamRuleRows(), bootRuleRows(), lineRuleRows(), launchRuleRows(), netRuleRows(), nodeRuleRows(), cniRuleRows(), cniSetupRows(), cniEventRows(), capacityRows(), clusterRoleRows(), hostRuleRows())
}

// only leaves the check with the id.
func only(checks []Check, id string) []Check {
	return slices.DeleteFunc(slices.Clone(checks), func(c Check) bool { return c.ID != id })
}

// TestRules breaks one thing of a healthy cluster at a time.
func TestRules(t *testing.T) {
	for _, row := range ruleRows() {
		t.Run(row.check+"/"+row.name, func(t *testing.T) {
			got := Run(snapshottest.Healthy(row.edits...), only(All(), row.check)).Findings
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

// brokenRow is a row that breaks something, and what is run over it.
type brokenRow struct {
	ruleRow
	checks []Check
}

// brokenRows are the failing rows of every check, keyed by its id; for a check
// that never fails, those that warn.
func brokenRows() map[string][]brokenRow {
	all := map[string][]brokenRow{}
	for _, row := range ruleRows() {
		all[row.check] = append(all[row.check], brokenRow{row, Standing()})
	}
	for _, row := range preflightRows() {
		edits := append([]snapshottest.Edit{snapshottest.Proposed}, row.edits...)
		all[row.check] = append(all[row.check], brokenRow{ruleRow{row.check, row.name, edits, row.want, row.summary}, Preflight()})
	}
	for id, rows := range all {
		worst := report.Warn
		if slices.ContainsFunc(rows, func(r brokenRow) bool { return r.want == report.Fail }) {
			worst = report.Fail
		}
		all[id] = slices.DeleteFunc(rows, func(r brokenRow) bool { return r.want != worst })
	}
	return all
}

// behind are the rows that do not come first, with the check that does: the
// cause that explains them, or a fault that the edit cannot do without.
func behind() map[string]string {
	return map[string]string{
		// Warnings block nothing: the machine that did not join stays a failure.
		"boot.nodeadm-stale-cache/nodeadm-cached-config": "node.absent",
		"auth.sts-throttled/authn-sts-throttled":         "node.absent",
		// A subnet without a way out does not reach AWS's APIs, which come first.
		"net.private-access/neither":                          "net.endpoints",
		"net.private-access/public subnet without an address": "net.endpoints",
		// An ACL that keeps the control plane out keeps everybody out.
		"net.acl-control-plane/the machine's is closed to all but itself": "net.acl-out",
	}
}

// TestBrokenComesFirst: whatever is broken, its own check is the first cause
// that is named, or is folded under the one that is, or stands behind a named
// fault that comes earlier on the way into the cluster.
func TestBrokenComesFirst(t *testing.T) {
	rows := brokenRows()
	cases := 0
	for _, check := range All() {
		if len(rows[check.ID]) == 0 {
			t.Errorf("%s has no failing case", check.ID)
		}
		for _, row := range rows[check.ID] {
			cases++
			verdict := Run(snapshottest.Healthy(row.edits...), row.checks)
			first := verdict.Findings[0]
			want := row.check
			if other, named := behind()[row.check+"/"+row.name]; named {
				want = other
			}
			if first.Check != want || first.Status != row.want && want == row.check {
				t.Errorf("%s/%s: first is %s %s: %s", row.check, row.name, first.Status, first.Check, first.Summary)
			}
			if want == row.check {
				continue
			}
			if !slices.ContainsFunc(findings(verdict, row.check), func(f report.Finding) bool { return f.Status == row.want }) {
				t.Errorf("%s/%s: it is not told of", row.check, row.name)
			}
		}
	}
	t.Logf("%d cases of %d checks", cases, len(All()))
}
