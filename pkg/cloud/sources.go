package cloud

import (
	"context"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// stacks reads the stacks asked for; one that does not exist is left out.
func (r reader) stacks(ctx context.Context, _ *snapshot.Snapshot) (gather.Fill, error) {
	var stacks []snapshot.Stack
	for _, name := range r.req.StackNames {
		stack, err := r.DescribeStack(ctx, name)
		if err != nil {
			return nil, err
		}
		if stack == nil {
			continue
		}
		if r.req.StackFailures && troubled(stack.Status) {
			if stack.Failures, err = r.stackFailures(ctx, stack.ID); err != nil {
				return nil, err
			}
		}
		stacks = append(stacks, *stack)
	}
	return func(snap *snapshot.Snapshot) { snap.Stacks = stacks }, nil
}

// troubled reports whether a stack's status says that something of it could
// not be made or changed.
func troubled(status string) bool {
	return strings.HasSuffix(status, "_FAILED") || strings.Contains(status, "ROLLBACK")
}

// maxFailures is how many failures of a stack are kept: what fails after the
// first mostly follows from it.
const maxFailures = 10

// stackFailures reads what a stack could not make from its events. Resources
// that were only cancelled because of another's failure are left out.
func (r reader) stackFailures(ctx context.Context, stack string) ([]snapshot.StackFailure, error) {
	events, err := r.StackEvents(ctx, stack, "")
	if err != nil {
		return nil, err
	}
	var failures []snapshot.StackFailure
	for _, event := range events {
		failed := strings.HasSuffix(event.Status, "_FAILED") && event.PhysicalID != stack && !strings.Contains(event.Reason, "cancelled")
		if failed && len(failures) < maxFailures {
			failures = append(failures, snapshot.StackFailure{Resource: event.LogicalID, Type: event.Type, Reason: event.Reason, At: event.At})
		}
	}
	return failures, nil
}
