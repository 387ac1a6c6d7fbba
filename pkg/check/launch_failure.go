package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const (
	// docLaunchErrors lists what Auto Scaling says when a launch fails;
	// docEC2Errors lists EC2's error codes, which stand in those messages.
	docLaunchErrors = "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-instancelaunchfailure.html"
	docAMIErrors    = "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-ami.html"
	docCapacity     = "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-capacity.html"
	docEC2Errors    = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html"
)

// launchFailure is one reason for which launches fail. EC2 gives no code in a
// scaling activity, only its message, so the words decide; a row's Ref says
// where they are documented.
type launchFailure struct {
	id, title, why, ref string
	words               []string // in lower case; any of them
	// field are words known from practice alone: what they mean is likely.
	field   []string
	summary string
	fix     func(s *snapshot.Snapshot, g *snapshot.Group) report.Fix
}

// launchFailureChecks make a check of every reason, and one for the rest.
func launchFailureChecks() []Check {
	rows := launchFailures()
	needs := sections(snapshot.SectionGroups, snapshot.SectionActivities)
	var checks []Check
	for _, row := range rows {
		checks = append(checks, Check{
			ID: row.id, Title: row.title, Why: row.why, Ref: row.ref, Link: LinkLaunch, Needs: needs,
			Group: func(s *snapshot.Snapshot, g *snapshot.Group) []Result { return launchFailed(s, g, row) },
		})
	}
	return append(checks, Check{
		ID: "launch.fails", Title: "launches succeed",
		Why: "What keeps Auto Scaling from launching is said in the scaling activities and nowhere else.",
		Ref: docLaunchErrors, Link: LinkLaunch, Needs: needs,
		Group: func(s *snapshot.Snapshot, g *snapshot.Group) []Result { return launchFailedOtherwise(s, g, rows) },
	})
}

// failedLaunches are the launches that failed or were cancelled since the
// last one that succeeded, newest first.
func failedLaunches(g *snapshot.Group) []snapshot.Activity {
	activities := slices.Clone(g.Activities)
	slices.SortStableFunc(activities, func(a, b snapshot.Activity) int { return b.StartedAt.Compare(a.StartedAt) })
	var failed []snapshot.Activity
	for _, activity := range activities {
		if !strings.HasPrefix(activity.Description, "Launching") {
			continue
		}
		switch activity.Status {
		case "Successful":
			return failed
		case "Failed", "Cancelled":
			failed = append(failed, activity)
		}
	}
	return failed
}

// matches reports whether a message tells of the reason, and how sure that is.
func (f *launchFailure) matches(message string) (report.Confidence, bool) {
	message = strings.ToLower(message)
	says := func(words string) bool { return strings.Contains(message, words) }
	switch {
	case slices.ContainsFunc(f.words, says):
		return report.Certain, true
	case slices.ContainsFunc(f.field, says):
		return report.Likely, true
	}
	return "", false
}

// said is an activity's message; Auto Scaling sometimes puts it into the
// description alone, behind "Status Reason:".
func said(activity snapshot.Activity) string {
	_, reason, _ := strings.Cut(activity.Description, "Status Reason: ")
	return cmp.Or(activity.Message, reason, activity.Description)
}

func quote(activity snapshot.Activity) report.Evidence {
	return fact("autoscaling:DescribeScalingActivities", activity.StartedAt.UTC().Format(time.RFC3339)+" "+activity.Status+": "+said(activity))
}

func launchFailed(s *snapshot.Snapshot, g *snapshot.Group, row launchFailure) []Result {
	if len(g.Activities) == 0 {
		return nil
	}
	var found []report.Evidence
	sure := report.Likely
	for _, activity := range failedLaunches(g) {
		if confidence, ok := row.matches(said(activity)); ok && len(found) < 2 {
			found = append(found, quote(activity))
			if confidence == report.Certain {
				sure = report.Certain
			}
		}
	}
	if len(found) == 0 {
		return pass("no launch failed for this reason", fact("autoscaling:DescribeScalingActivities", fmt.Sprintf("%d activities", len(g.Activities))))
	}
	if full(g) {
		return warn(sure, row.summary+": the last launch failed, and the group has its machines", row.fix(s, g), found...)
	}
	return fail(sure, row.summary, row.fix(s, g), found...)
}

// full reports whether a group has all the machines that it wants, so that a
// launch which failed is a matter of the past, or of the next one.
func full(g *snapshot.Group) bool { return len(g.InstanceIDs) >= g.Desired }

func launchFailedOtherwise(s *snapshot.Snapshot, g *snapshot.Group, rows []launchFailure) []Result {
	if len(g.Activities) == 0 {
		return nil
	}
	for _, activity := range failedLaunches(g) {
		message := said(activity)
		if activity.Status == "Cancelled" || full(g) {
			continue // scaling in cancels launches too
		}
		if message != "" && !slices.ContainsFunc(rows, func(row launchFailure) bool { _, ok := row.matches(message); return ok }) {
			return fail(report.Certain, "launches fail: "+message, do("mend what the message names, then look whether the next launch succeeds",
				activitiesCommand(s, g)), quote(activity))
		}
	}
	return pass("no launch failed for another reason", fact("autoscaling:DescribeScalingActivities", fmt.Sprintf("%d activities", len(g.Activities))))
}

func activitiesCommand(s *snapshot.Snapshot, g *snapshot.Group) string {
	return fmt.Sprintf("aws autoscaling describe-scaling-activities --region %s --max-items 5 --auto-scaling-group-name %s", s.Target.Region, g.ASGName)
}
