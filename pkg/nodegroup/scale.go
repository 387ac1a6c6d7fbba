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

// StackUpdate is what UpdateStack is called with: parameters that change, all
// others and the template staying as they are.
type StackUpdate struct {
	StackID      string
	Parameters   map[string]string
	Keep         []string // parameters that keep their values
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

// GroupSizer sets the sizes of an Auto Scaling group itself.
type GroupSizer interface {
	SetSize(ctx context.Context, group string, sizes Bounds) error
}

// Protection keeps instances from being chosen by a scale-in, marked by a tag.
type Protection interface {
	// Protect marks and protects.
	Protect(ctx context.Context, group string, instances []string, tag string) error
	// Release takes protection and mark off; instances that are gone are no
	// error.
	Release(ctx context.Context, group string, instances []string, tag string) error
}

// Scaler carries a [ScalePlan] out.
type Scaler struct {
	Stacks     Stacks
	Updater    StackUpdater
	Sizer      GroupSizer
	Groups     Groups
	Protection Protection
	Drainer    Drainer
	Watcher    NodeWatcher
	Nodes      NodeDeleter
	Progress   Progress
	StackPoll  time.Duration
	JoinPoll   time.Duration
	Timeout    time.Duration // for what is added, and for what goes
}

// Scale gives the group its sizes through its stack. What goes is drained
// first, while what stays is protected from scale-in, so that Auto Scaling
// ends exactly the instances that were drained; what comes is waited for.
func (s *Scaler) Scale(ctx context.Context, plan *ScalePlan) ([]Member, error) {
	work := &tracker{todo: []string{"drain", "stack " + plan.Stack.Name, "instances gone", "nodes Ready"}}
	if err := s.empty(ctx, plan); err != nil {
		s.release(context.WithoutCancel(ctx), plan)
		return nil, work.interrupted(ctx, err)
	}
	work.next()
	if err := s.update(ctx, plan, work); err != nil {
		if !work.begun {
			s.release(context.WithoutCancel(ctx), plan)
		}
		return nil, work.interrupted(ctx, err)
	}
	work.next()
	if err := s.awaitGone(ctx, plan); err != nil {
		return nil, work.interrupted(ctx, err)
	}
	s.release(ctx, plan)
	for _, victim := range plan.Remove {
		if victim.Node == "" {
			continue
		}
		if err := s.Nodes.DeleteNode(ctx, victim.Node, victim.InstanceID); err != nil {
			return nil, work.interrupted(ctx, fmt.Errorf("delete node %s: %w", victim.Node, err))
		}
	}
	work.next()
	waiter := Waiter{Groups: s.Groups, Nodes: s.Watcher, Progress: s.Progress, Poll: s.JoinPoll, Rerun: true}
	members, err := waiter.Wait(ctx, plan.ASGName, s.Timeout)
	return members, work.interrupted(ctx, err)
}

// empty protects what stays and drains what goes.
func (s *Scaler) empty(ctx context.Context, plan *ScalePlan) error {
	if len(plan.Remove) == 0 {
		return nil
	}
	if len(plan.Protect) > 0 {
		if err := s.Protection.Protect(ctx, plan.ASGName, plan.Protect, TagProtected); err != nil {
			return fmt.Errorf("protect what stays from scale-in: %w", err)
		}
		s.Progress.Report(Step{Topic: "group", Subject: plan.ASGName, State: fmt.Sprintf("%d protected from scale-in", len(plan.Protect))})
	}
	var marked []string // victims of now that an earlier run meant to keep
	for _, victim := range plan.Remove {
		if slices.Contains(plan.Release, victim.InstanceID) {
			marked = append(marked, victim.InstanceID)
		}
	}
	if len(marked) > 0 {
		if err := s.Protection.Release(ctx, plan.ASGName, marked, TagProtected); err != nil {
			return fmt.Errorf("take the protection off %v: %w", marked, err)
		}
	}
	var names []string
	for _, victim := range plan.Remove {
		if victim.Node == "" {
			continue
		}
		names = append(names, victim.Node)
		if !plan.SkipDrain {
			s.Progress.Report(Step{Topic: "drain", Subject: victim.InstanceID, State: "draining", Detail: victim.Node})
		}
	}
	if plan.SkipDrain || len(names) == 0 {
		return nil
	}
	if err := s.Drainer.Drain(ctx, names); err != nil {
		return fmt.Errorf("drain: %w", err)
	}
	return nil
}

// update brings the stack, and a group that somebody has changed behind it, to
// the sizes.
func (s *Scaler) update(ctx context.Context, plan *ScalePlan, work *tracker) error {
	events, err := s.Stacks.StackEvents(ctx, plan.Stack.ID, "")
	if err != nil {
		return fmt.Errorf("read the events of stack %s: %w", plan.Stack.Name, err)
	}
	after := ""
	if len(events) > 0 {
		after = events[len(events)-1].ID
	}
	changed, err := s.Updater.UpdateStack(ctx, plan.update())
	if err != nil {
		return fmt.Errorf("update stack %s: %w", plan.Stack.Name, err)
	}
	work.begin()
	if changed {
		if err := s.follow(ctx, plan.Stack.ID, after); err != nil {
			return err
		}
	} else {
		s.Progress.Report(Step{Topic: "stack", Subject: plan.Stack.Name, State: "says so already"})
	}
	group, err := s.Groups.Group(ctx, plan.ASGName)
	switch {
	case err != nil:
		return fmt.Errorf("describe auto scaling group %s: %w", plan.ASGName, err)
	case group == nil:
		return fmt.Errorf("auto scaling group %s is gone", plan.ASGName)
	case Bounds{group.Min, group.Desired, group.Max} == plan.To:
		return nil
	}
	if err := s.Sizer.SetSize(ctx, plan.ASGName, plan.To); err != nil {
		return fmt.Errorf("set the size of %s: %w", plan.ASGName, err)
	}
	s.Progress.Report(Step{Topic: "group", Subject: plan.ASGName, State: "set to what its stack says"})
	return nil
}

func (p *ScalePlan) update() StackUpdate {
	update := StackUpdate{
		StackID: p.Stack.ID, RoleARN: p.ServiceRole, Token: p.Token, Capabilities: []string{stack.CapabilityIAM},
		Parameters: map[string]string{
			paramMin: strconv.Itoa(p.To.Min), paramDesired: strconv.Itoa(p.To.Desired), paramMax: strconv.Itoa(p.To.Max),
		},
	}
	for _, parameter := range slices.Sorted(maps.Keys(p.Stack.Parameters)) {
		if _, set := update.Parameters[parameter]; !set {
			update.Keep = append(update.Keep, parameter)
		}
	}
	return update
}

// Settle waits for an update that is under way, an earlier run's for instance.
func (s *Scaler) Settle(ctx context.Context, stack *snapshot.Stack) error {
	s.Progress.Report(Step{Topic: "stack", Subject: stack.Name, State: "taken up where it is"})
	return s.follow(ctx, stack.ID, "")
}

func (s *Scaler) follow(ctx context.Context, id, after string) error {
	follower := follower{stacks: s.Stacks, progress: s.Progress, poll: s.StackPoll}
	out, err := follower.follow(ctx, id, after)
	if err != nil {
		return err
	}
	if out.stack == nil || out.stack.Status != "UPDATE_COMPLETE" {
		return &StackError{Name: stackName(id), Stack: out.stack, First: out.first}
	}
	return nil
}

// awaitGone waits until the group has let go of what was drained.
func (s *Scaler) awaitGone(ctx context.Context, plan *ScalePlan) error {
	if len(plan.Remove) == 0 {
		return nil
	}
	deadline := time.NewTimer(s.Timeout)
	defer deadline.Stop()
	tick := time.NewTimer(0)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			return fmt.Errorf("after %s auto scaling group %s has not ended all that was drained; the same command goes on", s.Timeout, plan.ASGName)
		case <-tick.C:
		}
		group, err := s.Groups.Group(ctx, plan.ASGName)
		if err != nil {
			return fmt.Errorf("describe auto scaling group %s: %w", plan.ASGName, err)
		}
		left := 0
		for _, victim := range plan.Remove {
			if group != nil && slices.Contains(group.InstanceIDs, victim.InstanceID) {
				left++
			}
		}
		if left == 0 {
			s.Progress.Report(Step{Topic: "group", Subject: plan.ASGName, State: fmt.Sprintf("%d gone", len(plan.Remove))})
			return nil
		}
		tick.Reset(s.JoinPoll)
	}
}

// release takes the protection off that this run, or an earlier one, has put
// on. That it fails is told: the next run takes it off.
func (s *Scaler) release(ctx context.Context, plan *ScalePlan) {
	ids := slices.Concat(plan.Protect, plan.Release)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, resumeTime)
	defer cancel()
	step := Step{Topic: "group", Subject: plan.ASGName, State: "protection taken off"}
	if err := s.Protection.Release(ctx, plan.ASGName, ids, TagProtected); err != nil {
		step.State, step.Bad, step.Detail = "instances stay protected from scale-in", true, err.Error()+"; the same command takes it off"
	}
	s.Progress.Report(step)
}
