package nodegroup

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const stackResourceType = "AWS::CloudFormation::Stack"

// describeEvery is how many polls of the events go by between two looks at
// the stack itself: the events nearly always say when it has ended.
const describeEvery = 6

// follower reports a stack's events until the stack has ended.
type follower struct {
	stacks   Stacks
	progress Progress
	poll     time.Duration
}

// outcome is how a stack ended.
type outcome struct {
	stack *snapshot.Stack // nil: gone
	first *StackEvent     // the first event that failed, the cause of what came after
}

// follow reports events newer than after and returns when the stack has
// reached a state that it does not leave by itself.
func (f *follower) follow(ctx context.Context, stackID, after string) (outcome, error) {
	var out outcome
	for round := 1; ; round++ {
		events, err := f.stacks.StackEvents(ctx, stackID, after)
		if err != nil {
			return out, fmt.Errorf("read the events of stack %s: %w", stackName(stackID), err)
		}
		ended := false
		for i := range events {
			event := &events[i]
			after = event.ID
			f.report(event)
			if out.first == nil && isCause(event) {
				out.first = event
			}
			ended = isStackItself(event) && !InProgress(event.Status)
		}
		if ended || round%describeEvery == 0 {
			stack, err := f.stacks.Stack(ctx, stackID)
			if err != nil {
				return out, fmt.Errorf("describe stack %s: %w", stackName(stackID), err)
			}
			if stack == nil || !InProgress(stack.Status) {
				out.stack = stack
				return out, nil
			}
		}
		if err := sleep(ctx, f.poll); err != nil {
			return out, err
		}
	}
}

func (f *follower) report(event *StackEvent) {
	subject := event.Resource
	if isStackItself(event) {
		subject = stackName(event.PhysicalID)
	}
	detail := event.Reason
	if !failedStatus(event.Status) && !isStackItself(event) {
		detail = "" // "Resource creation Initiated" and the like
	}
	if isStackItself(event) && event.Reason == "User Initiated" {
		detail = ""
	}
	f.progress.Report(Step{Topic: "stack", Subject: subject, State: event.Status, Detail: detail, Bad: failedStatus(event.Status)})
}

// InProgress reports whether a stack or a resource with the status is still
// changing.
func InProgress(status string) bool { return strings.HasSuffix(status, "_IN_PROGRESS") }

func failedStatus(status string) bool {
	return strings.HasSuffix(status, "_FAILED") || strings.Contains(status, "ROLLBACK")
}

// isCause reports whether an event is a failure of its own: CloudFormation
// also fails whatever was under way beside the resource that failed.
func isCause(event *StackEvent) bool {
	return strings.HasSuffix(event.Status, "_FAILED") && !strings.Contains(event.Reason, "cancelled")
}

func isStackItself(event *StackEvent) bool {
	return event.ResourceType == stackResourceType && (event.PhysicalID == "" || strings.Contains(event.PhysicalID, ":stack/"+event.Resource+"/"))
}

// stackName takes the name out of a stack's id; a name is returned as it is.
func stackName(id string) string {
	_, rest, ok := strings.Cut(id, ":stack/")
	if !ok {
		return id
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// sleep waits for d or for the end of the context.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
