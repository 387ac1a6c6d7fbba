// Package cli is the plugin's command line: one file a command, its help
// text included. Exit codes are decided here, in cli.go, and nowhere else.
//
// Rules of the screen: stdout is data, stderr is progress and advice; errors
// are lower case, without a full stop, and say what to do next; nothing is
// asked when stdin is not a terminal; colour only on a terminal and without
// NO_COLOR.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
)

// Exit codes.
const (
	exitOK           = 0
	exitError        = 1   // could not do the work
	exitUsage        = 2   // the command line makes no sense
	exitFails        = 3   // judged, and something fails; or instances did not join
	exitInconclusive = 4   // nothing fails, but a fact that is needed is missing
	exitInterrupted  = 130 // stopped by the user
)

// Streams are the three streams of the process.
type Streams struct {
	In          io.Reader
	Out, ErrOut io.Writer
}

// Main runs one command line (without the program's name) and returns the
// process's exit code. The context ends when the user interrupts.
func Main(ctx context.Context, args []string, streams Streams) int {
	app := &app{streams: streams, screen: newScreen(streams), args: args}
	root := newRoot(app)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil {
		app.explain(err)
	}
	return exitCode(err)
}

// app is what commands share.
type app struct {
	streams Streams
	screen  screen
	args    []string // as typed, to say how to go on
}

// usageError is a command line that makes no sense.
type usageError struct{ error }

// Unwrap returns the cause.
func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// judgedError ends a command whose checks did not allow it to go on.
type judgedError struct {
	text         string
	inconclusive bool
}

// Error returns the text.
func (e *judgedError) Error() string { return e.text }

// exitCode is the one place where errors become exit codes.
func exitCode(err error) int {
	var (
		usage     usageError
		request   *nodegroup.UsageError
		notJoined *nodegroup.NotJoinedError
		judged    *judgedError
		verdict   *verdictError
		remote    *remoteError
	)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &usage), errors.As(err, &request):
		return exitUsage
	case errors.As(err, &remote):
		return remote.code
	case errors.As(err, &notJoined):
		return exitFails
	case errors.As(err, &judged) && judged.inconclusive, errors.As(err, &verdict) && verdict.inconclusive:
		return exitInconclusive
	case errors.As(err, &judged), errors.As(err, &verdict):
		return exitFails
	}
	return exitError
}
