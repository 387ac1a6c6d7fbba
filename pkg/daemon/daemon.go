// Package daemon is `node-agent serve`: it looks at the machine again and
// again, and tells the cluster and the machine's monitoring what it sees.
//
// It is the one part of node-agent that listens and writes. It writes a
// condition of its own type to its own Node, and Events of it, when what it
// sees has changed; and it prints the machine's report, where `kubectl logs`
// finds it.
package daemon

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/hostreport"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Defaults of Daemon.
const (
	DefaultInterval = 20 * time.Second
	DefaultRemote   = 5 * time.Minute
	// DefaultListen is beside the VPC CNI's ports, 61678 and 61679.
	DefaultListen = "127.0.0.1:61690"
)

const (
	// confirmAfter is when a state is looked at again that is not the one
	// before: what passes within seconds, as a kubelet that starts again, is
	// not told.
	confirmAfter = 5 * time.Second
	// lookLimit is how long a look may take on the sickest machine.
	lookLimit = 30 * time.Second
	// reportEvery is how often the report is printed at least: logs are
	// rotated.
	reportEvery = 10 * time.Minute
)

// Machine is what is looked at.
type Machine interface {
	// Read reads everything, ReadOnly the probes of these names and those that
	// they begin with.
	Read(ctx context.Context) snapshot.Host
	ReadOnly(ctx context.Context, names ...snapshot.Probe) snapshot.Host
}

// Daemon looks and tells. Zero values of times are the defaults.
type Daemon struct {
	Machine Machine
	Judge   func(*snapshot.Host) report.Report
	// API is where the condition is published; nil for nowhere.
	API      API
	Version  string        // the agent's
	Interval time.Duration // from the end of a look to the next one
	// Remote is how often is asked what AWS and the cluster take the machine
	// for: on each of thousands of nodes that is no small thing.
	Remote time.Duration
	// Out takes reports, a line each; Log takes what goes wrong.
	Out, Log io.Writer
	Now      func() time.Time // nil: time.Now

	once      sync.Once // prepare
	publisher *publisher
	remote    snapshot.Host // the last whole look: what AWS and the cluster told
	asked     time.Time     // when that was
	printed   time.Time     // of the last report
	shown     *Condition    // that it was printed with
	candidate *Condition    // seen once, and not yet told

	mutex sync.Mutex // of what the HTTP server shows
	seen  status
}

// Run looks until the context ends, which is no error.
func (d *Daemon) Run(ctx context.Context) error {
	d.once.Do(d.prepare)
	for {
		pause := d.look(ctx)
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

func (d *Daemon) prepare() {
	if d.Interval <= 0 {
		d.Interval = DefaultInterval
	}
	if d.Remote <= 0 {
		d.Remote = DefaultRemote
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.API != nil {
		d.publisher = newPublisher(d.API, d.Now)
	}
	d.seen = status{version: d.Version, writes: map[string]int{}}
}

// look looks once, tells what has changed, and returns how long to wait for
// the next look.
func (d *Daemon) look(ctx context.Context) time.Duration {
	began := d.Now()
	facts := d.read(ctx)
	if ctx.Err() != nil {
		return 0 // a look that was interrupted tells nothing
	}
	verdict := d.Judge(&facts)
	condition := conditionOf(&verdict)
	d.mutex.Lock()
	d.seen.condition, d.seen.verdict, d.seen.at, d.seen.took = condition, verdict, d.Now(), d.Now().Sub(began)
	d.seen.rounds++
	d.mutex.Unlock()
	if !d.confirmed(&condition) {
		return min(confirmAfter, d.Interval)
	}
	d.print(&facts, &condition)
	if d.publisher != nil {
		d.publish(ctx, condition)
	}
	return d.Interval
}

// confirmed reports whether a condition was seen twice in a row. The first one
// after a start is taken as it is.
func (d *Daemon) confirmed(condition *Condition) bool {
	before := d.candidate
	d.candidate = condition
	return before == nil || before.same(condition)
}

func (d *Daemon) publish(ctx context.Context, condition Condition) {
	written, err := d.publisher.publish(ctx, condition)
	if err != nil {
		fmt.Fprintln(d.Log, redact.Line(err.Error()))
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	switch {
	case err != nil:
		d.seen.writes[writeFailed]++
	case written:
		d.seen.writes[wroteCondition]++
	}
}

// remoteProbes are those that ask AWS and the cluster about the machine.
func remoteProbes() []snapshot.Probe {
	return []snapshot.Probe{snapshot.ProbeIdentity, snapshot.ProbeToken, snapshot.ProbeSelfReview}
}

// read reads the machine; what AWS and the cluster take it for only now and
// then, but each time while that is not as it should be.
func (d *Daemon) read(ctx context.Context) snapshot.Host {
	if d.asked.IsZero() || d.Now().Sub(d.asked) >= d.Remote || !remoteWell(&d.remote) {
		d.remote, d.asked = d.Machine.Read(ctx), d.Now()
		return d.remote
	}
	var local []snapshot.Probe
	for _, probe := range snapshot.Probes() {
		if !isRemote(probe) {
			local = append(local, probe)
		}
	}
	facts := d.Machine.ReadOnly(ctx, local...)
	facts.Identity, facts.Token, facts.SelfReview = d.remote.Identity, d.remote.Token, d.remote.SelfReview
	for _, gap := range d.remote.Gaps {
		if isRemote(gap.Probe) {
			facts.Gaps = append(facts.Gaps, gap)
		}
	}
	return facts
}

func isRemote(probe snapshot.Probe) bool {
	return slices.Contains(remoteProbes(), probe)
}

// remoteWell reports whether AWS and the cluster know the machine.
func remoteWell(facts *snapshot.Host) bool {
	return facts.Identity != nil && facts.Identity.Failure == nil &&
		facts.Token != nil && facts.Token.Failure == nil &&
		facts.SelfReview != nil && facts.SelfReview.Failure == nil
}

// print prints the report when the node's state has changed, and now and then.
func (d *Daemon) print(facts *snapshot.Host, condition *Condition) {
	now := d.Now()
	if d.shown != nil && d.shown.same(condition) && now.Sub(d.printed) < reportEvery {
		return
	}
	d.shown, d.printed = condition, now
	fmt.Fprintf(d.Log, "%s %s: %s\n", condition.Status, condition.Reason, redact.Line(condition.Message))
	var line bytes.Buffer // whole or not at all
	if err := hostreport.New(d.Version, *facts, nil).EncodeCompact(&line); err != nil {
		fmt.Fprintln(d.Log, redact.Line(err.Error()))
		return
	}
	if _, err := d.Out.Write(line.Bytes()); err != nil {
		fmt.Fprintln(d.Log, "print the report:", redact.Line(err.Error()))
	}
}
