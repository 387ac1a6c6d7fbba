"""The Auto Scaling API where moto's differs from what AWS documents."""

from __future__ import annotations

from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, make_int
from moto.autoscaling.models import InstanceState as MemberState
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.iam.models import iam_backends

from ..ec2.launch import check as check_launch
from ..patching import Patcher
from . import groups, hooks, warmpool
from .activities import stamp
from .reconcile import Reconciler

PAGE = 100
SERVICE_ROLE = "AWSServiceRoleForAutoScaling"
PROCESSES = frozenset(
    {
        "AddToLoadBalancer",
        "AlarmNotification",
        "AZRebalance",
        "HealthCheck",
        "InstanceRefresh",
        "Launch",
        "ReplaceUnhealthy",
        "ScheduledActions",
        "Terminate",
    }
)


class AutoScaling(AutoScalingResponse):
    """One request. reconciler is set once, at start."""

    reconciler: Reconciler

    def create_auto_scaling_group(self) -> ActionResult:
        name = self._get_param("AutoScalingGroupName")
        if name in self.autoscaling_backend.autoscaling_groups:
            raise AutoscalingClientError(
                "AlreadyExists", f"AutoScalingGroup by this name already exists - A group with the name {name} already exists"
            )
        return super().create_auto_scaling_group()

    def set_desired_capacity(self) -> ActionResult:
        groups.set_desired(self._group(), self._get_int_param("DesiredCapacity"))
        return EmptyResult()

    def describe_scaling_activities(self) -> ActionResult:
        name, ids = self._get_param("AutoScalingGroupName"), self._get_param("ActivityIds", [])
        backend = self.autoscaling_backend
        gone_too = self._get_bool_param("IncludeDeletedGroups", False)
        if name and not gone_too:
            self._group()
        found = [
            a
            for a in reversed(groups.journal(backend).entries)
            if (not name or a.group_name == name) and (not ids or a.id in ids) and (gone_too or a.group_name in backend.autoscaling_groups)
        ]
        found.sort(key=lambda a: a.ended is not None)  # "Activities still in progress are described first"
        size = self._get_int_param("MaxRecords", PAGE)
        start = int(self._get_param("NextToken") or 0)
        more = str(start + size) if len(found) > start + size else None
        views = [a.view(a.group_name not in backend.autoscaling_groups) for a in found[start : start + size]]
        return ActionResult({"Activities": views, "NextToken": more})

    def terminate_instance_in_auto_scaling_group(self) -> ActionResult:
        instance_id, decrement = self._get_param("InstanceId"), self._get_bool_param("ShouldDecrementDesiredCapacity", False)
        backend = self.autoscaling_backend
        for group in backend.autoscaling_groups.values():
            for state in group.instance_states:
                if state.instance_id == instance_id and not state.lifecycle_state.startswith("Terminating"):
                    return self._terminate(backend, group, state, decrement)
        raise ValidationError(f"Instance Id not found - No managed instance found for instance ID: {instance_id}")

    def _terminate(self, backend: Any, group: Any, state: Any, decrement: bool) -> ActionResult:
        before = group.desired_capacity
        cause = f"At {stamp()} instance {state.instance_id} was taken out of service in response to a user request"
        if decrement:
            if before - 1 < (group.min_size or 0):
                raise ValidationError(
                    f"Currently, desiredSize equals minSize ({group.min_size}). Terminating instance without replacement "
                    "will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false "
                    "or lower group's min size."
                )
            group.desired_capacity = before - 1
            cause += f", shrinking the capacity from {before} to {before - 1}"
        else:
            groups.memory(group).replacing += 1
        activity = self.reconciler.terminate(backend, group, state, cause + ".")
        return ActionResult({"Activity": activity.view(False)})

    def set_instance_health(self) -> ActionResult:
        status = self._get_param("HealthStatus")
        if status not in ("Healthy", "Unhealthy"):
            raise ValidationError("Valid instance health states are: [Healthy, Unhealthy].")
        self._member(self._get_param("InstanceId")).health_status = status
        return EmptyResult()

    def _member(self, instance_id: str) -> Any:
        for state in self.autoscaling_backend.describe_auto_scaling_instances([instance_id]):
            return state
        raise ValidationError(f"Instance Id not found - No managed instance found for instance ID: {instance_id}")

    def suspend_processes(self) -> ActionResult:
        group, wanted = self._group(), self._processes()
        group.suspended_processes = sorted({p["ProcessName"] for p in group.suspended_processes} | wanted)
        return EmptyResult()

    def resume_processes(self) -> ActionResult:
        group, wanted = self._group(), self._processes()
        group.suspended_processes = sorted({p["ProcessName"] for p in group.suspended_processes} - wanted)
        return EmptyResult()

    def _processes(self) -> set[str]:
        wanted = set(self._get_param("ScalingProcesses", [])) or set(PROCESSES)
        if wanted - PROCESSES:
            raise ValidationError(f"Unknown scaling processes: {', '.join(sorted(wanted - PROCESSES))}")
        return wanted

    def delete_auto_scaling_group(self) -> ActionResult:
        group, backend = self._group(), self.autoscaling_backend
        if (group.instance_states or groups.memory(group).warm) and not self._get_bool_param("ForceDelete", False):
            raise AutoscalingClientError(
                "ResourceInUse",
                "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.",
            )
        groups.memory(group).deleting = True  # from here on no hook holds anything
        for state in list(group.instance_states):
            if not state.lifecycle_state.startswith("Terminating"):
                now = stamp()
                cause = (
                    f"At {now} a user request force deleted AutoScaling group changing the desired capacity from "
                    f"{group.desired_capacity} to 0.  At {now} instance {state.instance_id} was selected for termination."
                )
                self.reconciler.terminate(backend, group, state, cause)
        group.status = "Delete in progress"
        return EmptyResult()

    def complete_lifecycle_action(self) -> ActionResult:
        hooks.complete(self._held(), self._get_param("LifecycleHookName"), self._get_param("LifecycleActionResult"))
        return EmptyResult()

    def _held(self) -> Any:
        group, instance_id = self._group(), self._get_param("InstanceId")
        for state in [*group.instance_states, *groups.memory(group).warm]:
            if state.instance_id == instance_id:
                return state
        raise ValidationError(f"No active Lifecycle Action found with instance ID {instance_id}")

    def put_warm_pool(self) -> ActionResult:
        minimum, prepared = self._get_int_param("MinSize"), self._get_int_param("MaxGroupPreparedCapacity")
        warmpool.put(self._group(), minimum, prepared, self._get_param("PoolState"))
        return EmptyResult()

    def describe_warm_pool(self) -> ActionResult:
        group = self._group()
        return ActionResult({"WarmPoolConfiguration": group.warm_pool, "Instances": groups.memory(group).warm})

    def delete_warm_pool(self) -> ActionResult:
        warmpool.delete(self._group(), self._get_bool_param("ForceDelete", False))
        return EmptyResult()

    def create_or_update_tags(self) -> ActionResult:
        for tag in self._get_param("Tags", []):
            if tag.get("ResourceId") not in self.autoscaling_backend.autoscaling_groups:
                raise ValidationError(f"AutoScalingGroup name not found - AutoScalingGroup '{tag.get('ResourceId')}' not found")
        return super().create_or_update_tags()

    def _group(self) -> Any:
        name = self._get_param("AutoScalingGroupName")
        group = self.autoscaling_backend.autoscaling_groups.get(name)
        if group is None:
            raise ValidationError(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
        return group


def apply(patcher: Patcher, reconciler: Reconciler) -> None:
    """Takes launching and terminating out of moto's group: the reconciler does both."""
    from moto.autoscaling import urls

    AutoScaling.reconciler = reconciler
    patcher.rely(urls, "url_paths")
    urls.url_paths = {"{0}/$": AutoScaling.dispatch}
    patcher.replace(FakeAutoScalingGroup, "set_desired_capacity", _set_desired_capacity)
    patcher.replace(FakeAutoScalingGroup, "update", _update)
    patcher.replace(AutoScalingBackend, "notify_terminate_instances", lambda self, instance_ids: None)
    patcher.replace(AutoScalingBackend, "delete_auto_scaling_group", lambda self, name: self.autoscaling_groups.pop(name, None))
    FakeAutoScalingGroup.warm_pool_size = property(lambda self: len(groups.memory(self).warm) if self.warm_pool else None)
    patcher.replace(MemberState, "launch_template", property(_launch_template_of))
    create = patcher.replace(AutoScalingBackend, "create_auto_scaling_group", None)

    def create_auto_scaling_group(self: Any, *args: Any, **kwargs: Any) -> Any:
        low, high = make_int(kwargs["min_size"]) or 0, make_int(kwargs["max_size"]) or 0
        wanted = make_int(kwargs.get("desired_capacity"))
        groups.check_sizes(low, high, low if wanted is None else wanted)
        group = create(self, *args, **kwargs)
        try:
            _check_template(group)
        except Exception:
            self.autoscaling_groups.pop(group.name, None)
            raise
        _ensure_service_role(self)
        groups.memory(
            group
        ).why = f"At {stamp()} a user request created an AutoScalingGroup changing the desired capacity from 0 to {group.desired_capacity}."
        return group

    AutoScalingBackend.create_auto_scaling_group = create_auto_scaling_group


def _ensure_service_role(backend: Any) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/autoscaling-service-linked-role.html"""
    iam = iam_backends[backend.account_id][backend.partition]
    if not any(role.name == SERVICE_ROLE for role in iam.get_roles()):
        iam.create_service_linked_role("autoscaling.amazonaws.com", "Default Service-Linked Role of Auto Scaling", None)


def _set_desired_capacity(self: Any, new_capacity: int | None) -> None:
    """moto's launches and terminates here; this only takes note."""
    self.desired_capacity = self.min_size if new_capacity is None else new_capacity


def _update(
    self: Any,
    availability_zones: list[str],
    desired_capacity: int | None,
    max_size: int | None,
    min_size: int | None,
    launch_config_name: str,
    launch_template: dict[str, Any],
    vpc_zone_identifier: str,
    health_check_period: int,
    health_check_type: str,
    new_instances_protected_from_scale_in: bool | None = None,
    mixed_instances_policy: dict[str, Any] | None = None,
) -> None:
    low = self.min_size if min_size is None else min_size
    high = self.max_size if max_size is None else max_size
    current = self.desired_capacity or 0
    desired = min(max(current, low), high) if desired_capacity is None else desired_capacity
    groups.check_sizes(low, high, desired)
    if launch_template or mixed_instances_policy:
        before = (self.ec2_launch_template, getattr(self, "launch_template_version", None), self.mixed_instances_policy)
        self.mixed_instances_policy = mixed_instances_policy
        self._set_launch_configuration(launch_config_name, launch_template, mixed_instances_policy)
        try:
            _check_template(self)
        except Exception:
            self.ec2_launch_template, self.launch_template_version, self.mixed_instances_policy = before
            raise
    self._set_azs_and_vpcs(availability_zones, vpc_zone_identifier, update=True)
    if health_check_period is not None:
        self.health_check_grace_period = int(health_check_period)
    if health_check_type is not None:
        self.health_check_type = health_check_type
    if new_instances_protected_from_scale_in is not None:
        self.new_instances_protected_from_scale_in = new_instances_protected_from_scale_in
    groups.resize(self, low, high, desired)


def _check_template(group: Any) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-launch-template.html"""
    if group.ec2_launch_template is None:
        raise NotImplementedError("Auto Scaling groups without a launch template")
    try:
        check_launch(group.ec2_backend, group.ec2_launch_template.get_version(group.launch_template_version).data)
    except ServiceException as e:
        raise ValidationError(f"You must use a valid fully-formed launch template. {e.message}") from None


def _launch_template_of(self: Any) -> dict[str, Any]:
    """The version that the member was launched from, not the group's default."""
    template = self.auto_scaling_group.ec2_launch_template
    return {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "Version": getattr(self, "eksnodes_version", str(template.default_version_number)),
    }
