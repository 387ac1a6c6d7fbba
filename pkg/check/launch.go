package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const docLaunch = "https://docs.aws.amazon.com/eks/latest/userguide/launch-workers.html"

func launchChecks() []Check {
	return []Check{
		{
			ID: "launch.sizes", Title: "minimum, desired and maximum size",
			Why:  "Auto Scaling refuses a desired size outside of minimum and maximum.",
			Ref:  "https://docs.aws.amazon.com/autoscaling/ec2/userguide/asg-capacity-limits.html",
			Link: LinkLaunch, Needs: sections(snapshot.SectionGroups), Preflight: true, Group: sizes,
		},
		{
			ID: "launch.update-room", Title: "room for a rolling update",
			Why:  "A rolling update starts the new machine before it ends the old one, so the group must be able to grow by one.",
			Ref:  docLaunch,
			Link: LinkLaunch, Needs: sections(snapshot.SectionGroups), Preflight: true, PlanOnly: true, Group: updateRoom,
		},
		{
			ID: "launch.type-exists", Title: "instance type exists in the region",
			Why:  "A launch with a type that the region does not have fails at once.",
			Ref:  "https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-types.html",
			Link: LinkLaunch, Needs: sections(snapshot.SectionGroups, snapshot.SectionLaunch, snapshot.SectionInstanceTypes), Preflight: true, Group: typeExists,
		},
		{
			ID: "launch.type-offered", Title: "instance type is sold in every zone",
			Why:  "Auto Scaling balances over the zones of its subnets; in a zone that does not sell the type every launch fails.",
			Ref:  "https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-discovery.html",
			Link: LinkLaunch, Needs: sections(snapshot.SectionGroups, snapshot.SectionLaunch, snapshot.SectionOfferings, snapshot.SectionSubnets), Preflight: true, Group: typeOffered,
		},
		{
			ID: "launch.key-pair", Title: "key pair exists",
			Why:  "A launch template that names a missing key pair launches nothing.",
			Ref:  "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-key-pairs.html",
			Link: LinkLaunch, Needs: sections(snapshot.SectionGroups, snapshot.SectionLaunch, snapshot.SectionKeyPairs), Preflight: true, Group: keyPair,
		},
		{
			ID: "launch.vcpu-quota", Title: "on-demand vCPU quota",
			Why:  "Beyond the account's quota of running vCPUs, launches fail with VcpuLimitExceeded, seen only in the scaling activities.",
			Ref:  "https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html",
			Link: LinkLaunch, Needs: sections(snapshot.SectionGroups, snapshot.SectionLaunch, snapshot.SectionInstanceTypes, snapshot.SectionQuotas), Preflight: true, PlanOnly: true, Group: vcpuQuota,
		},
	}
}

func sections(list ...snapshot.Section) []snapshot.Section { return list }

func sizes(_ *snapshot.Snapshot, g *snapshot.Group) []Result {
	found := fact("group", fmt.Sprintf("min %d, desired %d, max %d", g.Min, g.Desired, g.Max))
	if g.Min < 0 || g.Desired < g.Min || g.Max < g.Desired {
		return fail(report.Certain, fmt.Sprintf("desired size %d is not between minimum %d and maximum %d", g.Desired, g.Min, g.Max),
			do("give sizes with --min, --desired and --max in this order"), found)
	}
	return pass(fmt.Sprintf("%d of %d to %d", g.Desired, g.Min, g.Max), found)
}

func updateRoom(_ *snapshot.Snapshot, g *snapshot.Group) []Result {
	found := fact("group", fmt.Sprintf("desired %d, max %d", g.Desired, g.Max))
	if g.Desired > 0 && g.Max < g.Desired+1 {
		return warn(report.Likely, fmt.Sprintf("maximum %d leaves no room for a rolling update of %d machines", g.Max, g.Desired),
			do(fmt.Sprintf("set the maximum to %d or more with --max", g.Desired+1)), found)
	}
	return pass("the group can grow by one", found)
}

func typeExists(s *snapshot.Snapshot, g *snapshot.Group) []Result {
	var missing []string
	for _, name := range g.Launch.InstanceTypes {
		if s.Catalog.InstanceType(name) == nil {
			missing = append(missing, name)
		}
	}
	if len(g.Launch.InstanceTypes) == 0 {
		return nil
	}
	if len(missing) > 0 {
		summary := fmt.Sprintf("%s does not exist in %s", strings.Join(missing, ", "), s.Target.Region)
		fix := do("choose a type that does", fmt.Sprintf("aws ec2 describe-instance-types --region %s --query 'InstanceTypes[].InstanceType'", s.Target.Region))
		if len(missing) < len(g.Launch.InstanceTypes) { // the group has others to take
			return warn(report.Certain, summary, fix, fact("ec2:DescribeInstanceTypes", "no such type"))
		}
		return fail(report.Certain, summary, fix, fact("ec2:DescribeInstanceTypes", "no such type"))
	}
	return pass(strings.Join(g.Launch.InstanceTypes, ", ")+" exists in the region", fact("ec2:DescribeInstanceTypes", "found"))
}

// typeOffered asks for every zone whether one of the group's types is sold
// there: a group of several takes what there is. A group that stands goes to
// its other zones.
func typeOffered(s *snapshot.Snapshot, g *snapshot.Group) []Result {
	if len(g.Launch.InstanceTypes) == 0 {
		return nil
	}
	var zones, without, bad []string
	for _, id := range g.Subnets {
		subnet := s.Network.Subnet(id)
		if subnet == nil {
			continue
		}
		zones = append(zones, subnet.Zone)
		sold := slices.ContainsFunc(g.Launch.InstanceTypes, func(name string) bool { return slices.Contains(s.Catalog.Offerings[name], subnet.Zone) })
		if !sold {
			without, bad = append(without, subnet.Zone), append(bad, id)
		}
	}
	if len(zones) == 0 {
		return nil
	}
	var found []report.Evidence
	for _, name := range g.Launch.InstanceTypes[:min(len(g.Launch.InstanceTypes), maxEvidence)] {
		found = append(found, fact("ec2:DescribeInstanceTypeOfferings", fmt.Sprintf("%s: %s", name, orNone(s.Catalog.Offerings[name]))))
	}
	names := strings.Join(g.Launch.InstanceTypes, ", ")
	if len(without) == 0 {
		return pass(names+" is sold in every zone", found...)
	}
	everywhere := len(without) == len(zones)
	slices.Sort(without)
	summary := fmt.Sprintf("%s is not sold in %s", names, strings.Join(slices.Compact(without), ", "))
	fix := do(fmt.Sprintf("leave out %s with --subnets, or choose another type", strings.Join(bad, ", ")))
	if !g.Proposed && !everywhere {
		return warn(report.Certain, summary, fix, found...)
	}
	return fail(report.Certain, summary, fix, found...)
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

func keyPair(s *snapshot.Snapshot, g *snapshot.Group) []Result {
	name := g.Launch.KeyName
	if name == "" {
		return nil
	}
	if !slices.Contains(s.Catalog.KeyPairs, name) {
		return fail(report.Certain, fmt.Sprintf("key pair %q does not exist in %s", name, s.Target.Region),
			do("make it, or go without: SSM Session Manager needs none", fmt.Sprintf("%s add %s --create-key-pair %s.pem", product.Command, g.Name, name)),
			fact("ec2:DescribeKeyPairs", "no such key pair"))
	}
	return pass(fmt.Sprintf("key pair %q exists", name), fact("ec2:DescribeKeyPairs", "found"))
}

// vcpuQuota counts with the largest of the group's types.
func vcpuQuota(s *snapshot.Snapshot, g *snapshot.Group) []Result {
	each := 0
	for _, name := range g.Launch.InstanceTypes {
		if t := s.Catalog.InstanceType(name); t != nil {
			each = max(each, t.VCPUs)
		}
	}
	if each == 0 || s.Catalog.VCPUQuota == nil || s.Catalog.VCPUInUse == nil {
		return nil
	}
	if !g.Proposed {
		return nil // its machines run, and count, already
	}
	free := *s.Catalog.VCPUQuota - *s.Catalog.VCPUInUse
	found := []report.Evidence{
		fact("servicequotas:GetServiceQuota "+s.Catalog.QuotaCode, fmt.Sprintf("%d vCPUs, %d in use", *s.Catalog.VCPUQuota, *s.Catalog.VCPUInUse)),
		fact("ec2:DescribeInstanceTypes", fmt.Sprintf("%d vCPUs each", each)),
	}
	fix := do("ask for a higher quota, or take fewer or smaller machines", fmt.Sprintf(
		"aws service-quotas request-service-quota-increase --region %s --service-code ec2 --quota-code %s --desired-value %d",
		s.Target.Region, s.Catalog.QuotaCode, *s.Catalog.VCPUInUse+each*g.Max))
	switch {
	case each*g.Desired > free:
		return fail(report.Certain, fmt.Sprintf("%d machines take %d vCPUs, the quota leaves %d", g.Desired, each*g.Desired, max(free, 0)), fix, found...)
	case each*g.Max > free:
		return warn(report.Certain, fmt.Sprintf("the maximum of %d machines takes %d vCPUs, the quota leaves %d", g.Max, each*g.Max, free), fix, found...)
	}
	return pass(fmt.Sprintf("%d vCPUs are left, %d needed at most", free, each*g.Max), found...)
}
