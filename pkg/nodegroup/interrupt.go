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

// interrupted turns the end of the context into an *[InterruptedError].
func (t *tracker) interrupted(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || !errors.Is(context.Cause(ctx), context.Canceled) {
		return err
	}
	out := &InterruptedError{Done: t.done, Left: t.todo}
	if t.begun {
		out.UnderWay, out.Left = t.todo[0], t.todo[1:]
	}
	return out
}

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
