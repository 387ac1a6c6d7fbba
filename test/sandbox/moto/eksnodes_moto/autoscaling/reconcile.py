"""What the service does on its own: launch, replace and terminate until a group is as desired."""

from __future__ import annotations

import logging
import time
from collections import Counter
from typing import Any

from moto.autoscaling.models import InstanceState, autoscaling_backends
from moto.core.exceptions import ServiceException

from ..ec2.launch import launch
from ..faults import Script
from . import hooks, warmpool
from .activities import Activity, stamp
from .groups import journal, memory, suspended

log = logging.getLogger("eksnodes_moto.autoscaling")

LIVING = ("Pending", "Pending:Wait", "InService")
GONE = ("shutting-down", "terminated", "stopping", "stopped")


class Reconciler:
    """Called once a tick, with clock.STATE held."""

    def __init__(self, script: Script):
        self.script = script

    def tick(self) -> None:
        for regions in list(autoscaling_backends.values()):
            for backend in list(regions.values()):
                for group in list(backend.autoscaling_groups.values()):
                    self.reconcile(backend, group)

    def reconcile(self, backend: Any, group: Any) -> None:
        self._follow(backend, group)
        warmpool.follow(backend, group, lambda state: self._finish(backend, group, state), self.script.seconds("asg_warm"))
        self._fill_pool(backend, group)
        if memory(group).deleting:
            if not group.instance_states and not memory(group).warm:
                backend.autoscaling_groups.pop(group.name, None)
            return
        self._replace_unhealthy(backend, group)
        living = [s for s in group.instance_states if s.lifecycle_state in LIVING]
        desired = group.desired_capacity or 0
        if len(living) < desired:
            self._launch(backend, group, len(living))
        elif len(living) > desired:
            self._shrink(backend, group, living, len(living) - desired)

    def _follow(self, backend: Any, group: Any) -> None:
        """Takes over what became of the instances since the last tick."""
        for state in list(group.instance_states):
            name = state.instance._state.name
            if state.lifecycle_state == "Pending" and name == "running":
                if hooks.hold(backend, state, hooks.LAUNCHING):
                    state.lifecycle_state = "Pending:Wait"
                    continue
                state.lifecycle_state = "InService"
                self._finish(backend, group, state)
            elif state.lifecycle_state in ("Pending:Wait", "Terminating:Wait"):
                self._held(backend, group, state)
            elif state.lifecycle_state == "Terminating" and name == "terminated":
                group.instance_states.remove(state)
                self._finish(backend, group, state)

    def _finish(self, backend: Any, group: Any, state: Any) -> None:
        for activity in journal(backend).unfinished(group.name, state.instance_id):
            activity.succeed()

    def _held(self, backend: Any, group: Any, state: Any) -> None:
        """Goes on with a member that no hook holds any more."""
        result = hooks.outcome(backend, state)
        if result is None:
            return
        if state.lifecycle_state == "Terminating:Wait":
            self._end(backend, state)
        elif result == "CONTINUE":
            state.lifecycle_state = "InService"
            self._finish(backend, group, state)
        else:
            for activity in journal(backend).unfinished(group.name, state.instance_id):
                activity.fail("Instance failed to complete user's Lifecycle Action: Lifecycle Action was abandoned.")
                activity.status = "Cancelled"
            why = f"At {stamp()} an instance was taken out of service in response to an abandoned lifecycle action."
            self.terminate(backend, group, state, why)

    def _fill_pool(self, backend: Any, group: Any) -> None:
        """Has the warm pool as many machines as it is to have."""
        kept = memory(group)
        living = [s for s in kept.warm if s.lifecycle_state != "Warmed:Terminating"]
        want = warmpool.wanted(group)
        for state in living[want:]:
            warmpool.end(backend, state)
        if suspended(group, "Launch") or time.monotonic() < kept.next_launch:
            return
        for number in range(len(living), want):
            cause = (
                f"At {stamp()} an instance was started in response to a difference between desired and actual capacity of the "
                f"warm pool, increasing its capacity from {number} to {want}."
            )
            if not self._launch_one(backend, group, cause, warm=True):
                return

    def _replace_unhealthy(self, backend: Any, group: Any) -> None:
        for state in list(group.instance_states):
            if state.lifecycle_state not in LIVING:
                continue
            dead = state.instance._state.name in GONE
            if dead and not suspended(group, "HealthCheck"):
                state.health_status = "Unhealthy"
            if state.health_status != "Unhealthy" or suspended(group, "ReplaceUnhealthy"):
                continue
            why = "an EC2 health check indicating it has been terminated or stopped" if dead else "a user health-check"
            self.terminate(backend, group, state, f"At {stamp()} an instance was taken out of service in response to {why}.")
            memory(group).replacing += 1

    def _launch(self, backend: Any, group: Any, have: int) -> None:
        kept = memory(group)
        if suspended(group, "Launch") or time.monotonic() < kept.next_launch:
            return
        desired, replacing = group.desired_capacity or 0, kept.replacing
        why = kept.why
        for number in range(desired - have):
            now = stamp()
            if number < replacing:
                cause = f"At {now} an instance was launched in response to an unhealthy instance needing to be replaced."
            else:
                cause = (
                    f"{why}  At {now} an instance was started in response to a difference between desired and actual "
                    f"capacity, increasing the capacity from {have} to {desired}."
                ).strip()
            if not self._take_warm(backend, group, cause) and not self._launch_one(backend, group, cause):
                return
            kept.replacing = max(0, kept.replacing - 1)

    def _take_warm(self, backend: Any, group: Any, cause: str) -> bool:
        """Takes a machine of the warm pool into service, if one is ready."""
        for state in warmpool.ready(group)[:1]:
            details = {"Subnet ID": state.instance.subnet_id, "Availability Zone": state.availability_zone}
            activity = Activity(group.name, group.arn, f"Launching a new EC2 instance from warm pool: {state.instance_id}", cause, details)
            activity.instance_id = state.instance_id
            journal(backend).add(activity)
            warmpool.take(group, state)
            return True
        return False

    def _launch_one(self, backend: Any, group: Any, cause: str, warm: bool = False) -> bool:
        kept = memory(group)
        subnet = _least_populated(group)
        zone = backend.ec2_backend.get_subnet(subnet).availability_zone if subnet else group.availability_zones[0]
        details = {"Subnet ID": subnet, "Availability Zone": zone} if subnet else {"Availability Zone": zone}
        activity = Activity(group.name, group.arn, "Launching a new EC2 instance" + " into warm pool" * warm, cause, details)
        journal(backend).add(activity)
        try:
            scripted = self.script.launch(group.name)
            if scripted:
                raise ServiceException(*scripted)
            instance = self._run(backend, group, subnet, zone, warm)
        except Exception as e:
            kept.last_failure = f"{_message(e).rstrip('.')}. Launching EC2 instance failed."
            activity.description += f".  Status Reason: {kept.last_failure}"
            activity.fail(kept.last_failure)
            pause = min(self.script.seconds("asg_retry") * 2**kept.failures, self.script.seconds("asg_retry_max"))
            kept.next_launch, kept.failures = time.monotonic() + pause, kept.failures + 1
            return False
        kept.failures = 0
        activity.instance_id = instance.id
        activity.description += f": {instance.id}"
        return True

    def _run(self, backend: Any, group: Any, subnet: str | None, zone: str, warm: bool) -> Any:
        version = group.ec2_launch_template.get_version(group.launch_template_version)
        tags = {**group.get_propagated_tags(), "aws:autoscaling:groupName": group.name}
        instance = launch(backend.ec2_backend, version, subnet, tags, None if subnet else zone, _choice(group))
        instance.autoscaling_group = group
        state = InstanceState(instance, lifecycle_state="Pending", protected_from_scale_in=group.new_instances_protected_from_scale_in)
        state.eksnodes_version = str(version.number)
        if warm:
            state.lifecycle_state = "Warmed:Pending"
            memory(group).warm.append(state)
        else:
            group.instance_states.append(state)
        return instance

    def _shrink(self, backend: Any, group: Any, living: list[Any], count: int) -> None:
        if suspended(group, "Terminate"):
            return
        have, desired, why = len(living), group.desired_capacity or 0, memory(group).why
        for _ in range(count):
            candidates = [s for s in living if not s.protected_from_scale_in]
            if not candidates:
                return
            crowd = Counter(s.availability_zone for s in living)
            victim = min(candidates, key=lambda s: (-crowd[s.availability_zone], s.instance.launch_time, s.instance_id))
            living.remove(victim)
            now = stamp()
            cause = (
                f"{why}  At {now} an instance was taken out of service in response to a difference between desired and "
                f"actual capacity, shrinking the capacity from {have} to {desired}.  At {now} instance "
                f"{victim.instance_id} was selected for termination."
            ).strip()
            self.terminate(backend, group, victim, cause)

    def terminate(self, backend: Any, group: Any, state: Any, cause: str) -> Activity:
        """Starts the termination of a member, with its activity."""
        if state.lifecycle_state in ("Pending", "Pending:Wait"):
            for launching in journal(backend).unfinished(group.name, state.instance_id):
                launching.succeed()
        details = {"Subnet ID": state.instance.subnet_id, "Availability Zone": state.availability_zone}
        activity = Activity(group.name, group.arn, f"Terminating EC2 instance: {state.instance_id}", cause, details)
        activity.status, activity.progress, activity.instance_id = "InProgress", 0, state.instance_id
        journal(backend).add(activity)
        if not memory(group).deleting and hooks.hold(backend, state, hooks.TERMINATING):
            state.lifecycle_state = "Terminating:Wait"
        else:
            self._end(backend, state)
        return activity

    def _end(self, backend: Any, state: Any) -> None:
        state.lifecycle_state = "Terminating"
        state.instance.disable_api_termination = False
        backend.ec2_backend.terminate_instances([state.instance_id])


def _message(error: Exception) -> str:
    if isinstance(error, ServiceException):
        return str(error.message)
    log.error("launch failed", exc_info=error)
    return f"EksnodesSandboxInternalError: {type(error).__name__}: {error}"


def _least_populated(group: Any) -> str | None:
    """The subnet with the fewest members; the first named wins a tie."""
    if not group.vpc_zone_identifier:
        return None
    subnets = group.vpc_zone_identifier.split(",")
    members = Counter(s.instance.subnet_id for s in group.instance_states if s.lifecycle_state in LIVING)
    return min(subnets, key=lambda s: (members[s], subnets.index(s)))


def _choice(group: Any) -> dict[str, Any]:
    """What a mixed instances policy puts in place of the template's: the first type, and the market whose turn it is.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-mixed-instances-groups.html
    """
    policy = group.mixed_instances_policy
    if not policy:
        return {}
    chosen: dict[str, Any] = {}
    overrides = policy["LaunchTemplate"].get("Overrides") or []
    if overrides and overrides[0].get("InstanceType"):
        chosen["InstanceType"] = overrides[0]["InstanceType"]
    distribution = policy.get("InstancesDistribution") or {}
    base = int(distribution.get("OnDemandBaseCapacity") or 0)
    percent = int(distribution.get("OnDemandPercentageAboveBaseCapacity", 100))
    living = [s.instance for s in group.instance_states if s.lifecycle_state in LIVING]
    on_demand = sum(instance.lifecycle != "spot" for instance in living)
    above = max(len(living) + 1 - base, 0)
    if on_demand >= base and (on_demand - base) * 100 >= percent * above:
        chosen["InstanceMarketOptions"] = {"MarketType": "spot"}
    return chosen
