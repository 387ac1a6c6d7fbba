// Package parts starts the sandbox's child processes, keeps their logs and knows
// how each one does. It restarts nothing: a part that dies stays dead and is
// shown so, because a test that went on without it would prove nothing.
package parts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/netns"
)

// Spec is one process to start.
type Spec struct {
	Name string // of the part; its log's name, too
	// Netns is the network namespace to start in; empty: the supervisor's own.
	Netns string
	Path  string
	Args  []string // without the program's name
	Env   []string // all of it: nothing is inherited
	Dir   string
}

// Status is how a part does.
type Status struct {
	Name    string    `json:"name"`
	Running bool      `json:"running"`
	PID     int       `json:"pid,omitempty"`  // inside the sandbox's PID namespace
	Exit    string    `json:"exit,omitempty"` // how it ended
	Since   time.Time `json:"since"`          // of its start or its end
	Log     string    `json:"log"`
}

// Set is the parts of one sandbox.
type Set struct {
	log   *slog.Logger
	logOf func(part string) string

	mu    sync.Mutex
	parts []*part
}

type part struct {
	status Status
	done   chan struct{}
}

// New makes an empty set whose parts write to the files that logOf names.
func New(log *slog.Logger, logOf func(part string) string) *Set {
	return &Set{log: log, logOf: logOf}
}

// Start starts a process. It ends with the sandbox's PID namespace at the latest.
func (s *Set) Start(spec Spec) error {
	logPath := s.logOf(spec.Name)
	if err := os.MkdirAll(filepath.Dir(logPath), 0o700); err != nil {
		return fmt.Errorf("make log folder: %w", err)
	}
	out, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open log of %s: %w", spec.Name, err)
	}
	cmd := exec.Command(spec.Path, spec.Args...)
	cmd.Env, cmd.Dir = spec.Env, spec.Dir
	cmd.Stdout, cmd.Stderr = out, out
	start := cmd.Start
	if spec.Netns != "" {
		start = func() error { return netns.Start(spec.Netns, cmd) }
	}
	if err := errors.Join(start(), out.Close()); err != nil {
		return fmt.Errorf("start %s: %w", spec.Name, err)
	}
	p := &part{
		status: Status{Name: spec.Name, Running: true, PID: cmd.Process.Pid, Since: time.Now(), Log: logPath},
		done:   make(chan struct{}),
	}
	s.mu.Lock()
	s.parts = append(s.parts, p)
	s.mu.Unlock()
	s.log.Info("part started", "part", spec.Name, "pid", cmd.Process.Pid)
	go s.wait(p, cmd)
	return nil
}

func (s *Set) wait(p *part, cmd *exec.Cmd) {
	err := cmd.Wait()
	exit := "exit status 0"
	if err != nil {
		exit = err.Error()
	}
	s.log.Error("part ended", "part", p.status.Name, "exit", exit)
	s.mu.Lock()
	p.status.Running, p.status.PID, p.status.Exit, p.status.Since = false, 0, exit, time.Now()
	s.mu.Unlock()
	close(p.done)
}

// Status lists all parts in the order of their start.
func (s *Set) Status() []Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Status, len(s.parts))
	for i, p := range s.parts {
		all[i] = p.status
	}
	return all
}

func (s *Set) find(name string) *part {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.parts {
		if p.status.Name == name {
			return p
		}
	}
	return nil
}

// pollInterval is short: parts come up within fractions of a second.
const pollInterval = 30 * time.Millisecond

// WaitReady polls check until it gives no error, the part dies or ctx is done; the
// error then tells the last of check's and where to read on.
func (s *Set) WaitReady(ctx context.Context, name string, check func(context.Context) error) error {
	p := s.find(name)
	if p == nil {
		return fmt.Errorf("wait for %s: it was never started", name)
	}
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended before it was ready: see %s", name, p.status.Log)
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w: %w (see %s)", name, ctx.Err(), err, p.status.Log)
		case <-tick.C:
		}
	}
}
