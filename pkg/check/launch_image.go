package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// imageChecks are the part of the launch family that is about the AMI.
func imageChecks() []Check {
	const ref = "https://docs.aws.amazon.com/eks/latest/userguide/eks-optimized-amis.html"
	return []Check{
		{
			ID: "launch.image-available", Title: "image is available",
			Why:  "An image that is gone, pending or not shared with the account launches nothing.",
			Ref:  ref,
			Link: LinkLaunch, Needs: sections(snapshot.SectionGroups, snapshot.SectionLaunch, snapshot.SectionImages), Preflight: true, Group: imageAvailable,
		},
		{
			ID: "launch.image-architecture", Title: "image and instance type have the same architecture",
			Why:  "EC2 refuses to start an arm64 image on an x86_64 machine and the other way round.",
			Ref:  ref,
			Link: LinkLaunch, Needs: sections(snapshot.SectionGroups, snapshot.SectionLaunch, snapshot.SectionImages, snapshot.SectionInstanceTypes), Preflight: true, Group: imageArchitecture,
		},
		{
			ID: "launch.volume-size", Title: "volume is as large as the image's snapshot",
			Why:  "EC2 refuses a root volume that is smaller than the snapshot it is made from.",
			Ref:  "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-device-mapping-concepts.html",
			Link: LinkLaunch, Needs: sections(snapshot.SectionGroups, snapshot.SectionLaunch, snapshot.SectionImages), Preflight: true, Group: volumeSize,
		},
	}
}

func imageAvailable(s *snapshot.Snapshot, g *snapshot.Group) []Result {
	id := g.Launch.ImageID
	if !strings.HasPrefix(id, "ami-") {
		return nil // none, or the name of a parameter that EC2 looks up at launch
	}
	image := s.Catalog.Image(id)
	look := do("choose an image that exists in this region and is shared with the account", fmt.Sprintf(
		"aws ec2 describe-images --region %s --image-ids %s", s.Target.Region, id))
	if image == nil {
		return fail(report.Certain, fmt.Sprintf("image %s does not exist in %s, or the account may not use it", id, s.Target.Region), look,
			fact("ec2:DescribeImages", "no such image"))
	}
	found := fact("ec2:DescribeImages", fmt.Sprintf("%s, %s, %s", id, image.Name, image.State))
	if image.State != "available" {
		return fail(report.Certain, fmt.Sprintf("image %s is %s", id, image.State), look, found)
	}
	if at := image.DeprecatedAt; !at.IsZero() && at.Before(s.CollectedAt) {
		return warn(report.Certain, fmt.Sprintf("image %s is deprecated since %s: it gets no fixes", id, at.Format("2006-01-02")),
			do("take a newer one: without --ami the newest is looked up"), found)
	}
	return pass("image "+id+" is available", found)
}

func imageArchitecture(s *snapshot.Snapshot, g *snapshot.Group) []Result {
	image := s.Catalog.Image(g.Launch.ImageID)
	if image == nil {
		return nil
	}
	for _, name := range g.Launch.InstanceTypes {
		t := s.Catalog.InstanceType(name)
		if t == nil || slices.Contains(t.Architectures, image.Architecture) {
			continue
		}
		return fail(report.Certain, fmt.Sprintf("image %s is %s, %s is %s", image.ID, image.Architecture, name, strings.Join(t.Architectures, ", ")),
			do("choose an image of the type's architecture, or a type of the image's"),
			fact("ec2:DescribeImages", image.Name+": "+image.Architecture),
			fact("ec2:DescribeInstanceTypes", name+": "+strings.Join(t.Architectures, ", ")))
	}
	return pass("both are "+image.Architecture, fact("ec2:DescribeImages", image.Architecture))
}

// volumeSize looks at the root volume. Bottlerocket's is the operating
// system's alone; the size asked for goes to its data volume.
func volumeSize(s *snapshot.Snapshot, g *snapshot.Group) []Result {
	image := s.Catalog.Image(g.Launch.ImageID)
	if image == nil || image.SnapshotSizeGiB == 0 || strings.HasPrefix(image.Name, "bottlerocket-") {
		return nil
	}
	size := rootSize(&g.Launch, image.RootDevice)
	if size == 0 {
		return nil
	}
	found := fact("ec2:DescribeImages", fmt.Sprintf("root snapshot of %d GiB", image.SnapshotSizeGiB))
	if size < image.SnapshotSizeGiB {
		return fail(report.Certain, fmt.Sprintf("a volume of %d GiB is smaller than the image's %d GiB", size, image.SnapshotSizeGiB),
			do(fmt.Sprintf("give --volume-size %d or more", image.SnapshotSizeGiB)), found)
	}
	return pass(fmt.Sprintf("%d GiB", size), found)
}

// rootSize is the size that a template asks for the root volume, in GiB; 0
// when it leaves it to the image. A plan knows of one volume only.
func rootSize(launch *snapshot.Launch, root string) int {
	if len(launch.Volumes) == 0 {
		return launch.VolumeSizeGiB
	}
	for _, volume := range launch.Volumes {
		if volume.Device == root {
			return volume.SizeGiB
		}
	}
	return 0
}
