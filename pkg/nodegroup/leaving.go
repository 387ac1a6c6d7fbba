package nodegroup

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// leaving sees instances out of their group, and their Node objects out of the
// cluster.
type leaving struct {
	groups   Groups
	nodes    NodeDeleter
	progress Progress
	poll     time.Duration
	timeout  time.Duration
}

// await waits until the group has let go of what was drained.
func (l *leaving) await(ctx context.Context, asgName string, victims []Victim) error {
	if len(victims) == 0 {
		return nil
	}
	deadline := time.NewTimer(l.timeout)
	defer deadline.Stop()
	tick := time.NewTimer(0)
	defer tick.Stop()
	held := 0 // by a lifecycle hook, at the last look
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			why := ""
			if held > 0 {
				why = fmt.Sprintf(": a lifecycle hook holds %d in %s", held, heldEnding)
			}
			return fmt.Errorf("after %s auto scaling group %s has not ended all that was drained%s; the same command goes on", l.timeout, asgName, why)
		case <-tick.C:
		}
		group, err := l.groups.Group(ctx, asgName)
		if err != nil {
			return fmt.Errorf("describe auto scaling group %s: %w", asgName, err)
		}
		left := 0
		for _, victim := range victims {
			if group != nil && slices.Contains(group.InstanceIDs, victim.InstanceID) {
				left++
			}
		}
		held = heldOf(group, victims)
		if left == 0 {
			l.progress.Report(Step{Topic: "group", Subject: asgName, State: fmt.Sprintf("%d gone", len(victims))})
			return nil
		}
		tick.Reset(l.poll)
	}
}

// heldOf counts the victims that a terminating lifecycle hook holds.
func heldOf(group *snapshot.Group, victims []Victim) int {
	n := 0
	for _, victim := range victims {
		if group != nil && slices.ContainsFunc(group.Members, func(m snapshot.Member) bool {
			return m.InstanceID == victim.InstanceID && m.Lifecycle == heldEnding
		}) {
			n++
		}
	}
	return n
}

// forget removes the Node objects that are left of instances that are gone.
func (l *leaving) forget(ctx context.Context, victims []Victim) error {
	for _, victim := range victims {
		if victim.Node == "" {
			continue
		}
		if err := l.nodes.DeleteNode(ctx, victim.Node, victim.InstanceID); err != nil {
			return fmt.Errorf("delete node %s: %w", victim.Node, err)
		}
	}
	return nil
}
