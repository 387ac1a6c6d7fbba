package check

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// maxSkew is how many minor versions a kubelet may be older than the API
// server.
const maxSkew = 3

// amiChecks are about what is on the image that machines start from.
func amiChecks() []Check {
	const (
		groups = snapshot.SectionGroups
		launch = snapshot.SectionLaunch
		images = snapshot.SectionImages
	)
	return []Check{
		{
			ID: "ami.wrong-minor", Title: "kubelet version of the image",
			Why:  "A kubelet may be up to three minor versions older than the API server and never newer.",
			Ref:  "https://kubernetes.io/releases/version-skew-policy/",
			Link: LinkBoot, Needs: sections(groups, launch, snapshot.SectionCluster, images), Preflight: true, Group: kubeletVersion,
		},
		{
			ID: "ami.al2-eol", Title: "image is of a supported line",
			Why:  "AWS has published no AL2 node images since November 2025; the last ones get no fixes and are for Kubernetes up to 1.32.",
			Ref:  "https://docs.aws.amazon.com/eks/latest/userguide/eks-ami-deprecation-faqs.html",
			Link: LinkBoot, Needs: sections(groups, launch, images), Preflight: true, Group: al2EndOfLife,
		},
		userDataRow("ami.not-eks", "image is a node image",
			"A plain image has neither kubelet nor bootstrap: nothing on it joins a cluster.", "https://docs.aws.amazon.com/eks/latest/userguide/eks-optimized-amis.html", notNodeImage,
			proof("bootstrap-nofile", "the image has no /etc/eks/bootstrap.sh: it is no AL2 node image", do("use a node image of EKS, or build one from it"))),
	}
}

func al2EndOfLife(s *snapshot.Snapshot, g *snapshot.Group) []Result {
	image := s.Catalog.Image(g.Launch.ImageID)
	if image == nil {
		return nil
	}
	found := fact("ec2:DescribeImages", image.Name)
	if familyOf(image) == familyAL2 {
		return warn(report.Certain, "the image is of the AL2 line, which has ended", do("move to AL2023 or Bottlerocket; user data changes with it"), found)
	}
	return pass("it is not of the AL2 line", found)
}

// notNodeImage points at an image that is not named like AWS's, when a machine
// of it has not come up. Images of one's own are named as one likes.
func notNodeImage(v *bootView) []Result {
	if v.image == nil {
		return nil
	}
	found := fact("ec2:DescribeImages", fmt.Sprintf("%s, owner %s", v.image.Name, v.image.OwnerID))
	name := strings.ToLower(v.image.Name)
	if v.family != familyOther || strings.Contains(name, "eks") || strings.Contains(name, "k8s") || strings.Contains(name, "kube") {
		return pass("it is named like one", found)
	}
	return warn(report.Possible, "the image is not named like a node image: does it have a kubelet?", do("use a node image of EKS, or build one from it",
		fmt.Sprintf("aws ssm get-parameter --region %s --name /aws/service/eks/optimized-ami/%s/amazon-linux-2023/x86_64/standard/recommended/image_id", v.snap.Target.Region, v.snap.Cluster.Version)), found)
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
	case kubelet < server-maxSkew && g.Proposed:
		return fail(report.Certain, fmt.Sprintf("the image's kubelet 1.%d is more than %d versions older than the cluster's 1.%d", kubelet, maxSkew, server), fix, found...)
	case kubelet < server-maxSkew: // it is not supported, but nothing refuses it
		return warn(report.Certain, fmt.Sprintf("the image's kubelet 1.%d is more than %d versions older than the cluster's 1.%d", kubelet, maxSkew, server), fix, found...)
	case kubelet < server && g.Proposed: // the usual state of a group after its cluster's upgrade, a choice to think over before
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
