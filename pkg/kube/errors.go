package kube

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Kind is what an error of the API server means to us.
type Kind string

// The kinds.
const (
	Denied       Kind = "denied"       // RBAC says no
	Unauthorized Kind = "unauthorized" // the API server does not know the caller
	Absent       Kind = "absent"
	Exists       Kind = "exists"
	Conflict     Kind = "conflict"
	Throttled    Kind = "throttled"
	Unreachable  Kind = "unreachable" // no answer
	Other        Kind = "other"
)

// Error is a failed request to the API server.
type Error struct {
	Doing string // "list nodes": verb, resource, name
	Kind  Kind
	err   error
}

// Error says what failed in one line.
func (e *Error) Error() string {
	if e.Kind == Denied {
		return "access denied: " + e.Doing
	}
	var file interface {
		error
		GapReason() snapshot.GapReason
	}
	if errors.As(e.err, &file) { // without the request that was never sent
		return e.Doing + ": " + redact.Line(file.Error())
	}
	return fmt.Sprintf("%s: %s", e.Doing, redact.Line(e.err.Error()))
}

// Unwrap returns the client's error.
func (e *Error) Unwrap() error { return e.err }

// GapReason classifies the error for a gap; what read from a file knows why
// by itself.
func (e *Error) GapReason() snapshot.GapReason {
	meaning := map[Kind]snapshot.GapReason{
		Denied: snapshot.GapDenied, Unauthorized: snapshot.GapDenied, Absent: snapshot.GapAbsent,
		Throttled: snapshot.GapThrottled, Unreachable: snapshot.GapUnreachable,
	}
	return gather.ReasonOf(e.err, cmp.Or(meaning[e.Kind], snapshot.GapOther))
}

// GapFix says what would help.
func (e *Error) GapFix() string {
	switch e.Kind {
	case Denied, Unauthorized:
		return "kubectl auth whoami"
	}
	return gather.FixOf(e.err, "")
}

// IsKind reports whether the error is one of the API server of these kinds.
func IsKind(err error, kinds ...Kind) bool {
	var e *Error
	return errors.As(err, &e) && slices.Contains(kinds, e.Kind)
}

// wrap turns a client's error into ours; nil stays nil.
func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Doing: doing, Kind: kindOf(err), err: err}
}

func kindOf(err error) Kind {
	var network net.Error
	switch {
	case apierrors.IsForbidden(err):
		return Denied
	case apierrors.IsUnauthorized(err):
		return Unauthorized
	case apierrors.IsNotFound(err):
		return Absent
	case apierrors.IsAlreadyExists(err):
		return Exists
	case apierrors.IsConflict(err):
		return Conflict
	case apierrors.IsTooManyRequests(err):
		return Throttled
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return Other
	case errors.As(err, &network):
		return Unreachable
	}
	return Other
}
