package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const (
	docProcesses = "https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html"
	// loopWindow is how far back replacements are counted, loopSize how many
	// of them make a loop.
	loopWindow = 2 * time.Hour
	loopSize   = 2
	// youngTime is how old a machine may be to count as one that was not
	// given time to join.
	youngTime = 30 * time.Minute
	// hookTime is how long a lifecycle hook may hold a machine without being
	// worth a word.
	hookTime = 10 * time.Minute
)

// launchGroupChecks are about what the Auto Scaling group itself does.
func launchGroupChecks() []Check {
	groups, activities := snapshot.SectionGroups, snapshot.SectionActivities
	return []Check{
		{
			ID: "launch.at-zero", Title: "group wants machines",
			Why:  "A group whose desired size is zero launches nothing, and nothing is wrong with it.",
			Ref:  "https://docs.aws.amazon.com/autoscaling/ec2/userguide/asg-capacity-limits.html",
			Link: LinkLaunch, Needs: sections(groups), Group: atZero,
		},
		{
			ID: "launch.suspended", Title: "processes of the group run",
			Why:  "A suspended Launch process starts no machine and says nothing about it.",
			Ref:  docProcesses,
			Link: LinkLaunch, Needs: sections(groups), Group: suspended,
		},
		{
			ID: "launch.lifecycle-hook", Title: "lifecycle hooks let machines into service",
			Why:  "A hook holds a machine in Pending:Wait until somebody completes it or its timeout ends, and then perhaps ends the machine.",
			Ref:  "https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html",
			Link: LinkLaunch, Needs: sections(groups, snapshot.SectionInstances), Group: hookStuck,
		},
		{
			ID: "launch.replace-loop", Title: "machines are not replaced before they join",
			Why:  "A health check that comes before a machine is ready ends it and starts the next, without end.",
			Ref:  "https://docs.aws.amazon.com/autoscaling/ec2/userguide/health-check-grace-period.html",
			Link: LinkLaunch, Needs: sections(groups, activities), Group: replaceLoop,
		},
	}
}

func atZero(s *snapshot.Snapshot, g *snapshot.Group) []Result {
	found := fact("group", fmt.Sprintf("min %d, desired %d, max %d", g.Min, g.Desired, g.Max))
	if g.Desired > 0 {
		return pass(fmt.Sprintf("%d machines are wanted", g.Desired), found)
	}
	if g.Proposed {
		return nil
	}
	fix := do("ask for machines", fmt.Sprintf("aws autoscaling set-desired-capacity --region %s --auto-scaling-group-name %s --desired-capacity 1", s.Target.Region, g.ASGName))
	if g.Max == 0 {
		fix = do("let the group grow and ask for machines", fmt.Sprintf(
			"aws autoscaling update-auto-scaling-group --region %s --auto-scaling-group-name %s --max-size 1 --desired-capacity 1", s.Target.Region, g.ASGName))
	}
	return warn(report.Certain, "the group's desired size is 0: it wants no machines", fix, found)
}

func suspended(s *snapshot.Snapshot, g *snapshot.Group) []Result {
	found := fact("autoscaling:DescribeAutoScalingGroups", "suspended: "+orNone(g.Suspended))
	if len(g.Suspended) == 0 {
		return pass("no process is suspended", found)
	}
	fix := do("resume them", fmt.Sprintf("aws autoscaling resume-processes --region %s --auto-scaling-group-name %s --scaling-processes %s",
		s.Target.Region, g.ASGName, spaced(g.Suspended)))
	if slices.Contains(g.Suspended, "Launch") && len(g.InstanceIDs) < g.Desired {
		return fail(report.Certain, fmt.Sprintf("launches are suspended: %d of %d machines are there", len(g.InstanceIDs), g.Desired), fix, found)
	}
	if !slices.ContainsFunc(g.Suspended, func(process string) bool { return slices.Contains(joiningProcesses(), process) }) {
		return pass("processes that start machines run", found)
	}
	return warn(report.Certain, "suspended processes: "+strings.Join(g.Suspended, ", "), fix, found)
}

// joiningProcesses are those without which machines are not started or broken
// ones not replaced. Others are suspended on purpose: AZRebalance, where the
// cluster autoscaler scales.
func joiningProcesses() []string {
	return []string{"Launch", "Terminate", "HealthCheck", "ReplaceUnhealthy", "AddToLoadBalancer"}
}

func hookStuck(s *snapshot.Snapshot, g *snapshot.Group) []Result {
	var stuck []string
	for _, member := range g.Members {
		if member.Lifecycle != "Pending:Wait" {
			continue
		}
		i := slices.IndexFunc(s.Nodes, func(n snapshot.Node) bool { return n.InstanceID == member.InstanceID })
		if i < 0 || s.Nodes[i].Cloud == nil || s.CollectedAt.Sub(s.Nodes[i].Cloud.LaunchedAt) < hookTime {
			continue
		}
		stuck = append(stuck, member.InstanceID)
	}
	found := fact("autoscaling:DescribeAutoScalingGroups", fmt.Sprintf("Pending:Wait for more than %s: %s", hookTime, orNone(stuck)))
	if len(stuck) == 0 {
		return pass("no machine waits for a hook", found)
	}
	return fail(report.Likely, fmt.Sprintf("a lifecycle hook holds %d machines back", len(stuck)), do("find the hook, complete it, and see why nobody did",
		fmt.Sprintf("aws autoscaling describe-lifecycle-hooks --region %s --auto-scaling-group-name %s", s.Target.Region, g.ASGName),
		fmt.Sprintf("aws autoscaling complete-lifecycle-action --region %s --auto-scaling-group-name %s --lifecycle-action-result CONTINUE --instance-id %s --lifecycle-hook-name HOOK",
			s.Target.Region, g.ASGName, stuck[0])), found)
}

// activityInstance is the machine that a scaling activity is about.
var activityInstance = regexp.MustCompile(`\bi-[0-9a-f]+\b`)

// launches are the times at which the group's activities started machines.
func launches(g *snapshot.Group) map[string]time.Time {
	started := map[string]time.Time{}
	for _, activity := range g.Activities {
		if id := activityInstance.FindString(activity.Description); id != "" && strings.HasPrefix(activity.Description, "Launching") {
			started[id] = activity.StartedAt
		}
	}
	return started
}

// replaced reports whether a health check took a machine out. The causes are
// those of "Health checks for instances in an Auto Scaling group": a machine is
// "taken out of service in response to" a health check, but also to scaling
// in, to a user's request, and to its own end.
func replaced(activity snapshot.Activity) bool {
	_, reason, found := strings.Cut(strings.ToLower(activity.Cause), "taken out of service in response to")
	return found && (strings.Contains(reason, "health check") || strings.Contains(reason, "health-check")) && !strings.Contains(reason, "terminated or stopped")
}

// replaceLoop counts the machines that a health check took out soon after they
// were started: those had no time to join. One that ran for long is replaced
// as it should be.
func replaceLoop(s *snapshot.Snapshot, g *snapshot.Group) []Result {
	if len(g.Activities) == 0 {
		return nil
	}
	started := launches(g)
	var found []report.Evidence
	times := 0
	for _, activity := range g.Activities {
		start, known := started[activityInstance.FindString(activity.Description)]
		if !known || !replaced(activity) || s.CollectedAt.Sub(activity.StartedAt) > loopWindow || activity.StartedAt.Sub(start) > youngTime {
			continue
		}
		if times++; len(found) < 3 {
			found = append(found, fact("autoscaling:DescribeScalingActivities", activity.Cause))
		}
	}
	kind := fact("autoscaling:DescribeAutoScalingGroups", fmt.Sprintf("health check %s, grace period %s", g.HealthCheck, g.HealthGrace))
	if times < loopSize {
		return pass("machines stay", kind)
	}
	return fail(report.Likely, fmt.Sprintf("a health check replaced %d machines in the last %s", times, loopWindow),
		do("give machines time to join before the check counts; use EC2 checks until they do", fmt.Sprintf(
			"aws autoscaling update-auto-scaling-group --region %s --auto-scaling-group-name %s --health-check-type EC2 --health-check-grace-period 600",
			s.Target.Region, g.ASGName)), append(found, kind)...)
}

// spaced is a list as shell words.
func spaced(list []string) string { return strings.Join(list, " ") }

func firstOr(list []string, otherwise string) string {
	if len(list) == 0 {
		return otherwise
	}
	return list[0]
}

// lastOf is what stands behind the last slash of an ARN.
func lastOf(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
