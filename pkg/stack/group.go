package stack

// autoScalingGroup is the group itself. Its desired capacity is set by every stack update too, so an update must be
// given the present number.
func autoScalingGroup(in Input) object {
	return resource("AWS::AutoScaling::AutoScalingGroup", object{
		"MinSize":           ref("NodeAutoScalingGroupMinSize"),
		"DesiredCapacity":   ref("NodeAutoScalingGroupDesiredCapacity"),
		"MaxSize":           ref("NodeAutoScalingGroupMaxSize"),
		"VPCZoneIdentifier": ref("Subnets"),
		"LaunchTemplate": object{
			"LaunchTemplateId": ref("NodeLaunchTemplate"),
			"Version":          getAtt("NodeLaunchTemplate", "LatestVersionNumber"),
		},
		"Tags": groupTags(in),
	})
}
