package report

import (
	"slices"
	"testing"
)

func TestBrief(t *testing.T) {
	many := slices.Repeat([]string{"i-1"}, 5000)
	whole := Report{Findings: []Finding{{Status: Fail, Subjects: many}, {Status: Warn, Subjects: many}, {Status: Pass, Subjects: many}, {Status: Unknown, Subjects: many}, {Status: Pass, Subjects: many[:3]}}}
	brief := whole.Brief()
	for i, want := range []struct{ subjects, more int }{{5000, 0}, {5000, 0}, {20, 4980}, {20, 4980}, {3, 0}} {
		if f := brief.Findings[i]; len(f.Subjects) != want.subjects || f.More != want.more {
			t.Errorf("%d: %d subjects and %d more", i, len(f.Subjects), f.More)
		}
	}
	if len(whole.Findings[2].Subjects) != 5000 {
		t.Error("the report itself was cut")
	}
}
