package gather

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// reasoner is met by errors that know why a fact is missing, such as those
// of the AWS and Kubernetes readers.
type reasoner interface{ GapReason() snapshot.GapReason }

// fixer is met by errors that know a command or permission that would help.
type fixer interface{ GapFix() string }

// deadlineError says that a source ran out of time, whatever its client
// made of that.
type deadlineError struct {
	after time.Duration
	err   error
}

func (e *deadlineError) Error() string {
	return fmt.Sprintf("no answer within %s: %v", e.after, e.err)
}
func (e *deadlineError) Unwrap() error { return e.err }

// GapReason prefers what the reader knew: throttled until the deadline is
// throttled, and nobody there is unreachable, not slow.
func (e *deadlineError) GapReason() snapshot.GapReason {
	var known reasoner
	if errors.As(e.err, &known) {
		if reason := known.GapReason(); reason == snapshot.GapThrottled || reason == snapshot.GapUnreachable {
			return reason
		}
	}
	return snapshot.GapTimeout
}

// GapOf says as a gap why a section, or one subject of it, could not be read.
func GapOf(section snapshot.Section, err error) snapshot.Gap {
	return snapshot.Gap{Section: section, Reason: ReasonOf(err, snapshot.GapOther), Detail: err.Error(), Fix: FixOf(err, "")}
}

// ReasonOf is why a fact is missing as far as the error knows it, a deadline
// that passed included; else what the caller makes of it.
func ReasonOf(err error, otherwise snapshot.GapReason) snapshot.GapReason {
	var known reasoner
	switch {
	case errors.As(err, &known):
		return known.GapReason()
	case otherwise == snapshot.GapOther && errors.Is(err, context.DeadlineExceeded):
		return snapshot.GapTimeout
	}
	return otherwise
}

// FixOf is what would help as far as the error knows it, else what the caller
// would say.
func FixOf(err error, otherwise string) string {
	var known fixer
	if errors.As(err, &known) {
		return known.GapFix()
	}
	return otherwise
}

// gapsBefore are the gaps a run starts with.
func gapsBefore(base snapshot.Snapshot, sources []Source) []snapshot.Gap {
	asked := func(section snapshot.Section) bool {
		return slices.ContainsFunc(sources, func(s Source) bool { return s.Section == section })
	}
	var gaps []snapshot.Gap
	for _, gap := range base.Gaps {
		if !asked(gap.Section) {
			gaps = append(gaps, gap)
		}
	}
	if !base.CollectedAt.IsZero() {
		return gaps
	}
	for section := range snapshot.Permissions() {
		if asked(section) {
			continue
		}
		if _, have := base.Gap(section, ""); have {
			continue
		}
		gaps = append(gaps, snapshot.Gap{
			Section: section,
			Reason:  snapshot.GapNotAsked,
			Detail:  "this command does not read it",
		})
	}
	return gaps
}

func sortGaps(gaps []snapshot.Gap) {
	slices.SortStableFunc(gaps, func(a, b snapshot.Gap) int {
		return cmp.Or(cmp.Compare(a.Section, b.Section), cmp.Compare(a.Subject, b.Subject))
	})
}

// SortGaps puts the gaps of a snapshot in their order again.
func SortGaps(snap *snapshot.Snapshot) { sortGaps(snap.Gaps) }
