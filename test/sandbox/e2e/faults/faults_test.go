package faults

import (
	"fmt"
	"slices"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// fault is one thing that is broken for real.
type fault struct {
	name string // for people: neither AWS nor the cluster nor the doctor sees it
	// want is the check that must come first; a pair has the second as well.
	want []string
	// road is by which the machine's own word must come home; "" where it does
	// not matter. asks are further arguments of the doctor's.
	road string
	asks []string
	// breaks makes the group of the name with the fault, and returns when it
	// has shown: its machine has failed, not only not joined yet. mend, unless
	// nil, takes the fault away and waits until the machine joins, which proves
	// that what was broken was the cause.
	breaks func(t *testing.T, w *world, group string) (mend func())
}

// sideBySide are the faults that share nothing.
func sideBySide(t *testing.T) []fault {
	return slices.Concat(kubeFaults(), mappingFaults(), bootFaults(otherAuthority(t)), kubeletFaults(), credentialFaults(), networkFaults(), launchFaults(), unreachableFaults(), pairs())
}

// TestFaults is one test because all faults share one sandbox, and the order of
// its parts matters: what changes the cluster for all comes last.
func TestFaults(t *testing.T) {
	w := settle(t)
	rows := newTable()
	t.Run("nothing", w.healthy)
	t.Run("side by side", func(t *testing.T) {
		tryBenches(t, w, rows)
		for i, f := range sideBySide(t) {
			rows.expect(f)
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				rows.add(f, w.try(t, fmt.Sprintf("group-%02d", i), f))
			})
			if i%12 == 6 {
				t.Run("nothing meanwhile", func(t *testing.T) {
					t.Parallel()
					w.healthy(t)
				})
			}
		}
		t.Run("one machine of two", func(t *testing.T) {
			t.Parallel()
			w.oneOfTwo(t)
		})
		t.Run("before a machine is started", func(t *testing.T) {
			t.Parallel()
			w.wouldJoin(t)
		})
	})
	t.Run("clock", func(t *testing.T) {
		b := clockBench()
		b.expect(rows)
		b.try(t, w, rows)
	})
	for i, f := range slices.Concat(wholeMapFaults(), modeFaults()) {
		if f.want[0] == "auth.mode-api" { // there is no way back from it
			t.Run("reads denied", func(t *testing.T) { w.deniedReads(t, rows) })
			t.Run("reads throttled", func(t *testing.T) { w.throttledReads(t, rows) })
			t.Run("from files", w.fromFiles)
		}
		rows.expect(f)
		t.Run(f.name, func(t *testing.T) { rows.add(f, w.try(t, fmt.Sprintf("alone-%02d", i), f)) })
	}
	t.Run("nothing any more", w.healthy)
	rows.finish(t)
}

// try breaks, asks and mends.
func (w *world) try(t *testing.T, group string, f fault) diagnosis {
	t.Helper()
	mend := f.breaks(t, w, group)
	got := expect(t, f.want, append([]string{group}, f.asks...)...)
	if f.road != "" && got.road() != f.road {
		t.Errorf("the answer came by %s, not by %s", got.road(), f.road)
	}
	if mend != nil {
		mend()
	}
	return got
}

// healthy asks about the group that nothing is wrong with.
func (w *world) healthy(t *testing.T) {
	if got := doctor(t, "healthy"); got.code != 0 || got.Counts.Fail > 0 || got.Counts.Warn > 0 {
		t.Errorf("exit %d, %+v, first %s", got.code, got.Counts, got.first())
	}
}

// expect runs the doctor and holds it to its first findings and its exit code.
func expect(t *testing.T, want []string, args ...string) diagnosis {
	t.Helper()
	got := doctor(t, args...)
	if got.first() != want[0] {
		// With several faults at a time the machine is starved, and what ran out
		// of time for that may come first, truly.
		t.Logf("first was %s, not %s: asked once more", got.first(), want[0])
		got = doctor(t, args...)
	}
	if got.first() != want[0] {
		t.Errorf("first is %s, want %s", got.first(), want[0])
	}
	var failed []string
	for _, finding := range got.Findings {
		if finding.Status == report.Fail {
			failed = append(failed, finding.Check)
		}
	}
	if len(failed) > 0 != (got.code == 3) {
		t.Errorf("exit %d, failed: %v", got.code, failed)
	}
	for _, other := range want[1:] {
		if !slices.Contains(failed, other) {
			t.Errorf("%s is not named: %v", other, failed)
		}
	}
	return got
}
