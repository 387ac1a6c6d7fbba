// Package agent brings home what a machine says of itself. A road is one way
// of doing so: an agent that is installed, the serial console, SSM Run Command,
// SSH, a pod. For every machine the roads are tried in their order until one
// brings a whole report; which one did, and why the others did not, is part of
// the result.
//
// Whatever comes from a machine is bounded in size and time, and is text of a
// stranger until hostreport has decoded it.
package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Defaults of Options.
const (
	DefaultParallel    = 8
	DefaultNodeTimeout = 2 * time.Minute
	DefaultRoadTimeout = 75 * time.Second
)

// Names of the roads.
const (
	RoadInstalled = snapshot.RoadInstalled
	RoadConsole   = snapshot.RoadConsole
	RoadSSM       = snapshot.RoadSSM
	RoadSSH       = snapshot.RoadSSH
	RoadPod       = snapshot.RoadPod
)

// Road is one way to a machine's report.
type Road struct {
	Name string
	// Fetch goes to the machine and back. Its error is why there is no
	// report: one line for people.
	Fetch func(ctx context.Context, machine *Machine) (Cargo, error)
}

// Cargo is what a road brought, unread.
type Cargo struct {
	// Document is node-agent's report; nil when no agent ran.
	Document []byte
	// Files are raw files of the evidence layout, by their names below
	// node/INSTANCE/, which the collector printed instead.
	Files map[string][]byte
	// Host are facts, of a road that has no more than some.
	Host *snapshot.Host
	// Partial cargo is kept, and the next road tried all the same.
	Partial bool
	// Notes are what the user should know of the journey.
	Notes []string
}

// Attempt is a road that was gone.
type Attempt struct {
	Road string
	// Err is why it brought nothing; nil when it did.
	Err error
}

// Result is what one machine's roads came to.
type Result struct {
	InstanceID string
	// Reports are what came home, decoded, in the order of the roads: at
	// most one of them whole, the last.
	Reports  []Report
	Attempts []Attempt
	Notes    []string
}

// Options of Fetch. Zero values are the defaults.
type Options struct {
	Parallel    int           // machines at once
	NodeTimeout time.Duration // for all roads of one machine
	RoadTimeout time.Duration // for one road
	// Progress is told of each finished machine, one call at a time.
	Progress func(Result)
}

// Fetch goes the roads of all machines, some machines at a time, and returns
// a result for each, in their order. It never fails as a whole: when the
// context ends, the machines that are not done say so.
func Fetch(ctx context.Context, machines []Machine, roads []Road, opts Options) []Result {
	opts = opts.orDefault()
	results := make([]Result, len(machines))
	var told sync.Mutex
	var tasks errgroup.Group
	tasks.SetLimit(opts.Parallel)
	for i := range machines {
		tasks.Go(func() error {
			results[i] = fetchOne(ctx, &machines[i], roads, opts)
			if opts.Progress != nil {
				told.Lock()
				defer told.Unlock()
				opts.Progress(results[i])
			}
			return nil
		})
	}
	_ = tasks.Wait() // no task fails: what fails is in its result
	return results
}

func (o Options) orDefault() Options {
	if o.Parallel <= 0 {
		o.Parallel = DefaultParallel
	}
	if o.NodeTimeout <= 0 {
		o.NodeTimeout = DefaultNodeTimeout
	}
	if o.RoadTimeout <= 0 {
		o.RoadTimeout = DefaultRoadTimeout
	}
	return o
}

// fetchOne goes one machine's roads.
func fetchOne(ctx context.Context, machine *Machine, roads []Road, opts Options) Result {
	ctx, cancel := context.WithTimeout(ctx, opts.NodeTimeout)
	defer cancel()
	result := Result{InstanceID: machine.InstanceID}
	for _, road := range roads {
		if err := ctx.Err(); err != nil {
			result.Attempts = append(result.Attempts, Attempt{road.Name, fmt.Errorf("not tried: %w", inTime(err, opts.NodeTimeout))})
			continue
		}
		cargo, err := goRoad(ctx, road, machine, opts.RoadTimeout)
		result.Notes = append(result.Notes, cargo.Notes...)
		var report Report
		if err == nil {
			report, err = open(road.Name, machine, cargo)
		}
		result.Attempts = append(result.Attempts, Attempt{road.Name, err})
		if err != nil {
			continue
		}
		result.Reports = append(result.Reports, report)
		if !cargo.Partial {
			break
		}
	}
	return result
}

// goRoad calls a road under its deadline and turns a panic into an error.
func goRoad(ctx context.Context, road Road, machine *Machine, timeout time.Duration) (cargo Cargo, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			cargo, err = Cargo{}, fmt.Errorf("the road itself failed: %v", p)
		}
		if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			err = inTime(err, timeout)
		}
	}()
	return road.Fetch(ctx, machine)
}

// inTime says of an error of an ended context what it means.
func inTime(err error, limit time.Duration) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no report within %s: %w", limit, err)
	}
	return err
}

// Why is an attempt's error as one line for people.
func (a Attempt) Why() string {
	if a.Err == nil {
		return ""
	}
	return redact.Line(a.Err.Error())
}
