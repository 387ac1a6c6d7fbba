package nodegroup

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

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
	leaving := leaving{groups: s.Groups, nodes: s.Nodes, progress: s.Progress, poll: s.JoinPoll, timeout: s.Timeout}
	if err := leaving.await(ctx, plan.ASGName, plan.Remove); err != nil {
		return nil, work.interrupted(ctx, err)
	}
	s.release(ctx, plan)
	if err := leaving.forget(ctx, plan.Remove); err != nil {
		return nil, work.interrupted(ctx, err)
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
	update := newUpdate(&plan.Stack, sizeParameters(plan.To), plan.ServiceRole, plan.Token)
	if err := s.changer().change(ctx, &plan.Stack, update, work.begin); err != nil {
		return err
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

func (s *Scaler) changer() *stackChanger {
	return &stackChanger{stacks: s.Stacks, updater: s.Updater, progress: s.Progress, poll: s.StackPoll}
}

// Settle waits for an update that is under way, an earlier run's for instance.
func (s *Scaler) Settle(ctx context.Context, stack *snapshot.Stack) error {
	return s.changer().settle(ctx, stack)
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
