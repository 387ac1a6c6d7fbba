package gather

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const (
	cluster = snapshot.SectionCluster
	subnets = snapshot.SectionSubnets
	images  = snapshot.SectionImages
	nodes   = snapshot.SectionNodes
)

// reads is a source that fills in one tag-like fact.
func reads(section snapshot.Section, after ...snapshot.Section) Source {
	return Source{Section: section, After: after, Read: func(_ context.Context, known *snapshot.Snapshot) (Fill, error) {
		for _, need := range after {
			if !slices.Contains(known.Catalog.KeyPairs, string(need)) {
				return nil, fmt.Errorf("%s was not known", need)
			}
		}
		return func(s *snapshot.Snapshot) {
			s.Catalog.KeyPairs = append(slices.Clone(s.Catalog.KeyPairs), string(section))
		}, nil
	}}
}

func fails(section snapshot.Section, err error) Source {
	return Source{Section: section, Read: func(context.Context, *snapshot.Snapshot) (Fill, error) { return nil, err }}
}

// only returns the gaps of sections that were asked for.
func only(snap snapshot.Snapshot) []snapshot.Gap {
	return slices.DeleteFunc(slices.Clone(snap.Gaps), func(g snapshot.Gap) bool { return g.Reason == snapshot.GapNotAsked })
}

func TestSourcesSeeWhatTheyComeAfter(t *testing.T) {
	var states []string
	snap := Run(t.Context(), snapshot.Snapshot{}, []Source{reads(images, cluster, subnets), reads(subnets, cluster), reads(cluster)},
		func(section snapshot.Section, state State) {
			states = append(states, string(section)+" "+string(state))
		})
	if gaps := only(snap); len(gaps) > 0 {
		t.Errorf("gaps %+v", gaps)
	}
	want := "eks/cluster started,eks/cluster done,ec2/subnets started,ec2/subnets done,ec2/images started,ec2/images done"
	if got := strings.Join(states, ","); got != want {
		t.Errorf("got %s", got)
	}
	if snap.CollectedAt.IsZero() {
		t.Error("no time")
	}
}

// TestSourcesRunAtOnce would hang if one source waited for the other to end.
func TestSourcesRunAtOnce(t *testing.T) {
	var both sync.WaitGroup
	both.Add(2)
	meet := func(section snapshot.Section) Source {
		return Source{Section: section, Read: func(context.Context, *snapshot.Snapshot) (Fill, error) {
			both.Done()
			both.Wait()
			return nil, nil
		}}
	}
	if gaps := only(Run(t.Context(), snapshot.Snapshot{}, []Source{meet(cluster), meet(nodes)}, nil)); len(gaps) > 0 {
		t.Errorf("gaps %+v", gaps)
	}
}

type denied struct{}

func (denied) Error() string                 { return "access denied: eks:DescribeCluster" }
func (denied) GapReason() snapshot.GapReason { return snapshot.GapDenied }
func (denied) GapFix() string                { return "ask for it" }

func TestFailureIsAGapAndSoIsWhatNeedsIt(t *testing.T) {
	snap := Run(t.Context(), snapshot.Snapshot{}, []Source{
		fails(cluster, fmt.Errorf("read: %w", denied{})), reads(subnets, cluster), reads(images, subnets), reads(nodes),
	}, nil)
	want := []snapshot.Gap{
		{Section: images, Reason: snapshot.GapDenied, Detail: "needs ec2/subnets: needs eks/cluster: read: access denied: eks:DescribeCluster", Fix: "ask for it"},
		{Section: subnets, Reason: snapshot.GapDenied, Detail: "needs eks/cluster: read: access denied: eks:DescribeCluster", Fix: "ask for it"},
		{Section: cluster, Reason: snapshot.GapDenied, Detail: "read: access denied: eks:DescribeCluster", Fix: "ask for it"},
	}
	if got := only(snap); !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
	if !slices.Equal(snap.Catalog.KeyPairs, []string{string(nodes)}) {
		t.Errorf("the independent source was not read: %v", snap.Catalog.KeyPairs)
	}
}

func TestReasons(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want snapshot.GapReason
	}{
		"known":    {denied{}, snapshot.GapDenied},
		"deadline": {fmt.Errorf("x: %w", context.DeadlineExceeded), snapshot.GapTimeout},
		"other":    {errors.New("x"), snapshot.GapOther},
	} {
		snap := Run(t.Context(), snapshot.Snapshot{}, []Source{fails(cluster, test.err)}, nil)
		if got := only(snap)[0].Reason; got != test.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestPanicIsAGap(t *testing.T) {
	snap := Run(t.Context(), snapshot.Snapshot{}, []Source{{Section: cluster, Read: func(context.Context, *snapshot.Snapshot) (Fill, error) { panic("oops") }}}, nil)
	if gaps := only(snap); len(gaps) != 1 || !strings.Contains(gaps[0].Detail, "oops") {
		t.Errorf("gaps %+v", gaps)
	}
}

type throttled struct{ error }

func (throttled) GapReason() snapshot.GapReason { return snapshot.GapThrottled }

func TestDeadlines(t *testing.T) {
	slow := func(err func(error) error) Source {
		return Source{Section: cluster, Timeout: 5 * time.Second, Read: func(ctx context.Context, _ *snapshot.Snapshot) (Fill, error) {
			<-ctx.Done()
			return nil, err(ctx.Err())
		}}
	}
	for name, test := range map[string]struct {
		source Source
		want   snapshot.GapReason
	}{
		"listens":             {slow(func(err error) error { return err }), snapshot.GapTimeout},
		"in words of its own": {slow(func(error) error { return errors.New("gave up") }), snapshot.GapTimeout},
		"throttled all along": {slow(func(err error) error { return throttled{err} }), snapshot.GapThrottled},
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			gaps := only(Run(t.Context(), snapshot.Snapshot{}, []Source{test.source}, nil))
			if len(gaps) != 1 || gaps[0].Reason != test.want || !strings.Contains(gaps[0].Detail, "5s") {
				t.Errorf("%s: %+v", name, gaps)
			}
			if took := time.Since(start); took != 5*time.Second {
				t.Errorf("%s took %s", name, took)
			}
		})
	}
}

func TestReaderThatIgnoresItsContextIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		deaf := Source{Section: cluster, Timeout: time.Second, Read: func(context.Context, *snapshot.Snapshot) (Fill, error) {
			<-release
			return nil, nil
		}}
		start := time.Now()
		gaps := only(Run(t.Context(), snapshot.Snapshot{}, []Source{deaf}, nil))
		if len(gaps) != 1 || gaps[0].Reason != snapshot.GapTimeout {
			t.Errorf("gaps %+v", gaps)
		}
		if took := time.Since(start); took > time.Second+grace {
			t.Errorf("took %s", took)
		}
		close(release)
	})
}

func TestInterruptEndsIt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	waits := Source{Section: cluster, Read: func(ctx context.Context, _ *snapshot.Snapshot) (Fill, error) {
		cancel()
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	if gaps := only(Run(ctx, snapshot.Snapshot{}, []Source{waits}, nil)); len(gaps) != 1 || gaps[0].Reason != snapshot.GapOther {
		t.Errorf("gaps %+v", gaps)
	}
}

func TestCircleIsSaid(t *testing.T) {
	gaps := only(Run(t.Context(), snapshot.Snapshot{}, []Source{reads(cluster, subnets), reads(subnets, cluster)}, nil))
	if len(gaps) != 2 || !strings.Contains(gaps[0].Detail, "circle") {
		t.Errorf("gaps %+v", gaps)
	}
}

// TestSecondRun reads what the first left out and forgets only that gap.
func TestSecondRun(t *testing.T) {
	first := Run(t.Context(), snapshot.Snapshot{}, []Source{reads(cluster), fails(nodes, errors.New("x"))}, nil)
	if gap, ok := first.Gap(subnets, ""); !ok || gap.Reason != snapshot.GapNotAsked {
		t.Fatalf("subnets: %+v", gap)
	}
	second := Run(t.Context(), first, []Source{reads(subnets, cluster)}, nil)
	if _, ok := second.Gap(subnets, ""); ok {
		t.Error("subnets are still a gap")
	}
	for _, section := range []snapshot.Section{nodes, images} {
		if _, ok := second.Gap(section, ""); !ok {
			t.Errorf("the gap of %s is gone", section)
		}
	}
	if _, ok := second.Gap(cluster, ""); ok {
		t.Error("cluster became a gap")
	}
	if _, ok := first.Gap(subnets, ""); !ok {
		t.Error("the second run changed the first snapshot")
	}
}
