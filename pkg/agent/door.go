package agent

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/cloud"
)

// Doors opens and closes port 22 in security groups.
type Doors interface {
	OpenPort(ctx context.Context, opening cloud.Opening) (cloud.Opening, error)
	ClosePort(ctx context.Context, opening cloud.Opening) error
	Openings(ctx context.Context) ([]cloud.Opening, error)
}

// closeTimeout is how long closing may take once everything else is over,
// also after an interrupt.
const closeTimeout = 20 * time.Second

// Door lets one address reach the sshd of machines for as long as a run
// takes. What it opens it closes: at the end, after an error or an interrupt
// by Close; after a crash by the Sweep of a later run.
type Door struct {
	Doors Doors
	From  netip.Prefix
	// Owner is the AWS identity; openings of others are never touched.
	Owner string
	// Until is written on what is opened.
	Until time.Time
	// Process names this run; Alive says of another run of Owner whether it
	// still goes on, and false ok that nobody here can know.
	Process string
	Alive   func(process string) (alive, ok bool)
	// Say tells the user before anything is opened, and after it was closed.
	Say func(format string, args ...any)
	Now func() time.Time

	mu   sync.Mutex
	open []cloud.Opening
}

// Sweep closes what earlier runs of the same owner left: openings whose time
// is over, and those of runs on this machine that have ended.
func (d *Door) Sweep(ctx context.Context) error {
	stale, err := d.Stale(ctx)
	if err != nil {
		return err
	}
	for _, opening := range stale {
		if opening.Owner != d.Owner {
			continue
		}
		if err := d.Doors.ClosePort(ctx, opening); err != nil {
			return fmt.Errorf("close port 22 of %s, which an earlier run left open: %w", opening.GroupID, err)
		}
		d.Say("closed port 22 of %s for %s, which an earlier run had left open (%s)", opening.GroupID, opening.From, opening.RuleID)
	}
	return nil
}

// Stale lists what earlier runs left open, whoever made them: openings whose
// time is over, and those of runs on this machine that have ended.
func (d *Door) Stale(ctx context.Context) ([]cloud.Opening, error) {
	all, err := d.Doors.Openings(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for ports that earlier runs left open: %w", err)
	}
	return slices.DeleteFunc(all, func(opening cloud.Opening) bool { return !d.stale(opening) }), nil
}

func (d *Door) stale(opening cloud.Opening) bool {
	if d.Now().After(opening.Until) {
		return true
	}
	alive, known := d.Alive(opening.Process)
	return known && !alive
}

// Open opens port 22 of the groups, each once. A port that is open for the
// address already stays as it is, and is not closed either.
func (d *Door) Open(ctx context.Context, groups []string) error {
	groups = slices.Compact(slices.Sorted(slices.Values(groups)))
	for _, group := range groups {
		if group == "" {
			continue
		}
		d.Say("opening port 22 of %s for %s until %s at the latest", group, d.From, d.Until.Local().Format("15:04:05"))
		opening, err := d.openOne(ctx, group)
		if cloud.IsKind(err, cloud.Exists) {
			// Of a run that was just dying when we looked, perhaps.
			if err := d.Sweep(ctx); err != nil {
				return err
			}
			opening, err = d.openOne(ctx, group)
		}
		if cloud.IsKind(err, cloud.Exists) {
			d.Say("port 22 of %s is open for %s already", group, d.From)
			continue
		}
		if err != nil {
			return fmt.Errorf("open port 22 of %s for %s: %w", group, d.From, err)
		}
		d.mu.Lock()
		d.open = append(d.open, opening)
		d.mu.Unlock()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// openOne opens the port of one group. An interrupt must not come between
// AWS's having opened it and our knowing of it.
func (d *Door) openOne(ctx context.Context, group string) (cloud.Opening, error) {
	safe, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	return d.Doors.OpenPort(safe, cloud.Opening{GroupID: group, From: d.From, Owner: d.Owner, Until: d.Until, Process: d.Process})
}

// Close closes all that was opened, also when the context has ended. It may be
// called again.
func (d *Door) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	d.mu.Lock()
	defer d.mu.Unlock()
	var left []cloud.Opening
	var errs []error
	for _, opening := range d.open {
		if err := d.Doors.ClosePort(ctx, opening); err != nil {
			left = append(left, opening)
			errs = append(errs, fmt.Errorf("port 22 of %s is still open for %s: %w; close it: %s", opening.GroupID, opening.From, err, RevokeCommand("", opening)))
			continue
		}
		d.Say("closed port 22 of %s", opening.GroupID)
	}
	d.open = left
	return errors.Join(errs...)
}

// RevokeCommand is how a user closes an opening by hand.
func RevokeCommand(region string, opening cloud.Opening) string {
	if region != "" {
		region = " --region " + region
	}
	return fmt.Sprintf("aws ec2 revoke-security-group-ingress%s --group-id %s --security-group-rule-ids %s", region, opening.GroupID, opening.RuleID)
}

// The widest networks that may be let in at all, and only when the user says
// twice that it is to be more than one address.
const (
	widest4 = 16
	widest6 = 48
)

// ParseFrom reads who is let in: an address, or a network in CIDR form. More
// than one address takes wide; the world is never let in.
func ParseFrom(text string, wide bool) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("--cidr %q: use an address or a network, such as 192.0.2.7/32", text)
	}
	prefix = prefix.Masked()
	least := widest6
	if prefix.Addr().Is4() {
		least = widest4
	}
	switch {
	case prefix.Bits() < least:
		return netip.Prefix{}, fmt.Errorf("--cidr %s lets too many in: at most a /%d", prefix, least)
	case prefix.Bits() < prefix.Addr().BitLen() && !wide:
		return netip.Prefix{}, fmt.Errorf("--cidr %s is more than one address: say --cidr-is-wide too if that is meant", prefix)
	}
	return prefix, nil
}
