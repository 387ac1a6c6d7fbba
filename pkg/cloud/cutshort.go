package cloud

import (
	"context"
	"errors"
	"sync"

	"github.com/aws/smithy-go/middleware"
)

// cutShortError is a call that was given up between two tries. The SDK tells
// of the deadline alone; why it tried again is what the user must know.
type cutShortError struct{ last, err error }

func (e *cutShortError) Error() string { return e.last.Error() }

// Unwrap returns what the last try failed with, and why there was no other.
func (e *cutShortError) Unwrap() []error { return []error{e.last, e.err} }

// lastTry is what the last try of one call failed with.
type lastTry struct {
	mu  sync.Mutex
	err error
}

func (l *lastTry) set(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

func (l *lastTry) get() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

type lastTryKey struct{}

// keepLastTry adds to a call's middleware what makes a cutShortError.
func keepLastTry(stack *middleware.Stack) error {
	call := middleware.InitializeMiddlewareFunc("CutShort", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		last := &lastTry{}
		out, metadata, err := next.HandleInitialize(context.WithValue(ctx, lastTryKey{}, last), in)
		if why := last.get(); err != nil && why != nil && ctx.Err() != nil && !ended(why) {
			err = &cutShortError{last: why, err: err}
		}
		return out, metadata, err
	})
	try := middleware.FinalizeMiddlewareFunc("LastTry", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleFinalize(ctx, in)
		if last, ok := ctx.Value(lastTryKey{}).(*lastTry); ok && (err == nil || !ended(err)) {
			last.set(err)
		}
		return out, metadata, err
	})
	if err := stack.Initialize.Add(call, middleware.Before); err != nil {
		return err
	}
	if _, retries := stack.Finalize.Get("Retry"); !retries { // what is only signed is not tried
		return nil
	}
	return stack.Finalize.Insert(try, "Retry", middleware.After)
}

// ended reports whether an error says no more than that the time is over.
func ended(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}
