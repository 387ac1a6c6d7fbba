package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// windowsGroup is the group that lets kube-proxy on Windows watch services.
const windowsGroup = "eks:kube-proxy-windows"

// entryChecks are about mappings that are there and serve for less than they
// seem to.
func entryChecks() []Check {
	return []Check{
		{
			ID: "auth.entry-conflict", Title: "stack could make its access entry",
			Why:  "A role has one access entry. A stack that wants to make one that exists already fails there, and what it would have made after it is missing.",
			Ref:  docCreate,
			Link: LinkLaunch, Needs: sections(snapshot.SectionGroups, snapshot.SectionStacks), Group: entryConflict,
		},
		{
			ID: "auth.windows-group", Title: "Windows nodes are in their group",
			Why:  "kube-proxy on Windows works with the node's own user, which needs the group " + windowsGroup + ": an access entry of type EC2_WINDOWS gives it, one of type EC2_LINUX does not.",
			Ref:  "https://docs.aws.amazon.com/eks/latest/userguide/windows-support.html",
			Link: LinkReady, Needs: sections(snapshot.SectionCluster, snapshot.SectionImages),
			Uses: sections(snapshot.SectionGroups, snapshot.SectionLaunch, snapshot.SectionInstances, snapshot.SectionRoles, snapshot.SectionAccessEntries, snapshot.SectionAwsAuth),
			Join: windowsMapped,
		},
	}
}

func entryConflict(s *snapshot.Snapshot, g *snapshot.Group) []Result {
	stack := stackOf(s, g)
	if stack == nil {
		return nil
	}
	for _, failure := range stack.Failures {
		reason := strings.ToLower(failure.Reason)
		if failure.Type != "AWS::EKS::AccessEntry" || !strings.Contains(reason, "already exists") && !strings.Contains(reason, "already in use") && !strings.Contains(reason, "resourceinuse") {
			continue
		}
		return warn(report.Certain, fmt.Sprintf("stack %s could not make access entry %s: the role has one already", stack.Name, failure.Resource),
			do("take the entry out of the stack and use the one that is there, if it is of type EC2_LINUX; else delete it and update the stack", fmt.Sprintf(
				"aws eks list-access-entries --region %s --cluster-name %s", s.Target.Region, s.Target.ClusterName)),
			fact("cloudformation:DescribeStacks", stack.Name+": "+stack.Status), failureFact(failure))
	}
	return pass("no entry was in its way", fact("cloudformation:DescribeStacks", stack.Name+": "+stack.Status))
}

// windowsMapped asks about machines with a Windows image whether their user is
// in the group. Those that nothing lets in are other rules' to tell.
func windowsMapped(s *snapshot.Snapshot) func(Joiner) []Result {
	return func(j Joiner) []Result {
		_, id, _ := bootOf(j)
		image := s.Catalog.Image(id)
		if image == nil || j.Node == nil && j.Machines > 0 {
			return nil
		}
		found := fact("ec2:DescribeImages", image.Name)
		if familyOf(image) != familyWindows {
			return pass("it is no Windows image", found)
		}
		use, known := roleOf(s, j)
		if !known {
			return j.unread(s, snapshot.SectionGroups, snapshot.SectionLaunch, snapshot.SectionInstances, snapshot.SectionRoles)
		}
		m := mapRole(s, use)
		switch {
		case m.unread != nil:
			return m.unread
		case m.verdict.Outcome != authmap.OutcomeMapped:
			return nil
		case slices.Contains(m.verdict.Groups, windowsGroup):
			return pass("its user is in "+windowsGroup, m.evidence([]report.Evidence{found})...)
		}
		fix := editAwsAuth("add the group " + windowsGroup + " to the role's entry")
		if m.verdict.Source == authmap.SourceEntry {
			fix = replaceEntry(s, m.entry.PrincipalARN)
			fix.Commands[1] = strings.Replace(fix.Commands[1], "EC2_LINUX", "EC2_WINDOWS", 1)
		}
		return fail(report.Likely, fmt.Sprintf("machines of the role run Windows, and their user is not in the group %s: pods reach no service", windowsGroup), fix, m.evidence([]report.Evidence{found})...)
	}
}
