package nodegroup

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// upgradeRun is one run of an upgrade.
type upgradeRun struct {
	*Upgrader
	plan   *UpgradePlan
	result *UpgradeResult
	work   *tracker
	told   map[string]Stage
	left   int // instances still to be replaced

	cordoned []string // nodes of a drain that did not come to its end

	versions []snapshot.TemplateVersion
	mark     upgradeMark // of the group, once it is read or put on
}

// changeStack has the stack make a new version of the launch template. The
// sizes that it is given are those of the group now: an update of the template
// must not scale.
func (r *upgradeRun) changeStack(ctx context.Context) error {
	if len(r.plan.Changes) == 0 {
		return nil
	}
	group, err := r.group(ctx)
	if err != nil {
		return err
	}
	parameters := sizeParameters(Bounds{group.Min, group.Desired, group.Max})
	for parameter, value := range r.plan.parameters {
		parameters[parameter] = value
	}
	update := newUpdate(&r.plan.Stack, parameters, r.plan.ServiceRole, r.plan.Token)
	if remade := r.plan.remade; remade != nil { // its template declares what its parameters are
		made := &remade.Plan.Stack
		update.TemplateBody, update.Tags, update.Capabilities, update.Keep = made.TemplateBody, r.plan.tags, made.Capabilities, nil
	}
	return r.changer().change(ctx, &r.plan.Stack, update, r.work.begin)
}

func (r *upgradeRun) group(ctx context.Context) (*snapshot.Group, error) {
	group, err := r.Groups.Group(ctx, r.plan.ASGName)
	switch {
	case err != nil:
		return nil, fmt.Errorf("describe auto scaling group %s: %w", r.plan.ASGName, err)
	case group == nil:
		return nil, fmt.Errorf("auto scaling group %s is gone", r.plan.ASGName)
	}
	return group, nil
}

// replaceAll replaces until every instance is as the launch template says.
func (r *upgradeRun) replaceAll(ctx context.Context) error {
	for {
		group, old, err := r.look(ctx)
		if err != nil {
			return err
		}
		r.left = len(old)
		r.work.todo[0] = fmt.Sprintf("%d to replace", len(old))
		if err := r.awaitNew(ctx, old); err != nil {
			return err
		}
		if len(old) == 0 {
			return nil
		}
		if err := r.open(ctx, group); err != nil {
			return err
		}
		batch, surge := nextBatch(old, r.plan.Pace)
		desired := group.Desired
		if want := r.mark.desired + surge; desired < want {
			if err := r.grow(ctx, group, want); err != nil {
				return err
			}
			desired = want
			if err := r.awaitNew(ctx, old); err != nil {
				return err
			}
		}
		if err := r.remove(ctx, batch, desired-r.mark.desired); err != nil {
			return err
		}
		r.result.Replaced = append(r.result.Replaced, batch...)
		r.left = len(old) - len(batch)
		for _, victim := range batch {
			r.work.done = append(r.work.done, victim.InstanceID+" replaced")
		}
	}
}

// look reads the group and who of it is to be replaced, in order.
func (r *upgradeRun) look(ctx context.Context) (*snapshot.Group, []Victim, error) {
	group, err := r.group(ctx)
	if err != nil {
		return nil, nil, err
	}
	if r.versions == nil {
		oldest, newest, err := VersionsToRead(group)
		if err != nil {
			return nil, nil, err
		}
		if r.versions, err = r.Templates.TemplateVersions(ctx, group.Launch.TemplateID, oldest, newest); err != nil {
			return nil, nil, fmt.Errorf("read the versions of launch template %s: %w", group.Launch.TemplateID, err)
		}
	}
	current, err := currentVersion(group, r.versions)
	if err != nil {
		return nil, nil, err
	}
	r.result.Version = current.Number
	if target := r.plan.target; target != nil && current.Digest != target.Digest {
		return nil, nil, fmt.Errorf("version %d of the launch template is not again what version %d was, and nothing is replaced by it: -f with the settings of then goes back", current.Number, target.Number)
	}
	known, err := r.candidates(ctx, group)
	if err != nil {
		return nil, nil, err
	}
	right := func(version *snapshot.TemplateVersion) bool { return version.Digest == current.Digest }
	return group, outdated(group, r.versions, right, known), nil
}

// candidates reads what EC2 and Kubernetes know of the group's members.
func (r *upgradeRun) candidates(ctx context.Context, group *snapshot.Group) (func(snapshot.Member) candidate, error) {
	machines := map[string]snapshot.Instance{}
	if len(group.InstanceIDs) > 0 {
		var err error
		if machines, err = r.Groups.Instances(ctx, group.InstanceIDs); err != nil {
			return nil, fmt.Errorf("describe instances of %s: %w", r.plan.ASGName, err)
		}
	}
	nodes, err := nodesNow(ctx, r.Watcher)
	if err != nil {
		return nil, err
	}
	return func(member snapshot.Member) candidate {
		var machine *snapshot.Instance
		if found, ok := machines[member.InstanceID]; ok {
			machine = &found
		}
		one, _ := candidateOf(member.InstanceID, machine, nodes[member.InstanceID])
		return one
	}, nil
}

// nodesNow reads the nodes once, by instance id. That they cannot be read is
// an error: whom they do not show would count as serving nobody.
func nodesNow(ctx context.Context, watcher NodeWatcher) (map[string]*snapshot.KubeNode, error) {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	var nodes map[string]*snapshot.KubeNode
	err := watcher.WatchNodes(watching, func(list []snapshot.KubeNode) {
		if nodes == nil {
			nodes = make(map[string]*snapshot.KubeNode, len(list))
			for i := range list {
				nodes[snapshot.InstanceIDFromProviderID(list[i].ProviderID)] = &list[i]
			}
		}
		stop()
	})
	switch {
	case nodes != nil:
		return nodes, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err == nil:
		err = errors.New("the watch of nodes ended")
	}
	return nil, fmt.Errorf("read nodes: %w", err)
}

// awaitNew waits until all that is not about to go is a Ready node.
func (r *upgradeRun) awaitNew(ctx context.Context, old []Victim) error {
	waiter := Waiter{Groups: r.Groups, Nodes: r.Watcher, Progress: r.Progress, Poll: r.JoinPoll, Rerun: true, Told: r.told}
	for _, victim := range old {
		waiter.Except = append(waiter.Except, victim.InstanceID)
	}
	var err error
	r.result.Instances, err = waiter.Wait(ctx, r.plan.ASGName, r.Timeout)
	return err
}

// open marks the group and stops what would end its instances undrained,
// unless that was done before.
func (r *upgradeRun) open(ctx context.Context, group *snapshot.Group) error {
	if !r.mark.set {
		r.mark = upgradeMark{set: true, desired: group.Desired, max: group.Max, rebalanced: !isSuspended(group, rebalance)}
		if err := r.Marks.TagGroup(ctx, r.plan.ASGName, TagUpgrade, r.mark.String()); err != nil {
			return fmt.Errorf("mark auto scaling group %s: %w", r.plan.ASGName, err)
		}
	}
	if isSuspended(group, rebalance) {
		return nil
	}
	if err := r.Suspension.SuspendProcesses(ctx, r.plan.ASGName, []string{rebalance}); err != nil {
		return fmt.Errorf("suspend %s of %s: %w", rebalance, r.plan.ASGName, err)
	}
	r.Progress.Report(Step{Topic: "group", Subject: r.plan.ASGName, State: rebalance + " suspended"})
	return nil
}

// grow makes room for new instances that come before old ones go.
func (r *upgradeRun) grow(ctx context.Context, group *snapshot.Group, desired int) error {
	sizes := Bounds{Min: group.Min, Desired: desired, Max: max(group.Max, desired)}
	if err := r.Sizer.SetSize(ctx, r.plan.ASGName, sizes); err != nil {
		return fmt.Errorf("make room for new instances in %s: %w", r.plan.ASGName, err)
	}
	r.Progress.Report(Step{Topic: "group", Subject: r.plan.ASGName, State: fmt.Sprintf("desired %d for a while", desired)})
	return nil
}

// remove drains the batch and ends it; surplus is how many instances the group
// has more than it had, and so does not start again.
func (r *upgradeRun) remove(ctx context.Context, batch []Victim, surplus int) error {
	var names []string
	for _, victim := range batch {
		step := Step{Topic: "replace", Subject: victim.InstanceID, State: "ending", Detail: victim.Why}
		if victim.Node != "" {
			names = append(names, victim.Node)
			if !r.plan.SkipDrain {
				step.State, step.Detail = "draining", victim.Node
			}
		}
		r.Progress.Report(step)
	}
	if !r.plan.SkipDrain && len(names) > 0 {
		if err := r.Drainer.Drain(ctx, names); err != nil {
			r.cordoned = names
			return fmt.Errorf("drain: %w", err)
		}
	}
	for i, victim := range batch {
		if err := r.Ender.EndMember(ctx, victim.InstanceID, i < surplus); err != nil {
			return fmt.Errorf("end %s: %w", victim.InstanceID, err)
		}
	}
	leaving := leaving{groups: r.Groups, nodes: r.Nodes, progress: r.Progress, poll: r.JoinPoll, timeout: r.Timeout}
	if err := leaving.await(ctx, r.plan.ASGName, batch); err != nil {
		return err
	}
	return leaving.forget(ctx, batch)
}

func isSuspended(group *snapshot.Group, process string) bool {
	return slices.Contains(group.Suspended, process)
}

// close gives the group its sizes back, takes its mark off, and has the stack
// say what the group has.
func (r *upgradeRun) close(ctx context.Context) error {
	group, err := r.group(ctx)
	if err != nil {
		return err
	}
	mark := r.mark
	if !mark.set {
		return nil
	}
	sizes := Bounds{Min: group.Min, Desired: group.Desired, Max: max(mark.max, group.Desired)}
	if sizes.Max != group.Max {
		if err := r.Sizer.SetSize(ctx, r.plan.ASGName, sizes); err != nil {
			return fmt.Errorf("set the size of %s: %w", r.plan.ASGName, err)
		}
	}
	if sizes.Desired > mark.desired {
		r.Progress.Report(Step{Topic: "note", State: fmt.Sprintf("the group has %d instances now and had %d: somebody else has ended some meanwhile", sizes.Desired, mark.desired)})
	}
	if mark.rebalanced {
		if err := r.Suspension.ResumeProcesses(ctx, r.plan.ASGName, []string{rebalance}); err != nil {
			return fmt.Errorf("resume %s of %s: %w", rebalance, r.plan.ASGName, err)
		}
	}
	if err := r.settleStack(ctx, sizes); err != nil {
		return err
	}
	if err := r.Marks.UntagGroup(ctx, r.plan.ASGName, TagUpgrade); err != nil {
		return fmt.Errorf("take the mark off auto scaling group %s: %w", r.plan.ASGName, err)
	}
	r.Progress.Report(Step{Topic: "group", Subject: r.plan.ASGName, State: fmt.Sprintf("min %d, desired %d, max %d", sizes.Min, sizes.Desired, sizes.Max)})
	return nil
}

// settleStack gives the stack the group's sizes when it was changed in the
// midst of an upgrade, with the surge of then.
func (r *upgradeRun) settleStack(ctx context.Context, sizes Bounds) error {
	stack, err := r.Stacks.Stack(ctx, r.plan.Stack.ID)
	switch {
	case err != nil:
		return fmt.Errorf("describe stack %s: %w", r.plan.Stack.Name, err)
	case stack == nil:
		return fmt.Errorf("stack %s is gone", r.plan.Stack.Name)
	case stackBounds(stack) == sizes || !r.plan.mark.set:
		return nil
	}
	update := newUpdate(stack, sizeParameters(sizes), r.plan.ServiceRole, "sizes-"+digest([]byte(stack.ID+r.plan.Token)))
	return r.changer().change(ctx, stack, update, func() {})
}
