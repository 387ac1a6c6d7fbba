package nodegroup

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/stack"
)

// The stack's parameters that say what a machine is; AWS's template has the same.
const (
	paramImage      = "NodeImageId"
	paramType       = "NodeInstanceType"
	paramVolumeSize = "NodeVolumeSize"
	paramVolumeType = "NodeVolumeType"
)

// StackUpdate is what UpdateStack is called with.
type StackUpdate struct {
	StackID      string
	TemplateBody string // "": the template stays
	Parameters   map[string]string
	Keep         []string          // parameters that keep their values
	Tags         map[string]string // nil: they stay
	Capabilities []string
	RoleARN      string
	Token        string
}

// StackUpdater updates stacks.
type StackUpdater interface {
	// UpdateStack asks for the update; changed is false when the stack is so
	// already.
	UpdateStack(ctx context.Context, update StackUpdate) (changed bool, err error)
}

// newUpdate is an update of some parameters; what is not named stays.
func newUpdate(of *snapshot.Stack, parameters map[string]string, serviceRole, token string) StackUpdate {
	update := StackUpdate{
		StackID: of.ID, RoleARN: serviceRole, Token: token, Capabilities: []string{stack.CapabilityIAM}, Parameters: parameters,
	}
	for _, parameter := range slices.Sorted(maps.Keys(of.Parameters)) {
		if _, set := parameters[parameter]; !set {
			update.Keep = append(update.Keep, parameter)
		}
	}
	return update
}

// sizeParameters are the sizes as parameters of a stack.
func sizeParameters(sizes Bounds) map[string]string {
	return map[string]string{
		paramMin: strconv.Itoa(sizes.Min), paramDesired: strconv.Itoa(sizes.Desired), paramMax: strconv.Itoa(sizes.Max),
	}
}

// stackChanger updates a stack and follows the update to its end.
type stackChanger struct {
	stacks   Stacks
	updater  StackUpdater
	progress Progress
	poll     time.Duration
}

// change updates; begun is called when AWS has taken the update on. The error
// of an update that does not come to its end well is a *[StackError].
func (c *stackChanger) change(ctx context.Context, stack *snapshot.Stack, update StackUpdate, begun func()) error {
	events, err := c.stacks.StackEvents(ctx, stack.ID, "")
	if err != nil {
		return fmt.Errorf("read the events of stack %s: %w", stack.Name, err)
	}
	after := ""
	if len(events) > 0 {
		after = events[len(events)-1].ID
	}
	changed, err := c.updater.UpdateStack(ctx, update)
	if err != nil {
		return fmt.Errorf("update stack %s: %w", stack.Name, err)
	}
	begun()
	if !changed {
		c.progress.Report(Step{Topic: "stack", Subject: stack.Name, State: "says so already"})
		return nil
	}
	return c.follow(ctx, stack.ID, after)
}

// settle waits for an update that is under way, an earlier run's for instance.
func (c *stackChanger) settle(ctx context.Context, stack *snapshot.Stack) error {
	c.progress.Report(Step{Topic: "stack", Subject: stack.Name, State: "taken up where it is"})
	return c.follow(ctx, stack.ID, "")
}

func (c *stackChanger) follow(ctx context.Context, id, after string) error {
	follower := follower{stacks: c.stacks, progress: c.progress, poll: c.poll}
	out, err := follower.follow(ctx, id, after)
	if err != nil {
		return err
	}
	if out.stack == nil || out.stack.Status != "UPDATE_COMPLETE" {
		return &StackError{Name: stackName(id), Stack: out.stack, First: out.first}
	}
	return nil
}
