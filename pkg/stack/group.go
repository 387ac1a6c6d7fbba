package stack

// autoScalingGroup is the group itself. Its desired capacity is set by every stack update too, so an update must be
// given the present number.
func autoScalingGroup(in Input) object {
	group := object{
		"MinSize":           ref("NodeAutoScalingGroupMinSize"),
		"DesiredCapacity":   ref("NodeAutoScalingGroupDesiredCapacity"),
		"MaxSize":           ref("NodeAutoScalingGroupMaxSize"),
		"VPCZoneIdentifier": ref("Subnets"),
		"Tags":              groupTags(in),
	}
	template := object{
		"LaunchTemplateId": ref("NodeLaunchTemplate"),
		"Version":          getAtt("NodeLaunchTemplate", "LatestVersionNumber"),
	}
	if in.Mixed.Asked() {
		group["MixedInstancesPolicy"] = mixedInstances(in, template)
	} else {
		group["LaunchTemplate"] = template
	}
	if in.GroupMetrics {
		group["MetricsCollection"] = []any{object{"Granularity": "1Minute"}} // without names: all
	}
	if len(in.LifecycleHooks) > 0 {
		group["LifecycleHookSpecificationList"] = lifecycleHooks(in)
	}
	return resource("AWS::AutoScaling::AutoScalingGroup", group)
}

// mixedInstances lets the group choose among types and markets. On demand, the first type that is to be had is
// taken. Of Spot, AWS recommends the strategy that weighs price and capacity
// (https://docs.aws.amazon.com/autoscaling/ec2/userguide/allocation-strategies.html).
func mixedInstances(in Input, template object) object {
	distribution := object{"OnDemandAllocationStrategy": "prioritized"}
	if in.Mixed.Spot {
		distribution["OnDemandBaseCapacity"] = in.Mixed.OnDemandBase
		distribution["OnDemandPercentageAboveBaseCapacity"] = 0
		distribution["SpotAllocationStrategy"] = "price-capacity-optimized"
	}
	overrides := []any{object{"InstanceType": ref("NodeInstanceType")}}
	for _, kind := range in.Mixed.Types {
		overrides = append(overrides, object{"InstanceType": kind})
	}
	return object{
		"LaunchTemplate":        object{"LaunchTemplateSpecification": template, "Overrides": overrides},
		"InstancesDistribution": distribution,
	}
}

// lifecycleHooks stand in the group itself, not as resources of their own: so
// they are there before its first machine.
func lifecycleHooks(in Input) []any {
	var hooks []any
	for _, hook := range in.LifecycleHooks {
		transition, result := "TERMINATING", "ABANDON"
		if hook.Launching {
			transition = "LAUNCHING"
		}
		if hook.Continue {
			result = "CONTINUE"
		}
		hooks = append(hooks, object{
			"LifecycleHookName": hook.Name, "LifecycleTransition": "autoscaling:EC2_INSTANCE_" + transition,
			"HeartbeatTimeout": hook.Seconds, "DefaultResult": result,
		})
	}
	return hooks
}

// warmPool is a resource of its own: the group is there, and its machines are in service, before the pool is filled.
func warmPool(pool WarmPool) object {
	state := "Stopped"
	if pool.Running {
		state = "Running"
	}
	return resource("AWS::AutoScaling::WarmPool", object{
		"AutoScalingGroupName": ref("NodeGroup"), "MinSize": pool.Min, "MaxGroupPreparedCapacity": pool.Prepared, "PoolState": state,
	})
}
