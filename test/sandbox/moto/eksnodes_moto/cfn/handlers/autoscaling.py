"""AWS::AutoScaling::AutoScalingGroup."""

from __future__ import annotations

import time
from typing import Any

from moto.autoscaling.models import autoscaling_backends

from ...autoscaling import metrics, warmpool
from ...autoscaling.groups import memory, resize
from ...faults import Script
from ..errors import ResourceFailure
from .base import REPLACE, Context, Made
from .shapes import coerce


class AutoScalingGroupHandler:
    type = "AWS::AutoScaling::AutoScalingGroup"
    required = frozenset({"MaxSize", "MinSize"})
    attributes = frozenset({"AutoScalingGroupARN"})
    properties = frozenset(
        {
            "AutoScalingGroupName",
            "AvailabilityZones",
            "CapacityRebalance",
            "DefaultInstanceWarmup",
            "DesiredCapacity",
            "HealthCheckGracePeriod",
            "HealthCheckType",
            "LaunchTemplate",
            "LifecycleHookSpecificationList",
            "MaxSize",
            "MetricsCollection",
            "MinSize",
            "MixedInstancesPolicy",
            "NewInstancesProtectedFromScaleIn",
            "Tags",
            "TerminationPolicies",
            "VPCZoneIdentifier",
        }
    )

    def __init__(self, script: Script):
        self.script = script
        self._waiting: dict[str, float] = {}  # group -> since when, monotonic

    def create(self, ctx: Context, properties: dict[str, Any]) -> Made:
        collected = metrics.wanted(properties.get("MetricsCollection", []))
        name = properties.get("AutoScalingGroupName") or ctx.generated_name(255)
        group = autoscaling_backends[ctx.account][ctx.region].create_auto_scaling_group(
            name=name,
            availability_zones=properties.get("AvailabilityZones", []),
            desired_capacity=properties.get("DesiredCapacity"),
            max_size=properties["MaxSize"],
            min_size=properties["MinSize"],
            launch_config_name="",
            launch_template=properties.get("LaunchTemplate", {}),
            mixed_instances_policy=_mixed(properties),
            vpc_zone_identifier=",".join(properties.get("VPCZoneIdentifier", [])) or None,
            default_cooldown=None,
            health_check_period=properties.get("HealthCheckGracePeriod"),
            health_check_type=properties.get("HealthCheckType"),
            load_balancers=[],
            target_group_arns=[],
            placement_group=None,
            termination_policies=properties.get("TerminationPolicies", []),
            tags=self._tags(ctx, properties),
            capacity_rebalance=str(properties.get("CapacityRebalance", False)).lower() == "true",
            new_instances_protected_from_scale_in=str(properties.get("NewInstancesProtectedFromScaleIn", False)).lower() == "true",
        )
        group.enable_metrics_collection(collected)
        _hooks(ctx, name, {}, properties)
        return Made(name, {"AutoScalingGroupARN": group.arn})

    def settled(self, ctx: Context, physical_id: str) -> bool:
        """Waits until as many instances as the minimum are in service."""
        group = autoscaling_backends[ctx.account][ctx.region].autoscaling_groups.get(physical_id)
        if group is None:
            raise ResourceFailure(f"AutoScalingGroup {physical_id} was deleted while it was being created")
        in_service = len(group.active_instances())
        if in_service >= (group.min_size or 0):
            self._waiting.pop(physical_id, None)
            return True
        since = self._waiting.setdefault(physical_id, time.monotonic())
        if time.monotonic() < since + self.script.seconds("cfn_stabilize"):
            return False
        del self._waiting[physical_id]
        raise ResourceFailure(
            "Group did not stabilize. {current/minimum/maximum group size} = "
            f"{{{in_service}/{group.min_size}/{group.max_size}}}. Failed Scaling Activity: {memory(group).last_failure or 'none'}"
        )

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Any:
        if old.get("AutoScalingGroupName") != new.get("AutoScalingGroupName"):
            return REPLACE
        backend = autoscaling_backends[ctx.account][ctx.region]
        group = backend.autoscaling_groups.get(physical_id)
        if group is None:
            raise ResourceFailure(f"AutoScalingGroup name not found - AutoScalingGroup '{physical_id}' not found")
        collected = metrics.wanted(new.get("MetricsCollection", []))
        changed_size = any(old.get(k) != new.get(k) for k in ("MinSize", "MaxSize", "DesiredCapacity"))
        backend.update_auto_scaling_group(
            name=physical_id,
            availability_zones=new.get("AvailabilityZones", []),
            desired_capacity=int(new["DesiredCapacity"]) if changed_size and "DesiredCapacity" in new else None,
            max_size=int(new["MaxSize"]),
            min_size=int(new["MinSize"]),
            launch_config_name="",
            launch_template=new.get("LaunchTemplate", {}),
            mixed_instances_policy=_mixed(new),
            vpc_zone_identifier=",".join(new.get("VPCZoneIdentifier", [])),
            health_check_period=new.get("HealthCheckGracePeriod"),
            health_check_type=new.get("HealthCheckType"),
        )
        group.enable_metrics_collection(collected)
        _hooks(ctx, physical_id, old, new)
        group.tags = self._kept(ctx, group, old, new) + self._tags(ctx, new)
        return Made(physical_id, {"AutoScalingGroupARN": group.arn})

    def delete(self, ctx: Context, physical_id: str, properties: dict[str, Any]) -> bool:
        """Shrinks the group to nothing, waits for the instances, then deletes it."""
        backend = autoscaling_backends[ctx.account][ctx.region]
        group = backend.autoscaling_groups.get(physical_id)
        if group is None:
            return True
        if (group.min_size, group.max_size, group.desired_capacity) != (0, 0, 0):
            for state in group.instance_states:
                state.protected_from_scale_in = False
            resize(group, 0, 0, 0)
        if group.instance_states:
            return False
        backend.delete_auto_scaling_group(physical_id)
        return True

    def _kept(self, ctx: Context, group: Any, old: dict[str, Any], new: dict[str, Any]) -> list[dict[str, Any]]:
        """Tags that did not come from the stack: an update leaves them alone."""
        ours = {t["Key"] for properties in (old, new) for t in self._tags(ctx, properties)}
        return [t for t in group.tags if t["Key"] not in ours]

    def _tags(self, ctx: Context, properties: dict[str, Any]) -> list[dict[str, Any]]:
        own = {t["Key"]: (str(t["Value"]), str(t.get("PropagateAtLaunch", False)).lower() == "true") for t in properties.get("Tags", [])}
        given = {k: (v, True) for k, v in {**ctx.system_tags(), **ctx.stack_tags}.items()}
        return [{"Key": k, "Value": v, "PropagateAtLaunch": launch} for k, (v, launch) in {**given, **own}.items()]


def _mixed(properties: dict[str, Any]) -> dict[str, Any] | None:
    """The policy as the API takes it: the template's members bear the same names."""
    policy = properties.get("MixedInstancesPolicy")
    return None if policy is None else coerce("autoscaling", "MixedInstancesPolicy", policy)


def _hooks(ctx: Context, group: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    """Has the group the hooks of new, and none that were in old alone."""
    backend = autoscaling_backends[ctx.account][ctx.region]
    for hook in old.get("LifecycleHookSpecificationList", []):
        backend.delete_lifecycle_hook(group, hook["LifecycleHookName"])
    for raw in new.get("LifecycleHookSpecificationList", []):
        hook = coerce("autoscaling", "LifecycleHookSpecification", raw)
        timeout = hook.get("HeartbeatTimeout", 3600)
        if not 30 <= timeout <= 7200:
            raise ResourceFailure(f"1 validation error detected: Value '{timeout}' at 'heartbeatTimeout' is not between 30 and 7200")
        backend.create_lifecycle_hook(hook["LifecycleHookName"], group, hook["LifecycleTransition"], timeout, hook.get("DefaultResult"))


class WarmPoolHandler:
    """AWS::AutoScaling::WarmPool."""

    type = "AWS::AutoScaling::WarmPool"
    required = frozenset({"AutoScalingGroupName"})
    attributes: frozenset[str] = frozenset()
    properties = frozenset({"AutoScalingGroupName", "MaxGroupPreparedCapacity", "MinSize", "PoolState"})

    def create(self, ctx: Context, properties: dict[str, Any]) -> Made:
        group = self._group(ctx, properties["AutoScalingGroupName"])
        if group is None:
            raise ResourceFailure(f"AutoScalingGroup name not found - AutoScalingGroup '{properties['AutoScalingGroupName']}' not found")
        warmpool.put(group, properties.get("MinSize"), properties.get("MaxGroupPreparedCapacity", -1), properties.get("PoolState"))
        return Made(group.name)

    def settled(self, ctx: Context, physical_id: str) -> bool:
        return True

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Any:
        return REPLACE if old["AutoScalingGroupName"] != new["AutoScalingGroupName"] else self.create(ctx, new)

    def delete(self, ctx: Context, physical_id: str, properties: dict[str, Any]) -> bool:
        group = self._group(ctx, physical_id)
        if group is None or group.warm_pool is None:
            return True
        warmpool.delete(group, force=True)
        return False

    def _group(self, ctx: Context, name: str) -> Any:
        return autoscaling_backends[ctx.account][ctx.region].autoscaling_groups.get(name)
