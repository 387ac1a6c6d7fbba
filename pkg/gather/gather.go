// Package gather runs the readers of a snapshot: in order of what they need,
// in parallel where they can, each with a deadline, and turns every failure
// into a gap with its reason.
package gather

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// DefaultTimeout is the deadline of a source that names none.
const DefaultTimeout = 30 * time.Second

// Fill puts what was read into the snapshot. Run calls fills one at a time.
type Fill func(*snapshot.Snapshot)

// Source reads one section.
type Source struct {
	Section snapshot.Section
	// After are the sections that must be known before this one can be
	// read. If one of them is a gap, so is this one, for the same reason.
	After   []snapshot.Section
	Timeout time.Duration // zero: DefaultTimeout
	// Read does the reading. It sees what is known so far, must not change
	// it, and returns what it found as a Fill (nil: nothing to add).
	Read func(ctx context.Context, known *snapshot.Snapshot) (Fill, error)
}

// State is how far the reading of a section has come.
type State string

// The states, in order. A section goes from started to done or failed;
// skipped means that a section it needs could not be read.
const (
	Started State = "started"
	Done    State = "done"
	Failed  State = "failed"
	Skipped State = "skipped"
)

// Progress is told of every change of state, one call at a time.
type Progress func(section snapshot.Section, state State)

// Run reads the sources into a copy of base and returns it. It never fails
// as a whole: what could not be read is a gap. Sections that have no source
// are gaps with reason not-asked on the first run; a later run over its
// result replaces the gaps of the sections that it reads and leaves the rest.
func Run(ctx context.Context, base snapshot.Snapshot, sources []Source, progress Progress) snapshot.Snapshot {
	if progress == nil {
		progress = func(snapshot.Section, State) {}
	}
	run := &run{ctx: ctx, snap: base, progress: progress, results: make(chan result)}
	run.snap.Gaps = gapsBefore(base, sources)
	run.snap.CollectedAt = time.Now().UTC()
	run.all(sources)
	sortGaps(run.snap.Gaps)
	return run.snap
}

// run is one Run. Only its own goroutine touches the snapshot; readers get
// copies.
type run struct {
	ctx      context.Context
	snap     snapshot.Snapshot
	progress Progress
	results  chan result
}

type result struct {
	section snapshot.Section
	fill    Fill
	err     error
}

func (r *run) all(sources []Source) {
	waiting := slices.Clone(sources)
	busy := map[snapshot.Section]int{}
	for len(waiting) > 0 || len(busy) > 0 {
		waiting = r.start(waiting, busy)
		if len(busy) == 0 {
			r.giveUp(waiting)
			return
		}
		r.take(<-r.results, busy)
	}
}

// start starts every source whose needs are met and returns the others.
func (r *run) start(waiting []Source, busy map[snapshot.Section]int) []Source {
	for progressed := true; progressed; {
		progressed = false
		var later []Source
		for i, source := range waiting {
			rest := append(slices.Clone(later), waiting[i+1:]...)
			if blocked(source, rest, busy) {
				later = append(later, source)
				continue
			}
			progressed = true
			if gap, missing := r.missing(source); missing {
				r.skip(source.Section, gap)
				continue
			}
			busy[source.Section]++
			r.progress(source.Section, Started)
			known := r.snap
			go func() { r.results <- r.read(source, &known) }()
		}
		waiting = later
	}
	return waiting
}

// blocked reports whether a section that the source needs is still to come.
func blocked(source Source, rest []Source, busy map[snapshot.Section]int) bool {
	for _, need := range source.After {
		if busy[need] > 0 || slices.ContainsFunc(rest, func(s Source) bool { return s.Section == need }) {
			return true
		}
	}
	return false
}

func (r *run) missing(source Source) (snapshot.Gap, bool) {
	for _, need := range source.After {
		if gap, ok := r.snap.Gap(need, ""); ok {
			return gap, true
		}
	}
	return snapshot.Gap{}, false
}

func (r *run) skip(section snapshot.Section, because snapshot.Gap) {
	r.addGap(snapshot.Gap{
		Section: section,
		Reason:  because.Reason,
		Detail:  fmt.Sprintf("needs %s: %s", because.Section, because.Detail),
		Fix:     because.Fix,
	})
	r.progress(section, Skipped)
}

// giveUp marks sources that wait for each other.
func (r *run) giveUp(waiting []Source) {
	for _, source := range waiting {
		r.skip(source.Section, snapshot.Gap{Section: source.Section, Reason: snapshot.GapOther, Detail: "its needs go in a circle"})
	}
}

// grace is how long a reader may take to return after its deadline, so that
// its own words for the failure are heard.
const grace = 250 * time.Millisecond

// read runs one reader under its deadline. A reader that does not listen to
// its context (a credential plugin that hangs, say) is left behind.
func (r *run) read(source Source, known *snapshot.Snapshot) result {
	timeout := source.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(r.ctx, timeout)
	defer cancel()
	answers := make(chan result, 1)
	go func() { answers <- call(ctx, source, known) }()
	answer := result{section: source.Section}
	select {
	case answer = <-answers:
	case <-ctx.Done():
		select {
		case answer = <-answers:
		case <-time.After(grace):
			answer.err = ctx.Err()
		}
	}
	if answer.err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		answer.err = &deadlineError{after: timeout, err: answer.err}
	}
	return answer
}

// call turns a panic of a reader into an error.
func call(ctx context.Context, source Source, known *snapshot.Snapshot) (out result) {
	out.section = source.Section
	defer func() {
		if p := recover(); p != nil {
			out.err = fmt.Errorf("reader of %s panicked: %v", source.Section, p)
		}
	}()
	out.fill, out.err = source.Read(ctx, known)
	return out
}

func (r *run) take(got result, busy map[snapshot.Section]int) {
	if busy[got.section]--; busy[got.section] == 0 {
		delete(busy, got.section)
	}
	if got.fill != nil {
		got.fill(&r.snap)
	}
	if got.err != nil {
		r.addGap(GapOf(got.section, got.err))
		r.progress(got.section, Failed)
		return
	}
	r.progress(got.section, Done)
}

func (r *run) addGap(gap snapshot.Gap) {
	r.snap.Gaps = append(slices.Clip(r.snap.Gaps), gap)
}
