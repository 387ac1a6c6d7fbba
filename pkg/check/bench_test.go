package check

import (
	"fmt"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

// BenchmarkJudge judges a group of n machines, all Ready or none let in. It
// should take ten times as long for ten times as many.
func BenchmarkJudge(b *testing.B) {
	for name, edits := range map[string][]snapshottest.Edit{"ready": nil, "unmapped": {snapshottest.Unmapped}} {
		for _, n := range []int{10, 100, 1000, 5000} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				snap, checks := snapshottest.Fleet(n, edits...), Standing()
				b.ReportAllocs()
				for b.Loop() {
					Run(snap, checks)
				}
			})
		}
	}
}

// TestManyMachinesOneCause: a thousand machines with one cause are one
// finding, and what follows from it another.
func TestManyMachinesOneCause(t *testing.T) {
	for _, n := range []int{10, 1000} {
		verdict := Run(snapshottest.Fleet(n, snapshottest.Unmapped), Standing())
		var causes []string
		for _, finding := range verdict.Findings {
			if finding.Status == report.Fail && finding.BlockedBy == "" {
				causes = append(causes, finding.Check)
				if len(finding.Subjects) != n || finding.Of != n {
					t.Errorf("%s on %d of %d", finding.Check, len(finding.Subjects), finding.Of)
				}
			}
		}
		if len(causes) != 1 || causes[0] != "auth.role-not-mapped" {
			t.Errorf("%d machines: causes %v", n, causes)
		}
		if len(verdict.Findings) > len(Standing())+20 {
			t.Errorf("%d machines: %d findings", n, len(verdict.Findings))
		}
	}
	if verdict := Run(snapshottest.Fleet(1000), Standing()); verdict.Counts.Fail+verdict.Counts.Warn+verdict.Counts.Unknown > 0 {
		t.Errorf("a healthy fleet: %+v", verdict.Counts)
		for _, finding := range verdict.Findings {
			if finding.Status != report.Pass {
				t.Errorf("%s %s %s", finding.Status, finding.Check, finding.Summary)
			}
		}
	}
}
