package nodegroup

import (
	"context"
	"fmt"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Templates reads launch templates.
type Templates interface {
	// TemplateVersions returns the versions from oldest to newest by number,
	// both included, in their order; those that were deleted are left out.
	TemplateVersions(ctx context.Context, templateID string, oldest, newest int) ([]snapshot.TemplateVersion, error)
}

// Marks tags Auto Scaling groups themselves, not their instances.
type Marks interface {
	TagGroup(ctx context.Context, group, key, value string) error
	UntagGroup(ctx context.Context, group, key string) error
}

// Ender terminates instances of a group.
type Ender interface {
	// EndMember terminates one. With smaller, the group wants one fewer from
	// then on; without, it starts another in its place.
	EndMember(ctx context.Context, instanceID string, smaller bool) error
}

// Upgrader carries an [UpgradePlan] out.
type Upgrader struct {
	Stacks     Stacks
	Updater    StackUpdater
	Sizer      GroupSizer
	Groups     Groups
	Templates  Templates
	Suspension Suspension
	Marks      Marks
	Ender      Ender
	Drainer    Drainer
	Watcher    NodeWatcher
	Nodes      NodeDeleter
	Progress   Progress
	StackPoll  time.Duration
	JoinPoll   time.Duration
	Timeout    time.Duration // for new nodes to become Ready, and for old ones to go
}

// UpgradeResult is what `upgrade` ends with.
type UpgradeResult struct {
	Group            string       `json:"group"`
	Cluster          string       `json:"cluster"`
	Stack            string       `json:"stack"`
	AutoScalingGroup string       `json:"autoScalingGroup"`
	Template         string       `json:"launchTemplate"`
	Version          int          `json:"version"` // of the template, that all instances have
	Changes          []Difference `json:"changes,omitempty"`
	Replaced         []Victim     `json:"replaced,omitempty"`
	Instances        []Member     `json:"instances"`
}

// Result is what an upgrade begins with: nothing replaced yet.
func (p *UpgradePlan) Result() *UpgradeResult {
	return &UpgradeResult{
		Group: p.Group, Cluster: p.Cluster, Stack: p.Stack.Name, AutoScalingGroup: p.ASGName,
		Template: p.Template, Version: p.Version, Changes: p.Changes, Instances: []Member{},
	}
}

// PausedError says that an upgrade stopped before its end. What has not been
// replaced serves as before; the same command goes on.
type PausedError struct {
	Group    string
	Replaced int // instances that this run has replaced
	Left     int // that are still to be replaced
	// Cordoned are the nodes of a drain that did not come to its end. They are
	// the next to go.
	Cordoned []string
	Cause    error
}

// Error says how far the upgrade came, and why not further.
func (e *PausedError) Error() string {
	return fmt.Sprintf("the upgrade of node group %s is paused, %d replaced and %d left: %s", e.Group, e.Replaced, e.Left, e.Cause)
}

// Unwrap returns the cause.
func (e *PausedError) Unwrap() error { return e.Cause }

// Upgrade changes the stack, and then replaces every instance that was started
// otherwise than the launch template says now: new ones first, and only when
// they are Ready are the next old ones drained and ended. It stops at the
// first thing that goes wrong, with a *[PausedError] once the stack is
// changed. Where it stands is read from the group, so that it can be repeated.
func (u *Upgrader) Upgrade(ctx context.Context, plan *UpgradePlan) (*UpgradeResult, error) {
	run := &upgradeRun{
		Upgrader: u, plan: plan, mark: plan.mark, told: map[string]Stage{},
		result: plan.Result(),
		work:   &tracker{todo: []string{"stack " + plan.Stack.Name, fmt.Sprintf("%d to replace", len(plan.Replace)), "sizes as before"}},
	}
	if err := run.changeStack(ctx); err != nil {
		return run.result, run.work.interrupted(ctx, err)
	}
	run.work.next()
	err := run.replaceAll(ctx)
	if err == nil {
		run.work.next()
		err = run.close(ctx)
	}
	if err == nil {
		return run.result, nil
	}
	if stopped := run.work.interrupted(ctx, err); stopped != err { //nolint:errorlint // the very error: was it exchanged for another?
		return run.result, stopped
	}
	return run.result, &PausedError{Group: plan.Group, Replaced: len(run.result.Replaced), Left: run.left, Cordoned: run.cordoned, Cause: err}
}

// Settle waits for an update that is under way, an earlier run's for instance.
func (u *Upgrader) Settle(ctx context.Context, stack *snapshot.Stack) error {
	return u.changer().settle(ctx, stack)
}

func (u *Upgrader) changer() *stackChanger {
	return &stackChanger{stacks: u.Stacks, updater: u.Updater, progress: u.Progress, poll: u.StackPoll}
}
