package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// stackChecks are about the CloudFormation stack that made a group.
func stackChecks() []Check {
	needs := sections(snapshot.SectionGroups, snapshot.SectionStacks)
	return []Check{
		{
			ID: "launch.stack", Title: "group's stack is whole",
			Why:  "A stack that failed half way leaves a group without some of its parts, and refuses every later change.",
			Ref:  "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html",
			Link: LinkLaunch, Needs: needs, Group: stackWhole,
		},
	}
}

// stackOf is the group's stack, if it was read.
func stackOf(s *snapshot.Snapshot, g *snapshot.Group) *snapshot.Stack {
	if g.Stack == nil {
		return nil
	}
	i := slices.IndexFunc(s.Stacks, func(stack snapshot.Stack) bool { return stack.Name == g.Stack.Name })
	if i < 0 {
		return nil
	}
	return &s.Stacks[i]
}

func failureFact(f snapshot.StackFailure) report.Evidence {
	return fact("cloudformation:DescribeStackEvents", fmt.Sprintf("%s %s (%s): %s", f.At.UTC().Format(time.RFC3339), f.Resource, f.Type, f.Reason))
}

// stackWhole passes what was rolled back: the group is then as it was before.
func stackWhole(s *snapshot.Snapshot, g *snapshot.Group) []Result {
	stack := stackOf(s, g)
	if stack == nil {
		return nil
	}
	found := []report.Evidence{fact("cloudformation:DescribeStacks", strings.TrimSpace(fmt.Sprintf("%s: %s %s", stack.Name, stack.Status, stack.Reason)))}
	if !strings.HasSuffix(stack.Status, "_FAILED") {
		return pass("the stack is "+stack.Status, found...)
	}
	for _, failure := range stack.Failures[:min(len(stack.Failures), 3)] {
		found = append(found, failureFact(failure))
	}
	return warn(report.Certain, fmt.Sprintf("the group's stack %s is %s", stack.Name, stack.Status), do("mend what its events name, then continue or delete the stack", fmt.Sprintf(
		"aws cloudformation describe-stack-events --region %s --stack-name %s --query \"StackEvents[?contains(ResourceStatus,'FAILED')]\"", s.Target.Region, stack.Name)), found...)
}
