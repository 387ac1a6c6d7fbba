"""Warm pools: machines beside a group, stopped or running, that it takes into service before it launches others.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-warm-pools.html
"""

from __future__ import annotations

import time
from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import FakeWarmPool

from . import hooks
from .groups import memory

GONE = ("shutting-down", "terminated")


def put(group: Any, minimum: Any, prepared: Any, pool_state: Any) -> None:
    """PutWarmPool; prepared None leaves it as it was, -1 takes it back.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutWarmPool.html
    """
    if pool_state not in (None, "Stopped", "Running"):
        raise NotImplementedError(f"warm pools in the state {pool_state}")
    template = group.ec2_launch_template.get_version(group.launch_template_version).data
    if group.mixed_instances_policy or template.get("InstanceMarketOptions"):
        raise ValidationError(
            "You can't add a warm pool to an Auto Scaling group that has a mixed instances policy or that launches Spot Instances."
        )
    before = group.warm_pool
    minimum = int(minimum if minimum is not None else before.min_size if before else 0)
    prepared = int(prepared) if prepared is not None else before.max_group_prepared_capacity if before else None
    if prepared is not None and prepared < 0:
        prepared = None
    if prepared is not None and prepared < minimum:
        raise ValidationError(f"MinSize, {minimum}, must be less than or equal to MaxGroupPreparedCapacity, {prepared}")
    group.warm_pool = FakeWarmPool(prepared, minimum, pool_state or (before.pool_state if before else None), None)


def delete(group: Any, force: bool) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteWarmPool.html"""
    if group.warm_pool is None:
        raise ValidationError(f"No warm pool found for Auto Scaling group {group.name}")
    if memory(group).warm and not force:
        raise AutoscalingClientError("ResourceInUse", "You cannot delete a warm pool while there are instances still in it.")
    group.warm_pool.status = "PendingDelete"


def wanted(group: Any) -> int:
    """How many machines the pool is to have."""
    pool = group.warm_pool
    if pool is None or getattr(pool, "status", None) or memory(group).deleting:
        return 0
    prepared = group.max_size if pool.max_group_prepared_capacity is None else pool.max_group_prepared_capacity
    return max(pool.min_size, prepared - (group.desired_capacity or 0))


def ready(group: Any) -> list[Any]:
    """The machines that can be taken into service, the oldest first."""
    return [s for s in memory(group).warm if s.lifecycle_state in ("Warmed:Stopped", "Warmed:Running")]


def follow(backend: Any, group: Any, finish: Any, warm_seconds: float) -> None:
    """Takes over what became of the pool's machines since the last tick; finish ends the activities of one."""
    kept = memory(group)
    for state in list(kept.warm):
        name = state.instance._state.name
        if name == "terminated":
            kept.warm.remove(state)
            finish(state)
        elif name in GONE:
            state.lifecycle_state = "Warmed:Terminating"
        elif state.lifecycle_state == "Warmed:Pending" and name == "running":
            _warmed_up(backend, group, state, warm_seconds)
        elif state.lifecycle_state == "Warmed:Pending:Wait":
            _held(backend, group, state)
        elif state.lifecycle_state == "Warmed:Pending:Proceed" and name == "stopped":
            state.lifecycle_state = "Warmed:Stopped"
            finish(state)
        elif state.lifecycle_state == "Warmed:Pending:Proceed" and name == "running" and group.warm_pool.pool_state == "Running":
            state.lifecycle_state = "Warmed:Running"
            finish(state)
    if group.warm_pool is not None and getattr(group.warm_pool, "status", None) and not kept.warm:
        group.warm_pool = None


def _warmed_up(backend: Any, group: Any, state: Any, seconds: float) -> None:
    """Nothing of the machine's own is waited for: the seconds are those that the service itself takes."""
    since = state.__dict__.setdefault("eksnodes_running", time.monotonic())
    if hooks.hold(backend, state, hooks.LAUNCHING):
        state.lifecycle_state = "Warmed:Pending:Wait"
    elif time.monotonic() >= since + seconds:
        _proceed(group, state)


def _held(backend: Any, group: Any, state: Any) -> None:
    result = hooks.outcome(backend, state)
    if result == "CONTINUE":
        _proceed(group, state)
    elif result == "ABANDON":
        end(backend, state)


def _proceed(group: Any, state: Any) -> None:
    state.lifecycle_state = "Warmed:Pending:Proceed"
    if group.warm_pool.pool_state == "Stopped":
        state.instance.stop()


def end(backend: Any, state: Any) -> None:
    state.lifecycle_state = "Warmed:Terminating"
    backend.ec2_backend.terminate_instances([state.instance_id])


def take(group: Any, state: Any) -> None:
    """The machine leaves the pool for the group."""
    memory(group).warm.remove(state)
    state.lifecycle_state = "Pending"
    group.instance_states.append(state)
    if state.instance._state.name == "stopped":
        state.instance.start()
