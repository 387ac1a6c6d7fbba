package check

import (
	"fmt"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// maxUserData is EC2's limit before base64.
const maxUserData = 16 << 10

func bootChecks() []Check {
	const (
		groups = snapshot.SectionGroups
		launch = snapshot.SectionLaunch
	)
	return []Check{
		{
			ID: "boot.user-data-size", Title: "size of the user data",
			Why:  "EC2 takes at most 16 KB of user data.",
			Ref:  "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html",
			Link: LinkBoot, Needs: sections(groups, launch), Preflight: true, Group: userDataSize,
		},
		{
			ID: "boot.hop-limit", Title: "instance metadata for pods",
			Why:  "With a hop limit of 1, pods that do not use the host's network cannot read instance metadata, which is safer; those that take their credentials or region from it fail.",
			Ref:  "https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html",
			Link: LinkReady, Needs: sections(groups, launch), Preflight: true, Group: hopLimit,
		},
	}
}

func userDataSize(_ *snapshot.Snapshot, g *snapshot.Group) []Result {
	size := len(g.Launch.UserData)
	if size == 0 {
		return nil
	}
	found := fact("user data", fmt.Sprintf("%d bytes of %d", size, maxUserData))
	if size > maxUserData {
		return fail(report.Certain, fmt.Sprintf("the user data is %d bytes too long", size-maxUserData),
			do("shorten the boot commands: fetch long scripts at boot instead"), found)
	}
	return pass(fmt.Sprintf("%d bytes", size), found)
}

func hopLimit(_ *snapshot.Snapshot, g *snapshot.Group) []Result {
	limit := g.Launch.HopLimit
	if limit == 0 {
		return nil
	}
	found := fact("launch template", fmt.Sprintf("HttpPutResponseHopLimit %d, HttpTokens %s", limit, g.Launch.HTTPTokens))
	if limit == 1 && !g.Proposed {
		return pass("pods cannot read instance metadata, which is the safer way", found)
	}
	if limit == 1 {
		return warn(report.Possible, "pods cannot read instance metadata: those that take credentials or the region from it fail",
			do("give them roles of their own (EKS Pod Identity), or set --hop-limit 2"), found)
	}
	return pass(fmt.Sprintf("pods reach instance metadata within %d hops", limit), found)
}
