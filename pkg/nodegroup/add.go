package nodegroup

import (
	"context"
	"fmt"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Outputs of the stack that adding needs; AWS's template has the same names.
const (
	outputRole          = "NodeInstanceRole"
	outputGroup         = "NodeAutoScalingGroup"
	outputSecurityGroup = "NodeSecurityGroup"
)

// Adder carries a plan out. It is the only writer of `add`, and each of its
// steps looks first whether it is done.
type Adder struct {
	Stacks   Stacks
	Writer   StackWriter
	Groups   Groups
	Nodes    NodeWatcher
	Entries  Entries
	AwsAuth  AwsAuth
	Keys     Keys
	Progress Progress

	StackPoll time.Duration // between two looks at the stack's events
	JoinPoll  time.Duration // between two looks at the Auto Scaling group
	// Replace allows deleting a stack of the same name that failed to be
	// created and can only be deleted.
	Replace bool
}

// Result is what `add` ends with.
type Result struct {
	Group            string   `json:"group"`
	Cluster          string   `json:"cluster"`
	Stack            string   `json:"stack"`
	AutoScalingGroup string   `json:"autoScalingGroup"`
	RoleARN          string   `json:"roleARN"`
	Instances        []Member `json:"instances"`
}

// Add makes what the plan says, as far as it is not there yet, and waits for
// the nodes. What it returns beside an error is how far it came.
func (a *Adder) Add(ctx context.Context, plan *Plan) (*Result, error) {
	result := &Result{Group: plan.Group, Cluster: plan.Cluster, Stack: plan.Stack.Name}
	work := &tracker{todo: []string{"stack " + plan.Stack.Name, "mapping of the nodes' role", "nodes Ready"}}

	stack, rerun, err := a.ensureStack(ctx, plan, work)
	if err != nil {
		return result, work.interrupted(ctx, err)
	}
	result.RoleARN, result.AutoScalingGroup = plan.roleARN(stack), stack.Outputs[outputGroup]
	if result.RoleARN == "" || result.AutoScalingGroup == "" {
		return result, fmt.Errorf("stack %s has no output %s or %s: its template is not one for node groups", stack.Name, outputRole, outputGroup)
	}
	work.next()

	mapper := mapper{entries: a.Entries, awsAuth: a.AwsAuth, progress: a.Progress}
	if err := mapper.add(ctx, plan.Mapping.Kind, plan.Cluster, result.RoleARN, plan.Stack.Tags); err != nil {
		return result, work.interrupted(ctx, err)
	}
	work.next()
	if plan.NoWait {
		return result, nil
	}
	waiter := Waiter{Groups: a.Groups, Nodes: a.Nodes, Progress: a.Progress, Poll: a.JoinPoll, Rerun: rerun}
	result.Instances, err = waiter.Wait(ctx, result.AutoScalingGroup, plan.Timeout)
	return result, work.interrupted(ctx, err)
}

// ensureStack returns the finished stack; rerun is true when it was finished
// before we came.
func (a *Adder) ensureStack(ctx context.Context, plan *Plan, work *tracker) (stack *snapshot.Stack, rerun bool, err error) {
	existing := plan.Existing
	if existing != nil && mustBeDeleted(existing.Status) {
		if !a.Replace && existing.Status != "DELETE_IN_PROGRESS" {
			return nil, false, &ReplaceError{Stack: *existing}
		}
		if err := a.deleteStack(ctx, plan, existing); err != nil {
			return nil, false, err
		}
		existing = nil
	}
	if existing == nil {
		stack, err := a.createStack(ctx, plan, work)
		return stack, false, err
	}
	if InProgress(existing.Status) {
		work.begin()
		a.Progress.Report(Step{Topic: "stack", Subject: existing.Name, State: "taken up where it is"})
		stack, err := a.followCreate(ctx, existing.ID)
		return stack, false, err
	}
	a.Progress.Report(Step{Topic: "stack", Subject: existing.Name, State: "there already", Detail: existing.Status})
	return existing, true, nil
}

func (a *Adder) createStack(ctx context.Context, plan *Plan, work *tracker) (*snapshot.Stack, error) {
	if plan.ImportKey != "" {
		if err := a.Keys.ImportKeyPair(ctx, plan.KeyName, plan.ImportKey, plan.Stack.Tags); err != nil {
			return nil, fmt.Errorf("import key pair %s: %w", plan.KeyName, err)
		}
		a.Progress.Report(Step{Topic: "key", Subject: plan.KeyName, State: "imported"})
	}
	work.begin()
	id, err := a.Writer.CreateStack(ctx, plan.Stack)
	if err != nil {
		return nil, fmt.Errorf("create stack %s: %w", plan.Stack.Name, err)
	}
	return a.followCreate(ctx, id)
}

func (a *Adder) followCreate(ctx context.Context, id string) (*snapshot.Stack, error) {
	follower := follower{stacks: a.Stacks, progress: a.Progress, poll: a.StackPoll}
	out, err := follower.follow(ctx, id, "")
	if err != nil {
		return nil, err
	}
	if out.stack == nil || out.stack.Status != "CREATE_COMPLETE" && out.stack.Status != "UPDATE_COMPLETE" {
		return nil, &StackError{Name: stackName(id), Stack: out.stack, First: out.first}
	}
	return out.stack, nil
}

func (a *Adder) deleteStack(ctx context.Context, plan *Plan, stack *snapshot.Stack) error {
	a.Progress.Report(Step{Topic: "stack", Subject: stack.Name, State: stack.Status, Detail: "deleting it first"})
	eraser := eraser{stacks: a.Stacks, writer: a.Writer, progress: a.Progress, poll: a.StackPoll}
	return eraser.erase(ctx, stack, plan.Stack.RoleARN)
}

// mustBeDeleted reports whether a stack in the state can only be deleted, or
// is being deleted.
func mustBeDeleted(status string) bool {
	switch status {
	case "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", "DELETE_IN_PROGRESS",
		"REVIEW_IN_PROGRESS": // a change set that nobody executed
		return true
	}
	return false
}

// ReplaceError says that a stack of the same name is in the way.
type ReplaceError struct{ Stack snapshot.Stack }

// Error names the stack and its state.
func (e *ReplaceError) Error() string {
	return fmt.Sprintf("stack %s is %s and can only be deleted", e.Stack.Name, e.Stack.Status)
}

// StackError says that a stack could not be made or deleted, and why.
type StackError struct {
	Name  string
	Stack *snapshot.Stack // nil: it is gone
	First *StackEvent     // the first failure
}

// Error gives the first failure: the later ones follow from it.
func (e *StackError) Error() string {
	state := "is gone"
	if e.Stack != nil {
		state = "is " + e.Stack.Status
	}
	if e.First == nil {
		return fmt.Sprintf("stack %s %s", e.Name, state)
	}
	return fmt.Sprintf("stack %s %s: %s %s: %s", e.Name, state, e.First.Resource, e.First.Status, e.First.Reason)
}

// Usable reports whether a stack stands or is being made: an `add` of its
// name goes on with it. Any other stack must be deleted first.
func Usable(stack *snapshot.Stack) bool { return stack != nil && !mustBeDeleted(stack.Status) }
