package cloud

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// DescribeGroup returns an Auto Scaling group by its own name with its
// members, or nil when there is none.
func (c *Client) DescribeGroup(ctx context.Context, asgName string) (*snapshot.Group, []GroupMember, error) {
	out, err := c.asg().DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{asgName}})
	if err != nil {
		return nil, nil, wrap(err)
	}
	if len(out.AutoScalingGroups) == 0 {
		return nil, nil, nil
	}
	group := ConvertGroup(out.AutoScalingGroups[0])
	return &group, ConvertMembers(out.AutoScalingGroups[0]), nil
}

// GroupMember is an instance as its Auto Scaling group sees it.
type GroupMember struct {
	InstanceID string
	Zone       string
	Lifecycle  string // Pending, InService, Terminating:Wait …
	Health     string // Healthy, Unhealthy
	Protected  bool   // from scale-in
}

// ScalingActivities returns the newest activities of a group, newest first,
// at most 100.
func (c *Client) ScalingActivities(ctx context.Context, asgName string) ([]snapshot.Activity, error) {
	out, err := c.asg().DescribeScalingActivities(ctx, &autoscaling.DescribeScalingActivitiesInput{
		AutoScalingGroupName: aws.String(asgName), MaxRecords: aws.Int32(100),
	})
	if err != nil {
		return nil, wrap(err)
	}
	var activities []snapshot.Activity
	for _, activity := range out.Activities {
		activities = append(activities, ConvertActivity(activity))
	}
	return activities, nil
}

// SuspendProcesses stops processes of a group (Launch, AZRebalance …).
func (c *Client) SuspendProcesses(ctx context.Context, asgName string, processes ...string) error {
	_, err := c.asg().SuspendProcesses(ctx, &autoscaling.SuspendProcessesInput{AutoScalingGroupName: aws.String(asgName), ScalingProcesses: processes})
	return wrap(err)
}

// ResumeProcesses starts them again.
func (c *Client) ResumeProcesses(ctx context.Context, asgName string, processes ...string) error {
	_, err := c.asg().ResumeProcesses(ctx, &autoscaling.ResumeProcessesInput{AutoScalingGroupName: aws.String(asgName), ScalingProcesses: processes})
	return wrap(err)
}

// maxProtect is how many instances SetInstanceProtection takes at once.
const maxProtect = 50

// SetProtection protects instances from scale-in, or no longer.
func (c *Client) SetProtection(ctx context.Context, asgName string, protected bool, instanceIDs ...string) error {
	for chunk := range slices.Chunk(instanceIDs, maxProtect) {
		_, err := c.asg().SetInstanceProtection(ctx, &autoscaling.SetInstanceProtectionInput{
			AutoScalingGroupName: aws.String(asgName), InstanceIds: chunk, ProtectedFromScaleIn: aws.Bool(protected),
		})
		if err != nil {
			return wrap(err)
		}
	}
	return nil
}

// SetGroupSize sets the three sizes of a group.
func (c *Client) SetGroupSize(ctx context.Context, asgName string, smallest, desired, largest int) error {
	_, err := c.asg().UpdateAutoScalingGroup(ctx, &autoscaling.UpdateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String(asgName),
		MinSize:              aws.Int32(int32(smallest)), DesiredCapacity: aws.Int32(int32(desired)), MaxSize: aws.Int32(int32(largest)),
	})
	return wrap(err)
}

// EndMember terminates an instance of a group at once. With smaller, the group
// wants one fewer from then on; without, it starts another in its place.
func (c *Client) EndMember(ctx context.Context, instanceID string, smaller bool) error {
	_, err := c.asg().TerminateInstanceInAutoScalingGroup(ctx, &autoscaling.TerminateInstanceInAutoScalingGroupInput{
		InstanceId: aws.String(instanceID), ShouldDecrementDesiredCapacity: aws.Bool(smaller),
	})
	return wrap(err)
}

// groupResource is what Auto Scaling calls a group when it is tagged.
const groupResource = "auto-scaling-group"

// TagGroup puts a tag on a group that its instances do not get.
func (c *Client) TagGroup(ctx context.Context, asgName, key, value string) error {
	_, err := c.asg().CreateOrUpdateTags(ctx, &autoscaling.CreateOrUpdateTagsInput{Tags: []astypes.Tag{{
		ResourceId: aws.String(asgName), ResourceType: aws.String(groupResource),
		Key: aws.String(key), Value: aws.String(value), PropagateAtLaunch: aws.Bool(false),
	}}})
	return wrap(err)
}

// UntagGroup takes a tag off a group, whatever its value.
func (c *Client) UntagGroup(ctx context.Context, asgName, key string) error {
	_, err := c.asg().DeleteTags(ctx, &autoscaling.DeleteTagsInput{Tags: []astypes.Tag{{
		ResourceId: aws.String(asgName), ResourceType: aws.String(groupResource), Key: aws.String(key),
	}}})
	return wrap(err)
}
