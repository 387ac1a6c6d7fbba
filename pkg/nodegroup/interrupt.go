package nodegroup

import (
	"context"
	"errors"
)

// tracker knows which steps are done, for somebody who interrupts.
type tracker struct {
	done, todo []string
	begun      bool // AWS has been asked for the first of todo and goes on with it
}

func (t *tracker) begin() { t.begun = true }

func (t *tracker) next() {
	t.done, t.todo, t.begun = append(t.done, t.todo[0]), t.todo[1:], false
}

// interrupted turns the end of the context into an *[InterruptedError], or a
// *[DeadlineError] when the run's time is over.
func (t *tracker) interrupted(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	out := InterruptedError{Done: t.done, Left: t.todo}
	if t.begun {
		out.UnderWay, out.Left = t.todo[0], t.todo[1:]
	}
	switch {
	case errors.Is(context.Cause(ctx), context.Canceled):
		return &out
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &DeadlineError{Progress: out, Cause: err}
	}
	return err
}

// DeadlineError says that the time of a run is over. Nothing is undone: the
// same command goes on.
type DeadlineError struct {
	Progress InterruptedError
	Cause    error // what the run was doing
}

// Error says what was going on; commands print what is done and what is not.
func (e *DeadlineError) Error() string { return "the time of the run is over: " + e.Cause.Error() }

// Unwrap returns the cause.
func (e *DeadlineError) Unwrap() error { return e.Cause }

// InterruptedError says what was done and what was not when the user
// stopped the command. Nothing is undone: the same command goes on.
type InterruptedError struct {
	Done     []string
	UnderWay string // AWS goes on with it
	Left     []string
}

// Error is the short form; commands print the two lists.
func (e *InterruptedError) Error() string { return "interrupted" }

// Unwrap makes errors.Is(err, context.Canceled) true.
func (e *InterruptedError) Unwrap() error { return context.Canceled }
