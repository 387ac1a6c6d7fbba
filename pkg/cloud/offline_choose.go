package cloud

import (
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
)

// hasTag applies a filter of the kind tag-key, the only one that the readers
// use to leave machines of other clusters out.
func hasTag(keys, wanted []string) bool {
	return len(wanted) == 0 || slices.ContainsFunc(wanted, func(key string) bool { return slices.Contains(keys, key) })
}

func filterValues(filters []ec2types.Filter, name string) []string {
	for _, f := range filters {
		if aws.ToString(f.Name) == name {
			return f.Values
		}
	}
	return nil
}

func chooseInstances(in *ec2.DescribeInstancesInput, out *ec2.DescribeInstancesOutput) error {
	tags, ids := filterValues(in.Filters, "tag-key"), filterValues(in.Filters, "instance-id")
	for i := range out.Reservations {
		reservation := &out.Reservations[i]
		reservation.Instances = slices.DeleteFunc(reservation.Instances, func(machine ec2types.Instance) bool {
			var keys []string
			for _, tag := range machine.Tags {
				keys = append(keys, aws.ToString(tag.Key))
			}
			return !hasTag(keys, tags) || len(ids) > 0 && !slices.Contains(ids, aws.ToString(machine.InstanceId))
		})
	}
	return nil
}

func chooseVPC(in *ec2.DescribeVpcsInput, out *ec2.DescribeVpcsOutput) error {
	ids := filterValues(in.Filters, "vpc-id")
	out.Vpcs = slices.DeleteFunc(out.Vpcs, func(vpc ec2types.Vpc) bool { return len(ids) > 0 && !slices.Contains(ids, aws.ToString(vpc.VpcId)) })
	return nil
}

// chooseVersion takes one version of one launch template.
func chooseVersion(in *ec2.DescribeLaunchTemplateVersionsInput, out *ec2.DescribeLaunchTemplateVersionsOutput) error {
	wanted := "$Default"
	if len(in.Versions) > 0 {
		wanted = in.Versions[0]
	}
	all := slices.DeleteFunc(out.LaunchTemplateVersions, func(v ec2types.LaunchTemplateVersion) bool {
		return in.LaunchTemplateId != nil && aws.ToString(v.LaunchTemplateId) != *in.LaunchTemplateId ||
			in.LaunchTemplateName != nil && aws.ToString(v.LaunchTemplateName) != *in.LaunchTemplateName
	})
	slices.SortFunc(all, func(a, b ec2types.LaunchTemplateVersion) int {
		return int(aws.ToInt64(b.VersionNumber) - aws.ToInt64(a.VersionNumber))
	})
	for i, version := range all {
		if wanted == "$Latest" && i == 0 || wanted == "$Default" && aws.ToBool(version.DefaultVersion) || wanted == strconv.FormatInt(aws.ToInt64(version.VersionNumber), 10) {
			out.LaunchTemplateVersions = []ec2types.LaunchTemplateVersion{version}
			return nil
		}
	}
	return &gather.NoFile{Name: "version " + wanted + " of launch template " + aws.ToString(in.LaunchTemplateId) + aws.ToString(in.LaunchTemplateName)}
}

func chooseGroups(in *autoscaling.DescribeAutoScalingGroupsInput, out *autoscaling.DescribeAutoScalingGroupsOutput) error {
	var wanted []string
	for _, f := range in.Filters {
		if aws.ToString(f.Name) == "tag-key" {
			wanted = append(wanted, f.Values...)
		}
	}
	out.AutoScalingGroups = slices.DeleteFunc(out.AutoScalingGroups, func(group astypes.AutoScalingGroup) bool {
		var keys []string
		for _, tag := range group.Tags {
			keys = append(keys, aws.ToString(tag.Key))
		}
		return !hasTag(keys, wanted) || len(in.AutoScalingGroupNames) > 0 && !slices.Contains(in.AutoScalingGroupNames, aws.ToString(group.AutoScalingGroupName))
	})
	return nil
}

func chooseActivities(in *autoscaling.DescribeScalingActivitiesInput, out *autoscaling.DescribeScalingActivitiesOutput) error {
	out.Activities = slices.DeleteFunc(out.Activities, func(a astypes.Activity) bool {
		return in.AutoScalingGroupName != nil && aws.ToString(a.AutoScalingGroupName) != *in.AutoScalingGroupName
	})
	return nil
}

func chooseStack(in *cloudformation.DescribeStacksInput, out *cloudformation.DescribeStacksOutput) error {
	if in.StackName == nil {
		return nil
	}
	out.Stacks = slices.DeleteFunc(out.Stacks, func(s cfntypes.Stack) bool {
		return aws.ToString(s.StackName) != *in.StackName && aws.ToString(s.StackId) != *in.StackName
	})
	if len(out.Stacks) == 0 {
		return notThere("ValidationError", "Stack with id %s does not exist", *in.StackName)
	}
	return nil
}
