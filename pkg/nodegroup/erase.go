package nodegroup

import (
	"context"
	"fmt"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// eraser deletes a stack and follows the deletion to its end.
type eraser struct {
	stacks   Stacks
	writer   StackWriter
	progress Progress
	poll     time.Duration
	asked    func() // told when AWS has taken the deletion on; may be nil
}

// erase deletes the stack, or goes on watching a deletion that is under way.
// Deleting takes no request token: it is repeatable as it is, and a token
// would make the second try after DELETE_FAILED a repeat of the first.
func (e *eraser) erase(ctx context.Context, stack *snapshot.Stack, serviceRole string) error {
	after, err := e.before(ctx, stack)
	if err != nil {
		return err
	}
	if stack.Status != "DELETE_IN_PROGRESS" {
		if err := e.writer.DeleteStack(ctx, stack.ID, serviceRole); err != nil {
			return fmt.Errorf("delete stack %s: %w", stack.Name, err)
		}
	}
	if e.asked != nil {
		e.asked()
	}
	follower := follower{stacks: e.stacks, progress: e.progress, poll: e.poll}
	out, err := follower.follow(ctx, stack.ID, after)
	if err != nil {
		return err
	}
	if out.stack != nil && out.stack.Status != "DELETE_COMPLETE" {
		return &StackError{Name: stack.Name, Stack: out.stack, First: out.first}
	}
	return nil
}

// before returns the id of the last event that is not part of the deletion:
// what failed when the stack was made is not why it cannot be deleted.
func (e *eraser) before(ctx context.Context, stack *snapshot.Stack) (string, error) {
	events, err := e.stacks.StackEvents(ctx, stack.ID, "")
	if err != nil {
		return "", fmt.Errorf("read the events of stack %s: %w", stack.Name, err)
	}
	if stack.Status == "DELETE_IN_PROGRESS" {
		for i := len(events) - 1; i >= 0; i-- {
			if isStackItself(&events[i]) && events[i].Status == "DELETE_IN_PROGRESS" {
				events = events[:i]
				break
			}
		}
	}
	if len(events) == 0 {
		return "", nil
	}
	return events[len(events)-1].ID, nil
}
