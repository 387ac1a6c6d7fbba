//go:build linux

// Package host reads what a machine says of itself: files, sockets, units and
// the way to AWS and to the API server.
//
// It only looks. It writes nothing, listens nowhere and starts no unit; as root
// it sees the packets with which instance metadata answers it. Every
// read is bounded in size, and every probe in time: one that hangs is left
// behind. What comes from the machine is cleaned where it is read.
package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// DefaultBudget is the time for all probes together.
const DefaultBudget = 25 * time.Second

// fill puts what was read into the facts.
type fill func(*snapshot.Host)

// probe reads one family of facts.
type probe struct {
	name snapshot.Probe
	// after are the probes whose facts it looks at. It runs when they have
	// ended, whatever they found.
	after []snapshot.Probe
	limit time.Duration
	// read looks. known is what was read so far, and must not be changed.
	// A fill may come with an error: what was seen, and why not all.
	read func(ctx context.Context, known *snapshot.Host) (fill, error)
}

// gapError is a reason that an error does not tell by itself.
type gapError struct {
	reason snapshot.GapReason
	detail string
}

func (e *gapError) Error() string { return e.detail }

// absent says that this machine has no such thing.
func absent(format string, args ...any) error {
	return &gapError{snapshot.GapAbsent, fmt.Sprintf(format, args...)}
}

// notAsked says that another fact is missing that the probe begins with.
func notAsked(format string, args ...any) error {
	return &gapError{snapshot.GapNotAsked, fmt.Sprintf(format, args...)}
}

// Read runs all probes side by side and returns the facts. It does not fail
// as a whole: what could not be read is a gap.
func (m *Machine) Read(ctx context.Context) snapshot.Host {
	return gather(ctx, m.single(m.probes()), m.budget())
}

// ReadOnly runs the named probes and those they begin with; the others are
// gaps.
func (m *Machine) ReadOnly(ctx context.Context, names ...snapshot.Probe) snapshot.Host {
	return gather(ctx, m.single(only(m.probes(), names)), m.budget())
}

// single are the probes, each of which waits for no other reading of its own.
func (m *Machine) single(probes []probe) []probe {
	for i := range probes {
		probes[i] = m.readers.alone(probes[i])
	}
	return probes
}

func (m *Machine) budget() time.Duration {
	if m.Budget > 0 {
		return m.Budget
	}
	return DefaultBudget
}

// only picks probes with all that they come after.
func only(all []probe, names []snapshot.Probe) []probe {
	wanted := map[snapshot.Probe]bool{}
	var want func(snapshot.Probe)
	want = func(name snapshot.Probe) {
		if wanted[name] {
			return
		}
		wanted[name] = true
		for _, p := range all {
			if p.name == name {
				for _, before := range p.after {
					want(before)
				}
			}
		}
	}
	for _, name := range names {
		want(name)
	}
	var picked []probe
	for _, p := range all {
		if wanted[p.name] {
			picked = append(picked, p)
		}
	}
	return picked
}

// gathering is one run of probes.
type gathering struct {
	ctx   context.Context
	done  map[snapshot.Probe]chan struct{}
	mutex sync.Mutex
	facts snapshot.Host
}

func gather(ctx context.Context, probes []probe, budget time.Duration) snapshot.Host {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	g := &gathering{ctx: ctx, done: map[snapshot.Probe]chan struct{}{}}
	g.facts.CollectedAt = time.Now().UTC().Truncate(time.Second)
	for _, p := range probes {
		g.done[p.name] = make(chan struct{})
	}
	for _, p := range probes {
		go g.run(p)
	}
	for _, p := range probes {
		<-g.done[p.name] // each ends: run is bound by the budget
	}
	return g.known()
}

// known is a copy of the facts so far. Families are never changed once they
// are there.
func (g *gathering) known() snapshot.Host {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.facts
}

// run waits for what the probe begins with, and reads under its deadline.
func (g *gathering) run(p probe) {
	defer close(g.done[p.name])
	for _, before := range p.after {
		if done := g.done[before]; done != nil {
			<-done
		}
	}
	ctx, cancel := context.WithTimeout(g.ctx, p.limit)
	defer cancel()
	facts, err := attempt(ctx, p, g.known())
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if facts != nil {
		facts(&g.facts)
	}
	if err != nil {
		g.facts.Gaps = append(g.facts.Gaps, gapOf(p, err))
	}
}

// grace is how long a probe may take to tell why it did not end in time.
const grace = 100 * time.Millisecond

// errStillReading: an earlier reader of the same thing was left behind, and has
// not returned yet.
var errStillReading = fmt.Errorf("an earlier look has not ended: %w", context.DeadlineExceeded)

// readers are those that have not returned. A machine that is read again and
// again must not gather readers that wait for the same dead disk.
type readers struct{ busy sync.Map }

// begin reports whether nobody reads the thing; then end must be called.
func (r *readers) begin(thing string) bool {
	_, busy := r.busy.LoadOrStore(thing, true)
	return !busy
}

func (r *readers) end(thing string) { r.busy.Delete(thing) }

// alone is a probe of which one reader at most is at work.
func (r *readers) alone(p probe) probe {
	read, name := p.read, string(p.name)
	p.read = func(ctx context.Context, known *snapshot.Host) (fill, error) {
		if !r.begin(name) {
			return nil, errStillReading
		}
		defer r.end(name)
		return read(ctx, known)
	}
	return p
}

// attempt reads, and leaves a reader behind that does not return in time: one
// that waits for a dead disk cannot be ended.
func attempt(ctx context.Context, p probe, known snapshot.Host) (fill, error) {
	type answer struct {
		facts fill
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		var a answer
		defer func() {
			if r := recover(); r != nil {
				a = answer{err: fmt.Errorf("the probe itself failed: %v", r)}
			}
			answers <- a
		}()
		a.facts, a.err = p.read(ctx, &known)
	}()
	select {
	case a := <-answers:
		return a.facts, a.err
	case <-ctx.Done():
	}
	select {
	case a := <-answers:
		return a.facts, a.err
	case <-time.After(grace):
		return nil, context.Cause(ctx)
	}
}

// gapOf is an error in the words of a report.
func gapOf(p probe, err error) snapshot.HostGap {
	gap := snapshot.HostGap{Probe: p.name, Reason: snapshot.GapOther, Detail: redact.Line(err.Error())}
	var own *gapError
	switch {
	case errors.As(err, &own):
		gap.Reason = own.reason
	case errors.Is(err, errNotMounted):
		gap.Reason = snapshot.GapNotAsked
	case errors.Is(err, context.DeadlineExceeded):
		gap.Reason, gap.Detail = snapshot.GapTimeout, fmt.Sprintf("no end after %s", p.limit)
	case errors.Is(err, context.Canceled):
		gap.Detail = "interrupted"
	case errors.Is(err, fs.ErrPermission):
		gap.Reason = snapshot.GapDenied
	case errors.Is(err, fs.ErrNotExist):
		gap.Reason = snapshot.GapAbsent
	}
	return gap
}
