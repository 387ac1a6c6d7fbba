package instances

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

// targets says what each instance of an Auto Scaling group is on the way to, as
// instance metadata has it (Amazon EC2 Auto Scaling User Guide, "Retrieve the
// target lifecycle state through instance metadata").
func (r *reader) targets(ctx context.Context) (map[string]string, error) {
	found := map[string]string{}
	pages := autoscaling.NewDescribeAutoScalingGroupsPaginator(r.asg, &autoscaling.DescribeAutoScalingGroupsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("describe auto scaling groups: %w", err)
		}
		for _, group := range page.AutoScalingGroups {
			members := group.Instances
			if group.WarmPoolConfiguration != nil {
				pool, err := r.asg.DescribeWarmPool(ctx, &autoscaling.DescribeWarmPoolInput{AutoScalingGroupName: group.AutoScalingGroupName})
				if err != nil {
					return nil, fmt.Errorf("describe warm pool: %w", err)
				}
				members = append(members, pool.Instances...)
			}
			for _, member := range members {
				found[aws.ToString(member.InstanceId)] = target(string(member.LifecycleState), group.WarmPoolConfiguration)
			}
		}
	}
	return found, nil
}

// target is the steady state that a lifecycle state leads to.
func target(state string, pool *astypes.WarmPoolConfiguration) string {
	switch {
	case strings.HasPrefix(state, "Warmed:Terminat"):
		return "Warmed:Terminated"
	case strings.HasPrefix(state, "Warmed:") && pool != nil && pool.PoolState == astypes.WarmPoolStateRunning:
		return "Warmed:Running"
	case strings.HasPrefix(state, "Warmed:"):
		return "Warmed:Stopped"
	case strings.HasPrefix(state, "Terminat"):
		return "Terminated"
	}
	return "InService"
}
