package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// teardownPlanDocument is a plan in json and yaml.
type teardownPlanDocument struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	*nodegroup.TeardownPlan
}

// teardownResultDocument is what `teardown -o json` ends with.
type teardownResultDocument struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	*nodegroup.TeardownResult
}

// absentCluster says of a cluster that is not there what that means.
func absentCluster(s *session, err error) error {
	var gap *gapError
	if errors.As(err, &gap) && gap.gap.Section == snapshot.SectionCluster && gap.gap.Reason == snapshot.GapAbsent {
		return fmt.Errorf("there is no cluster %s in %s (any more)", s.cluster, s.aws.Region())
	}
	return err
}

// clusterStack reads the stack that a cluster came by; nil when it came by
// none. CloudFormation marks what it makes by these tags.
func clusterStack(ctx context.Context, s *session, cluster *snapshot.Cluster) (*nodegroup.ClusterStack, error) {
	id := cmp.Or(cluster.Tags["aws:cloudformation:stack-id"], cluster.Tags["aws:cloudformation:stack-name"])
	if id == "" {
		return nil, nil
	}
	stack, err := s.aws.DescribeStack(ctx, id)
	if err != nil {
		return nil, err
	}
	if stack == nil || stack.Status == "DELETE_COMPLETE" {
		return nil, nil // deleted, and the cluster retained
	}
	resources, err := s.aws.StackResourceTypes(ctx, stack.ID)
	if err != nil {
		return nil, err
	}
	return &nodegroup.ClusterStack{Stack: *stack, Resources: resources}, nil
}

// writeTeardownPlan prints what goes, in the order in which it goes, what
// stays, and what speaks against it.
func writeTeardownPlan(w io.Writer, plan *nodegroup.TeardownPlan) {
	row := func(label, format string, args ...any) {
		text := strings.TrimLeft(fill(fmt.Sprintf(format, args...), labelWidth+4, defaultWidth), " ")
		fmt.Fprintf(w, "  %-*s  %s\n", labelWidth, label, text)
	}
	fmt.Fprintf(w, "tear down cluster %s in %s\n\n", plan.Cluster, plan.Region)
	switch {
	case plan.SkipDrain && len(plan.Groups) > 0:
		row("pods", "not stopped first: they die with their machines")
	case plan.Pods > 0:
		row("pods", "%s to stop, without asking budgets", count(plan.Pods, "pod", "pods"))
	}
	for i, group := range plan.Groups {
		label := ""
		if i == 0 {
			label = "groups"
		}
		if group.Stack.ID == "" {
			row(label, "%s: what its deletion has left", group.Group)
			continue
		}
		row(label, "%s: %s, stack %s (%s)", group.Group, count(len(group.Nodes), "node", "nodes"), group.Stack.Name, group.Stack.Status)
	}
	if len(plan.Groups) == 0 {
		row("groups", "none that this plugin made")
	}
	row("cluster", "%s (%s)", plan.Cluster, plan.Status)
	if plan.Stack != nil {
		row("", "by its stack %s (%s), with all that it holds:", plan.Stack.Name, plan.Stack.Status)
		for _, line := range counted(plan.Stack.Resources) {
			row("", "%s", line)
		}
	}
	for i, what := range plan.Stays {
		label := ""
		if i == 0 {
			label = "stays"
		}
		row(label, "%s", what)
	}
	for _, refusal := range plan.Refusals {
		row("AGAINST", "%s", refusal.What)
		if refusal.Fix != "" {
			fmt.Fprintf(w, "  %-*s    %s\n", labelWidth, "", refusal.Fix) // in one line, to be copied
		}
	}
	fmt.Fprintln(w)
}

// counted says of sorted words how often each is there.
func counted(words []string) []string {
	var lines []string
	for len(words) > 0 {
		n := 1
		for n < len(words) && words[n] == words[0] {
			n++
		}
		lines = append(lines, fmt.Sprintf("%d x %s", n, words[0]))
		words = words[n:]
	}
	return lines
}
