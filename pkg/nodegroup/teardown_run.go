package nodegroup

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// ClusterDeleter deletes EKS clusters.
type ClusterDeleter interface {
	// ClusterStatus returns ACTIVE, DELETING …; "" when there is no such cluster.
	ClusterStatus(ctx context.Context, name string) (string, error)
	// DeleteCluster asks for the deletion. It does not wait.
	DeleteCluster(ctx context.Context, name string) error
}

// Teardown carries a [TeardownPlan] out.
type Teardown struct {
	Remover  *Remover
	Clusters ClusterDeleter
	Poll     time.Duration // between two looks at the cluster
}

// TeardownResult is what `teardown` ends with.
type TeardownResult struct {
	Cluster string   `json:"cluster"`
	Region  string   `json:"region"`
	Groups  []string `json:"groups"` // that were deleted
	Stack   string   `json:"stack,omitempty"`
	Stays   []string `json:"stays,omitempty"`
}

// Run suspends the launches of all groups, drains all their nodes at once (what
// is evicted from one group would only land on the next), deletes group after
// group, and the cluster last. When it does not come to its end, the groups
// that AWS was not asked to delete are set free again; the same command goes on.
func (t *Teardown) Run(ctx context.Context, plan *TeardownPlan) (*TeardownResult, error) {
	if len(plan.Refusals) > 0 {
		return nil, fmt.Errorf("tear down %s: %s", plan.Cluster, plan.Refusals[0].What)
	}
	work := &tracker{todo: []string{"drain"}}
	for _, group := range plan.Groups {
		work.todo = append(work.todo, eraseSteps(group)...)
	}
	work.todo = append(work.todo, "cluster "+plan.Cluster)
	suspended, err := t.empty(ctx, plan)
	if err != nil {
		t.release(ctx, plan.Groups, suspended)
		return nil, work.interrupted(ctx, err)
	}
	work.next()
	result := &TeardownResult{Cluster: plan.Cluster, Region: plan.Region, Groups: []string{}, Stays: plan.Stays}
	for i, group := range plan.Groups {
		if err := t.Remover.erase(ctx, group, suspended[i], work); err != nil {
			t.release(ctx, plan.Groups[i+1:], suspended[i+1:])
			return result, work.interrupted(ctx, fmt.Errorf("node group %s: %w", group.Group, err))
		}
		result.Groups = append(result.Groups, group.Group)
	}
	if plan.Stack != nil {
		result.Stack = plan.Stack.Name
	}
	return result, work.interrupted(ctx, t.deleteCluster(ctx, plan, work.begin))
}

// empty suspends launches and drains. It returns what it suspended of each
// group.
func (t *Teardown) empty(ctx context.Context, plan *TeardownPlan) (suspended [][]string, err error) {
	suspended = make([][]string, len(plan.Groups))
	all := &DeletePlan{SkipDrain: plan.SkipDrain}
	for i, group := range plan.Groups {
		if suspended[i], err = t.Remover.suspend(ctx, group); err != nil {
			return suspended, err
		}
		if !InProgress(group.Stack.Status) && group.Stack.ID != "" {
			all.Nodes = append(all.Nodes, group.Nodes...)
		}
	}
	return suspended, t.Remover.drain(ctx, all)
}

// release sets groups free that are not deleted after all.
func (t *Teardown) release(ctx context.Context, groups []*DeletePlan, suspended [][]string) {
	for i, group := range groups {
		t.Remover.resume(ctx, group.ASGName, suspended[i])
	}
}

// deleteCluster deletes the cluster, by its stack if it came by one, and waits
// for its end. asked is called when AWS has taken the deletion on.
func (t *Teardown) deleteCluster(ctx context.Context, plan *TeardownPlan, asked func()) error {
	if plan.Stack != nil {
		eraser := eraser{stacks: t.Remover.Stacks, writer: t.Remover.Writer, progress: t.Remover.Progress, poll: t.Remover.StackPoll, asked: asked}
		return eraser.erase(ctx, &plan.Stack.Stack, plan.ServiceRole)
	}
	if plan.Status != clusterDeleting {
		if err := t.Clusters.DeleteCluster(ctx, plan.Cluster); err != nil {
			return fmt.Errorf("delete cluster %s: %w", plan.Cluster, err)
		}
	}
	asked()
	return t.awaitEnd(ctx, plan.Cluster)
}

// awaitEnd follows a cluster until it is gone.
func (t *Teardown) awaitEnd(ctx context.Context, cluster string) error {
	told := ""
	for {
		status, err := t.Clusters.ClusterStatus(ctx, cluster)
		switch {
		case err != nil:
			return fmt.Errorf("look at cluster %s: %w", cluster, err)
		case status == "":
			t.report(cluster, "deleted", false)
			return nil
		case !slices.Contains([]string{clusterDeleting, clusterActive}, status): // ACTIVE: the deletion is not seen yet
			t.report(cluster, status, true)
			return fmt.Errorf("cluster %s is %s and not %s: see aws eks describe-cluster --name %s --query cluster.health", cluster, status, clusterDeleting, cluster)
		case status != told:
			t.report(cluster, status, false)
			told = status
		}
		if err := sleep(ctx, t.Poll); err != nil {
			return err
		}
	}
}

func (t *Teardown) report(cluster, state string, bad bool) {
	t.Remover.Progress.Report(Step{Topic: "cluster", Subject: cluster, State: state, Bad: bad})
}
