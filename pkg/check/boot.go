package check

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// maxUserData is EC2's limit before base64.
const maxUserData = 16 << 10

// maxSkew is how many minor versions a kubelet may be older than the API
// server.
const maxSkew = 3

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
			ID: "boot.kubelet-version", Title: "kubelet version of the image",
			Why:  "A kubelet may be up to three minor versions older than the API server and never newer.",
			Ref:  "https://kubernetes.io/releases/version-skew-policy/",
			Link: LinkBoot, Needs: sections(groups, launch, snapshot.SectionCluster, snapshot.SectionImages), Preflight: true, Group: kubeletVersion,
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

// imageVersion finds the Kubernetes minor in the names that AWS gives its
// node images: amazon-eks-node-al2023-x86_64-standard-1.34-v20260101,
// bottlerocket-aws-k8s-1.34-x86_64-v1.50.0-….
var imageVersion = regexp.MustCompile(`^(?:amazon-eks-.*|bottlerocket-aws-k8s)-1\.(\d+)-`)

func kubeletVersion(s *snapshot.Snapshot, g *snapshot.Group) []Result {
	image := s.Catalog.Image(g.Launch.ImageID)
	if image == nil {
		return nil
	}
	match := imageVersion.FindStringSubmatch(image.Name)
	server, ok := minor(s.Cluster.Version)
	if match == nil || !ok {
		return nil // an image of one's own does not say
	}
	kubelet, err := strconv.Atoi(match[1])
	if err != nil {
		return nil
	}
	found := []report.Evidence{
		fact("ec2:DescribeImages", image.Name),
		fact("eks:DescribeCluster", "version "+s.Cluster.Version),
	}
	fix := do("leave --ami out and get the image for the cluster's version")
	switch {
	case kubelet > server:
		return fail(report.Certain, fmt.Sprintf("the image's kubelet 1.%d is newer than the cluster's 1.%d", kubelet, server), fix, found...)
	case kubelet < server-maxSkew:
		return fail(report.Certain, fmt.Sprintf("the image's kubelet 1.%d is more than %d versions older than the cluster's 1.%d", kubelet, maxSkew, server), fix, found...)
	case kubelet < server:
		return warn(report.Certain, fmt.Sprintf("the image's kubelet 1.%d is older than the cluster's 1.%d", kubelet, server), fix, found...)
	}
	return pass(fmt.Sprintf("kubelet 1.%d, cluster 1.%d", kubelet, server), found...)
}

func minor(version string) (int, bool) {
	_, text, ok := strings.Cut(version, ".")
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}

func hopLimit(_ *snapshot.Snapshot, g *snapshot.Group) []Result {
	limit := g.Launch.HopLimit
	if limit == 0 {
		return nil
	}
	found := fact("launch template", fmt.Sprintf("HttpPutResponseHopLimit %d, HttpTokens %s", limit, g.Launch.HTTPTokens))
	if limit == 1 {
		return warn(report.Possible, "pods cannot read instance metadata: those that take credentials or the region from it fail",
			do("give them roles of their own (EKS Pod Identity), or set --hop-limit 2"), found)
	}
	return pass(fmt.Sprintf("pods reach instance metadata within %d hops", limit), found)
}
