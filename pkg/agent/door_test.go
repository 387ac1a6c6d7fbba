package agent

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/cloud"
)

// firewall is an account's security groups.
type firewall struct {
	rules map[string]cloud.Opening
	made  int
	fail  error
	// interrupt is called when a port has just been opened.
	interrupt func()
}

func (f *firewall) OpenPort(ctx context.Context, o cloud.Opening) (cloud.Opening, error) {
	if err := ctx.Err(); err != nil {
		return o, err
	}
	for _, rule := range f.rules {
		if rule.GroupID == o.GroupID && rule.From == o.From {
			return o, &cloud.Error{Op: "ec2:AuthorizeSecurityGroupIngress", Kind: cloud.Exists}
		}
	}
	f.made++
	o.RuleID = fmt.Sprint("sgr-", f.made)
	f.rules[o.RuleID] = o
	if f.interrupt != nil {
		f.interrupt()
	}
	return o, nil
}

func (f *firewall) ClosePort(ctx context.Context, o cloud.Opening) error {
	if f.fail != nil {
		return f.fail
	}
	delete(f.rules, o.RuleID)
	return ctx.Err()
}

func (f *firewall) Openings(context.Context) ([]cloud.Opening, error) {
	var all []cloud.Opening
	for _, rule := range f.rules {
		all = append(all, rule)
	}
	return all, nil
}

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func doorOf(f *firewall, said *[]string) *Door {
	return &Door{
		Doors: f, From: netip.MustParsePrefix("192.0.2.7/32"), Owner: "arn:me", Until: noon.Add(time.Minute), Process: "here/1/9",
		Alive: func(process string) (bool, bool) { return process == "here/1/9", strings.HasPrefix(process, "here/") },
		Say:   func(format string, args ...any) { *said = append(*said, fmt.Sprintf(format, args...)) },
		Now:   func() time.Time { return noon },
	}
}

func TestDoorOpensOnceAndCloses(t *testing.T) {
	f, said := &firewall{rules: map[string]cloud.Opening{}}, []string{}
	door := doorOf(f, &said)
	if err := door.Open(t.Context(), []string{"sg-b", "sg-a", "sg-b", ""}); err != nil {
		t.Fatal(err)
	}
	if len(f.rules) != 2 || f.rules["sgr-1"].Owner != "arn:me" || !strings.Contains(said[0], "opening port 22 of sg-a for 192.0.2.7/32") {
		t.Errorf("rules %v, said %q", f.rules, said)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := door.Close(ended); err != nil || len(f.rules) != 0 {
		t.Errorf("rules %v, error %v", f.rules, err)
	}
	if err := door.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// An interrupt that comes while AWS opens the port still leaves it closed.
func TestDoorInterruptedWhileOpening(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f, said := &firewall{rules: map[string]cloud.Opening{}, interrupt: cancel}, []string{}
	door := doorOf(f, &said)
	if err := door.Open(ctx, []string{"sg-a", "sg-b"}); !errors.Is(err, context.Canceled) || len(f.rules) != 1 {
		t.Errorf("error %v, rules %v", err, f.rules)
	}
	if err := door.Close(ctx); err != nil || len(f.rules) != 0 {
		t.Errorf("rules %v, error %v", f.rules, err)
	}
}

func TestDoorLeavesWhatWasOpen(t *testing.T) {
	mine := cloud.Opening{RuleID: "sgr-admin", GroupID: "sg-a", From: netip.MustParsePrefix("192.0.2.7/32")}
	f, said := &firewall{rules: map[string]cloud.Opening{"sgr-admin": mine}}, []string{}
	door := doorOf(f, &said)
	if err := errors.Join(door.Open(t.Context(), []string{"sg-a"}), door.Close(t.Context())); err != nil || len(f.rules) != 1 {
		t.Errorf("rules %v, error %v", f.rules, err)
	}
}

func TestDoorSaysWhatStaysOpen(t *testing.T) {
	f, said := &firewall{rules: map[string]cloud.Opening{}}, []string{}
	door := doorOf(f, &said)
	if err := door.Open(t.Context(), []string{"sg-a"}); err != nil {
		t.Fatal(err)
	}
	f.fail = errors.New("no network")
	err := door.Close(t.Context())
	if err == nil || !strings.Contains(err.Error(), "still open") || !strings.Contains(err.Error(), "revoke-security-group-ingress --group-id sg-a --security-group-rule-ids sgr-1") {
		t.Errorf("error is %v", err)
	}
	f.fail = nil
	if err := door.Close(t.Context()); err != nil || len(f.rules) != 0 {
		t.Errorf("rules %v, error %v", f.rules, err)
	}
}

// The next run closes what an earlier one left: when its time is over, or it
// has ended on this machine. It never touches what is somebody else's, or may
// still be in use.
func TestSweep(t *testing.T) {
	rule := func(id, owner, process string, until time.Duration) cloud.Opening {
		return cloud.Opening{RuleID: id, GroupID: "sg-a", Owner: owner, Process: process, Until: noon.Add(until), From: netip.MustParsePrefix("192.0.2.9/32")}
	}
	f, said := &firewall{rules: map[string]cloud.Opening{}}, []string{}
	for _, r := range []cloud.Opening{
		rule("crashed", "arn:me", "here/2/9", time.Minute),
		rule("expired-elsewhere", "arn:me", "there/1/1", -time.Minute),
		rule("elsewhere", "arn:me", "there/1/1", time.Minute),
		rule("goes-on", "arn:me", "here/1/9", time.Minute),
		rule("others-expired", "arn:you", "here/2/9", -time.Hour),
	} {
		f.rules[r.RuleID] = r
	}
	if err := doorOf(f, &said).Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	var left []string
	for id := range f.rules {
		left = append(left, id)
	}
	want := map[string]bool{"elsewhere": true, "goes-on": true, "others-expired": true}
	for _, id := range left {
		if !want[id] {
			t.Errorf("%s is still open", id)
		}
	}
	if len(left) != len(want) || len(said) != 2 {
		t.Errorf("left %q, said %q", left, said)
	}
}

// A run that still looked alive when ports were looked for, and was dead when
// its port was in the way, keeps nobody from opening it, and nothing open.
func TestDoorTakesOverFromADyingRun(t *testing.T) {
	dying := cloud.Opening{RuleID: "sgr-dying", GroupID: "sg-a", From: netip.MustParsePrefix("192.0.2.7/32"), Owner: "arn:me", Process: "here/2/9", Until: noon.Add(time.Minute)}
	f, said := &firewall{rules: map[string]cloud.Opening{"sgr-dying": dying}}, []string{}
	door := doorOf(f, &said)
	looks := 0
	door.Alive = func(string) (bool, bool) { looks++; return looks == 1, true }
	err := errors.Join(door.Sweep(t.Context()), door.Open(t.Context(), []string{"sg-a"}))
	if _, stays := f.rules["sgr-dying"]; err != nil || stays || len(f.rules) != 1 {
		t.Errorf("error %v, rules %v", err, f.rules)
	}
	if err := door.Close(t.Context()); err != nil || len(f.rules) != 0 {
		t.Errorf("error %v, rules %v", err, f.rules)
	}
}

func TestParseFrom(t *testing.T) {
	for text, c := range map[string]struct {
		wide bool
		want string // or the beginning of the error
	}{
		"192.0.2.7":         {false, "192.0.2.7/32"},
		"192.0.2.7/32":      {false, "192.0.2.7/32"},
		"2001:db8::1":       {false, "2001:db8::1/128"},
		"192.0.2.0/24":      {false, `--cidr 192.0.2.0/24 is more than one address`},
		"192.0.2.9/24":      {true, "192.0.2.0/24"},
		"0.0.0.0/0":         {true, "--cidr 0.0.0.0/0 lets too many in"},
		"10.0.0.0/8":        {true, "--cidr 10.0.0.0/8 lets too many in"},
		"::/0":              {true, "--cidr ::/0 lets too many in"},
		"0.0.0.0/1":         {true, "--cidr 0.0.0.0/1 lets too many in"},
		"everybody":         {true, `--cidr "everybody": use an address`},
		"192.0.2.7; reboot": {true, `--cidr "192.0.2.7; reboot": use an address`},
	} {
		got, err := ParseFrom(text, c.wide)
		have := got.String()
		if err != nil {
			have = err.Error()
		}
		if !strings.HasPrefix(have, c.want) {
			t.Error(cmp.Diff(c.want, have))
		}
	}
}
