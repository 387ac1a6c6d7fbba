package daemon

import (
	"context"
	"fmt"
	"time"
)

// API is what is published to.
type API interface {
	Condition(ctx context.Context) (*Condition, error)
	SetCondition(ctx context.Context, condition Condition) error
	Tell(ctx context.Context, kind, reason, message string, at time.Time) error
}

// Limits of writing. A node whose state changes all the time writes no more
// than burst times, and then once a refill.
const (
	burst  = 6
	refill = 2 * time.Minute
	// firstRetry and lastRetry are the pauses after writes that failed.
	firstRetry = 5 * time.Second
	lastRetry  = 5 * time.Minute
	// readAgain is how often is looked whether the condition still stands.
	readAgain = 5 * time.Minute
)

// publisher brings the node's condition to the cluster: one write when it
// changes, none while it does not.
type publisher struct {
	api API
	now func() time.Time

	read   time.Time  // when the cluster's was read; zero: never
	stands *Condition // what the cluster has; nil for none

	tokens  int
	since   time.Time // of the last token
	pause   time.Duration
	blocked time.Time // no try before this
}

func newPublisher(api API, now func() time.Time) *publisher {
	return &publisher{api: api, now: now, tokens: burst, since: now()}
}

// publish writes the condition if the cluster has another one. Written is
// false when nothing was to be written, or may not be yet.
func (p *publisher) publish(ctx context.Context, condition Condition) (written bool, err error) {
	now := p.now()
	if now.Before(p.blocked) {
		return false, nil
	}
	defer func() { p.back(err) }()
	// What an earlier run wrote stands; and a node that was deleted and has come
	// again has lost it.
	if p.read.IsZero() || now.Sub(p.read) >= readAgain {
		if p.stands, err = p.api.Condition(ctx); err != nil {
			return false, fmt.Errorf("read the node's condition: %w", err)
		}
		p.read = now
	}
	if p.stands != nil && p.stands.same(&condition) || !p.take(now) {
		return false, nil
	}
	condition.LastHeartbeatTime, condition.LastTransitionTime = now.UTC(), now.UTC()
	if p.stands != nil && p.stands.Status == condition.Status {
		condition.LastTransitionTime = p.stands.LastTransitionTime
	}
	if err := p.api.SetCondition(ctx, condition); err != nil {
		return false, fmt.Errorf("set the node's condition: %w", err)
	}
	before := p.stands
	p.stands = &condition
	return true, p.tell(ctx, before, &condition, now)
}

// tell writes an Event of a change. The first word about a healthy node is
// none.
func (p *publisher) tell(ctx context.Context, before, condition *Condition, now time.Time) error {
	kind := "Normal"
	if condition.Status != True {
		kind = "Warning"
	} else if before == nil {
		return nil
	}
	if err := p.api.Tell(ctx, kind, condition.Reason, condition.Message, now); err != nil {
		return fmt.Errorf("write an event: %w", err)
	}
	return nil
}

// take takes a token, if there is one.
func (p *publisher) take(now time.Time) bool {
	if more := int(now.Sub(p.since) / refill); more > 0 {
		p.tokens = min(burst, p.tokens+more)
		p.since = p.since.Add(time.Duration(more) * refill)
	}
	if p.tokens == 0 {
		return false
	}
	if p.tokens == burst {
		p.since = now
	}
	p.tokens--
	return true
}

// back waits longer after every failure.
func (p *publisher) back(err error) {
	if err == nil {
		p.pause, p.blocked = 0, time.Time{}
		return
	}
	p.pause = min(max(2*p.pause, firstRetry), lastRetry)
	p.blocked = p.now().Add(p.pause)
}
