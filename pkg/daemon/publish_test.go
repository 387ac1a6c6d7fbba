package daemon

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// fakeAPI keeps what was written.
type fakeAPI struct {
	stands *Condition
	err    error
	calls  []string
}

func (f *fakeAPI) Condition(context.Context) (*Condition, error) {
	f.calls = append(f.calls, "read")
	if f.stands == nil {
		return nil, f.err
	}
	stands := *f.stands
	return &stands, f.err
}

func (f *fakeAPI) SetCondition(_ context.Context, condition Condition) error {
	f.calls = append(f.calls, "set "+condition.Status)
	if f.err == nil {
		f.stands = &condition
	}
	return f.err
}

func (f *fakeAPI) Tell(_ context.Context, kind, reason, message string, _ time.Time) error {
	f.calls = append(f.calls, fmt.Sprintf("%s %s: %s", kind, reason, message))
	return f.err
}

// took returns the calls since it was last asked.
func (f *fakeAPI) took() []string {
	calls := f.calls
	f.calls = nil
	return calls
}

// clock is time that the test lets pass.
type clock struct{ now time.Time }

func (c *clock) pass(d time.Duration) { c.now = c.now.Add(d) }

func newClock() *clock { return &clock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func healthy() Condition { return conditionOf(verdictOf(finding("a", report.Pass, "well"))) }

func failing(words string) Condition {
	return conditionOf(verdictOf(finding("disk", report.Fail, words)))
}

// A condition is written when it changes and only then, with an Event, and its
// transition time is that of its status.
func TestPublishWritesChangesOnly(t *testing.T) {
	api, clock := &fakeAPI{}, newClock()
	p := newPublisher(api, func() time.Time { return clock.now })
	began := clock.now
	for i, step := range []struct {
		condition Condition
		want      []string
		since     time.Duration // of the transition, from the beginning
	}{
		{healthy(), []string{"read", "set True"}, 0},
		{healthy(), nil, 0},
		{failing("90% full"), []string{"set False", "Warning ChecksFail: disk: 90% full"}, 2 * time.Second},
		{failing("91% full"), nil, 2 * time.Second},
		{conditionOf(verdictOf(finding("clock", report.Fail, "slow"))), []string{"set False", "Warning ChecksFail: clock: slow"}, 2 * time.Second},
		{healthy(), []string{"set True", "Normal NothingFails: no check fails"}, 5 * time.Second},
	} {
		if _, err := p.publish(context.Background(), step.condition); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, api.took()); diff != "" {
			t.Errorf("step %d: %s", i, diff)
		}
		if since := api.stands.LastTransitionTime.Sub(began); since != step.since {
			t.Errorf("step %d: transition after %s, want %s", i, since, step.since)
		}
		clock.pass(time.Second)
	}
}

// What an earlier run wrote is not written again; what somebody else changed,
// or a node that came anew has lost, is.
func TestPublishKeepsWhatStands(t *testing.T) {
	stands := healthy()
	api, clock := &fakeAPI{stands: &stands}, newClock()
	p := newPublisher(api, func() time.Time { return clock.now })
	publish := func() []string {
		t.Helper()
		if _, err := p.publish(context.Background(), healthy()); err != nil {
			t.Fatal(err)
		}
		return api.took()
	}
	if diff := cmp.Diff([]string{"read"}, publish()); diff != "" {
		t.Errorf("after a start: %s", diff)
	}
	api.stands = nil
	clock.pass(readAgain)
	if diff := cmp.Diff([]string{"read", "set True"}, publish()); diff != "" {
		t.Errorf("after the condition was lost: %s", diff)
	}
}

// A node that changes all the time writes a few times, then seldom; and the
// last state is written in the end.
func TestPublishIsLimited(t *testing.T) {
	api, clock := &fakeAPI{}, newClock()
	p := newPublisher(api, func() time.Time { return clock.now })
	writes := 0
	for i := range 600 {
		condition := healthy()
		if i%2 == 1 {
			condition = failing("full")
		}
		written, err := p.publish(context.Background(), condition)
		if err != nil {
			t.Fatal(err)
		}
		if written {
			writes++
		}
		clock.pass(2 * time.Second)
	}
	if most := burst + int(20*time.Minute/refill); writes < burst || writes > most {
		t.Errorf("%d writes in 20 minutes, want %d to %d", writes, burst, most)
	}
	clock.pass(refill)
	if _, err := p.publish(context.Background(), failing("full")); err != nil || api.stands.Status != False {
		t.Errorf("%v, and %+v stands", err, api.stands)
	}
}

// After a failure it waits, longer each time, and then goes on.
func TestPublishBacksOff(t *testing.T) {
	api, clock := &fakeAPI{err: errors.New("away")}, newClock()
	p := newPublisher(api, func() time.Time { return clock.now })
	tries := 0
	for range 3600 {
		_, _ = p.publish(context.Background(), healthy())
		tries += len(api.took())
		clock.pass(time.Second)
	}
	if tries < 10 || tries > 20 {
		t.Errorf("%d tries in an hour", tries)
	}
	api.err = nil
	clock.pass(lastRetry)
	if written, err := p.publish(context.Background(), healthy()); err != nil || !written {
		t.Errorf("written %v, %v", written, err)
	}
}
