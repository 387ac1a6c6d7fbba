package nodegroup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// manyMembers is the size from which progress is told in sums, not in lines
// per instance.
const manyMembers = 20

// Waiter waits until every instance of a group is a Ready node.
type Waiter struct {
	Groups   Groups
	Nodes    NodeWatcher
	Progress Progress
	Poll     time.Duration // between two looks at the Auto Scaling group
	// Rerun says that the group was there before: launches that failed
	// before now are history, and told but not judged.
	Rerun bool
	// Except are instances that are not waited for: those that are about to go.
	Except []string
	// Told is what progress has said of each instance, for several waits that
	// follow each other; nil: nothing yet.
	Told map[string]Stage
}

// NotJoinedError says that instances did not become Ready nodes.
type NotJoinedError struct {
	Group   string // Auto Scaling group
	Desired int
	Members []Member
	Launch  *snapshot.Activity // a launch that failed, which ended the wait
	Waited  time.Duration
}

// Error says in one line how far the group came.
func (e *NotJoinedError) Error() string {
	if e.Launch != nil {
		return fmt.Sprintf("auto scaling group %s cannot launch instances: %s", e.Group, launchReason(e.Launch))
	}
	return fmt.Sprintf("after %s: %s", e.Waited.Round(time.Second), tally(e.Members, e.Desired))
}

func launchReason(activity *snapshot.Activity) string {
	if activity.Message != "" {
		return activity.Message
	}
	return activity.Description
}

// Wait returns the members when as many as the group desires are Ready, and
// a *[NotJoinedError] when a launch fails or the timeout passes.
func (w *Waiter) Wait(ctx context.Context, group string, timeout time.Duration) ([]Member, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()

	nodes, watchErr := w.watch(ctx)
	state := waitState{waiter: w, group: group, seen: w.Told}
	if state.seen == nil {
		state.seen = map[string]Stage{}
	}
	var lostNodes error
	tick := time.NewTimer(0)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return state.members, ctx.Err()
		case state.nodes = <-nodes:
			state.nodesRead = true
		case lostNodes = <-watchErr:
			watchErr = nil
			w.Progress.Report(Step{Topic: "wait", State: "cannot read nodes", Detail: lostNodes.Error(), Bad: true})
		case <-tick.C:
			if err := state.readGroup(ctx); err != nil {
				return state.members, err
			}
			tick.Reset(w.Poll)
		case <-deadline.C:
			return state.members, errors.Join(&NotJoinedError{Group: group, Desired: state.desired, Members: state.members, Waited: timeout}, lostNodes)
		}
		switch done, err := state.judge(); {
		case err != nil || done:
			return state.members, err
		case lostNodes != nil && state.allRunning():
			return state.members, fmt.Errorf("all %d instances are running, but their nodes cannot be read: %w", state.desired, lostNodes)
		}
	}
}

// watch follows the nodes in the background; only the newest list is kept.
func (w *Waiter) watch(ctx context.Context) (<-chan []snapshot.KubeNode, <-chan error) {
	nodes := make(chan []snapshot.KubeNode, 1)
	failed := make(chan error, 1)
	go func() {
		err := w.Nodes.WatchNodes(ctx, func(list []snapshot.KubeNode) {
			select {
			case <-nodes: // nobody took the last one: it is old now
			default:
			}
			nodes <- list
		})
		if err == nil {
			err = errors.New("the watch of nodes ended")
		}
		if ctx.Err() == nil {
			failed <- err
		}
	}()
	return nodes, failed
}

// waitState is what a wait has seen so far.
type waitState struct {
	waiter *Waiter
	group  string

	groupRead  bool
	nodesRead  bool
	desired    int
	ids        []string
	instances  map[string]snapshot.Instance
	lifecycles []snapshot.Member
	activities []snapshot.Activity
	known      map[string]bool // activities that a rerun found there
	nodes      []snapshot.KubeNode

	members []Member
	seen    map[string]Stage
	sum     string
}

// readGroup asks for the scaling activities first: whether the group can
// launch at all shows only there.
func (s *waitState) readGroup(ctx context.Context) error {
	activities, err := s.waiter.Groups.Activities(ctx, s.group)
	if err != nil {
		return fmt.Errorf("read scaling activities of %s: %w", s.group, err)
	}
	group, err := s.waiter.Groups.Group(ctx, s.group)
	if err != nil {
		return fmt.Errorf("describe auto scaling group %s: %w", s.group, err)
	}
	if group == nil {
		return fmt.Errorf("auto scaling group %s is gone", s.group)
	}
	instances := map[string]snapshot.Instance{}
	if len(group.InstanceIDs) > 0 {
		if instances, err = s.waiter.Groups.Instances(ctx, group.InstanceIDs); err != nil {
			return fmt.Errorf("describe instances of %s: %w", s.group, err)
		}
	}
	if !s.groupRead {
		s.noteHistory(activities)
	}
	s.groupRead = true
	s.activities, s.instances, s.lifecycles = activities, instances, group.Members
	s.desired, s.ids = s.waiter.awaited(group)
	return nil
}

// awaited is how many of the group's instances have to become Ready, and
// which of them are there.
func (w *Waiter) awaited(group *snapshot.Group) (desired int, ids []string) {
	desired = group.Desired
	for _, member := range group.Members {
		if slices.Contains(w.Except, member.InstanceID) && !ending(member) {
			desired--
		}
	}
	ids = slices.DeleteFunc(slices.Clone(group.InstanceIDs), func(id string) bool { return slices.Contains(w.Except, id) })
	return desired, ids
}

func (s *waitState) noteHistory(activities []snapshot.Activity) {
	s.known = map[string]bool{}
	if !s.waiter.Rerun {
		return
	}
	if last := failedLaunch(activities, nil); last != nil {
		s.waiter.Progress.Report(Step{Topic: "wait", State: "last launch failed", Bad: true,
			Detail: launchReason(last) + "; waiting for the group's next attempt"})
	}
	for _, activity := range activities {
		s.known[activity.ID] = true
	}
}

// judge reports what changed and says whether the wait is over.
func (s *waitState) judge() (bool, error) {
	if !s.groupRead {
		return false, nil
	}
	s.members = observe(s.ids, s.instances, s.nodes)
	markHeld(s.members, s.lifecycles)
	s.tell()
	if s.nodesRead && ready(s.members) >= s.desired {
		return true, nil
	}
	if alive(s.members) < s.desired {
		if launch := failedLaunch(s.activities, s.known); launch != nil {
			return false, &NotJoinedError{Group: s.group, Desired: s.desired, Members: s.members, Launch: launch}
		}
	}
	return false, nil
}

func (s *waitState) allRunning() bool {
	running := 0
	for _, member := range s.members {
		if member.Stage >= StageRunning {
			running++
		}
	}
	return s.groupRead && running >= s.desired
}

// tell reports each member that has come further, and the sum when it changed.
func (s *waitState) tell() {
	if s.waiter.Told != nil && !s.nodesRead {
		return // those that were Ready a moment ago only look as if they were not
	}
	for _, member := range s.members {
		stage, known := s.seen[member.InstanceID]
		if known && stage == member.Stage {
			continue
		}
		s.seen[member.InstanceID] = member.Stage
		if len(s.members) <= manyMembers {
			s.waiter.Progress.Report(Step{Topic: "node", Subject: member.InstanceID, State: member.State,
				Detail: memberDetail(member), Bad: member.Stage == StageGone})
		}
	}
	if sum := tally(s.members, s.desired); sum != s.sum && s.desired > 0 {
		s.sum = sum
		s.waiter.Progress.Report(Step{Topic: "wait", State: sum})
	}
}

func memberDetail(member Member) string {
	switch member.Stage {
	case StageRegistered, StageReady:
		host, _, _ := strings.Cut(member.Node, ".") // the full name comes with the result
		return host
	case StageGone:
		return member.Reason
	default:
		return member.Zone
	}
}
