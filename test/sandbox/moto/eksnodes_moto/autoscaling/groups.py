"""What a group remembers besides moto's fields, and the one way to change its size."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from moto.autoscaling.exceptions import ValidationError

from .activities import Journal, stamp


@dataclass
class Memory:
    """Kept on moto's group as group.eksnodes."""

    why: str = ""  # the request that last changed the desired capacity, as a cause's first sentence
    next_launch: float = 0.0  # monotonic time before which nothing is launched
    failures: int = 0
    replacing: int = 0  # instances to launch in place of unhealthy ones
    last_failure: str = ""
    deleting: bool = False
    warm: list[Any] = field(default_factory=list)  # members of the warm pool, as moto's InstanceState


def memory(group: Any) -> Memory:
    if not hasattr(group, "eksnodes"):
        group.eksnodes = Memory()
    return group.eksnodes


def journal(backend: Any) -> Journal:
    if not hasattr(backend, "eksnodes_journal"):
        backend.eksnodes_journal = Journal()
    return backend.eksnodes_journal


def check_sizes(minimum: int, maximum: int, desired: int) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetDesiredCapacity.html and UpdateAutoScalingGroup."""
    if minimum > maximum:
        raise ValidationError(f"Max bound, {maximum}, must be greater than or equal to min bound, {minimum}")
    if desired > maximum:
        raise ValidationError(f"New SetDesiredCapacity value {desired} is above max value {maximum} for the AutoScalingGroup.")
    if desired < minimum:
        raise ValidationError(f"New SetDesiredCapacity value {desired} is below min value {minimum} for the AutoScalingGroup.")


def set_desired(group: Any, desired: int) -> None:
    """SetDesiredCapacity."""
    check_sizes(group.min_size or 0, group.max_size or 0, desired)
    _change(group, desired, "a user request explicitly set group desired capacity")


def resize(group: Any, minimum: int, maximum: int, desired: int) -> None:
    """UpdateAutoScalingGroup's sizes."""
    check_sizes(minimum, maximum, desired)
    group.min_size, group.max_size = minimum, maximum
    _change(
        group,
        desired,
        f"a user request update of AutoScalingGroup constraints to min: {minimum}, max: {maximum}, desired: {desired}",
    )


def _change(group: Any, desired: int, what: str) -> None:
    before = group.desired_capacity or 0
    if before == desired:
        return
    group.desired_capacity = desired
    kept = memory(group)
    kept.why = f"At {stamp()} {what} changing the desired capacity from {before} to {desired}."
    kept.next_launch, kept.failures = 0.0, 0


def suspended(group: Any, process: str) -> bool:
    return any(p["ProcessName"] == process for p in group.suspended_processes)
