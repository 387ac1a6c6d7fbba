//go:build linux

package host

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

func gapOfProbe(t *testing.T, facts *snapshot.Host, name snapshot.Probe) snapshot.HostGap {
	t.Helper()
	gap, missing := facts.Gap(name)
	if !missing {
		t.Errorf("%s is no gap", name)
	}
	return gap
}

// A probe that hangs, fails or panics is a gap, and no other probe suffers.
func TestProbesFailAlone(t *testing.T) {
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	probes := []probe{
		{snapshot.ProbeDisks, nil, 10 * time.Millisecond, func(context.Context, *snapshot.Host) (fill, error) { <-never; return nil, nil }},
		{snapshot.ProbeKernel, nil, time.Minute, func(context.Context, *snapshot.Host) (fill, error) { panic("no") }},
		{snapshot.ProbeUnits, nil, time.Minute, func(context.Context, *snapshot.Host) (fill, error) {
			return nil, &fs.PathError{Op: "open", Path: "/run/dbus", Err: fs.ErrPermission}
		}},
		{snapshot.ProbeCNI, nil, time.Minute, func(context.Context, *snapshot.Host) (fill, error) { return nil, absent("none here") }},
		{snapshot.ProbeSystem, nil, time.Minute, func(context.Context, *snapshot.Host) (fill, error) {
			return func(h *snapshot.Host) { h.System = &snapshot.HostSystem{OS: "x"} }, errors.New("not all of it")
		}},
		{snapshot.ProbeKubelet, []snapshot.Probe{snapshot.ProbeDisks, snapshot.ProbeSystem}, time.Minute, func(_ context.Context, known *snapshot.Host) (fill, error) {
			if known.Disks != nil || known.System == nil {
				t.Errorf("known are %+v, %+v", known.Disks, known.System)
			}
			return func(h *snapshot.Host) { h.Kubelet = &snapshot.HostKubelet{} }, nil
		}},
	}
	facts := gather(context.Background(), probes, time.Minute)
	for name, want := range map[snapshot.Probe]snapshot.GapReason{
		snapshot.ProbeDisks: snapshot.GapTimeout, snapshot.ProbeKernel: snapshot.GapOther, snapshot.ProbeUnits: snapshot.GapDenied, snapshot.ProbeCNI: snapshot.GapAbsent,
	} {
		if gap := gapOfProbe(t, &facts, name); gap.Reason != want || gap.Detail == "" {
			t.Errorf("%s: %+v, want %s", name, gap, want)
		}
	}
	if facts.System == nil || facts.Kubelet == nil || !slices.ContainsFunc(facts.Gaps, func(g snapshot.HostGap) bool { return g.Detail == "not all of it" }) {
		t.Errorf("facts are %+v", facts)
	}
}

// The budget ends everything, probes that have not begun too.
func TestBudget(t *testing.T) {
	hang := func(ctx context.Context, _ *snapshot.Host) (fill, error) { <-ctx.Done(); return nil, ctx.Err() }
	var probes []probe
	var before []snapshot.Probe
	for _, name := range []snapshot.Probe{snapshot.ProbeIMDS, snapshot.ProbeIdentity, snapshot.ProbeToken} {
		probes = append(probes, probe{name, before, time.Hour, hang})
		before = []snapshot.Probe{name}
	}
	facts := gather(context.Background(), probes, 20*time.Millisecond)
	for _, p := range probes {
		if gap := gapOfProbe(t, &facts, p.name); gap.Reason != snapshot.GapTimeout {
			t.Errorf("%s: %+v", p.name, gap)
		}
	}
}

// Every probe of the snapshot's list is one that a machine runs, once.
func TestEveryProbeIsRun(t *testing.T) {
	var have []snapshot.Probe
	for _, p := range Local("/").probes() {
		for _, before := range p.after {
			if !slices.Contains(snapshot.Probes(), before) {
				t.Errorf("%s comes after %s, which is none", p.name, before)
			}
		}
		have = append(have, p.name)
	}
	slices.Sort(have)
	want := slices.Sorted(slices.Values(snapshot.Probes()))
	if !slices.Equal(have, want) {
		t.Errorf("runs %q, want %q", have, want)
	}
}

func TestOnlyTakesWhatComesBefore(t *testing.T) {
	var names []snapshot.Probe
	for _, p := range only(Local("/").probes(), []snapshot.Probe{snapshot.ProbeSelfReview}) {
		names = append(names, p.name)
	}
	want := []snapshot.Probe{snapshot.ProbeIMDS, snapshot.ProbeKubeconfig, snapshot.ProbeProxy, snapshot.ProbeSelfReview}
	if !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
}

// A reader that hangs is not joined by another each time that the machine is
// read again.
func TestReadersDoNotPileUp(t *testing.T) {
	var all readers
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	var began atomic.Int32
	hung := all.alone(probe{snapshot.ProbeDisks, nil, time.Millisecond, func(context.Context, *snapshot.Host) (fill, error) {
		began.Add(1)
		<-never
		return nil, nil
	}})
	for range 3 {
		facts := gather(context.Background(), []probe{hung}, time.Minute)
		if gap := gapOfProbe(t, &facts, snapshot.ProbeDisks); gap.Reason != snapshot.GapTimeout {
			t.Errorf("%+v", gap)
		}
	}
	if n := began.Load(); n != 1 {
		t.Errorf("%d readers hang", n)
	}
}
