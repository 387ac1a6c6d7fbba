"""vCPU quota of On-Demand Standard instances, and what an instance type counts for.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-on-demand-instances.html#ec2-on-demand-instances-limits
"""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.instance_types import INSTANCE_TYPES

STANDARD_QUOTA = "L-1216C47A"
STANDARD_FAMILIES = "acdhimrtz"
DEFAULT_VALUE = 64.0
COUNTED = ("pending", "running", "stopping", "shutting-down")


class _Limits:
    """Where the quota's value comes from: the failure script or the default."""

    script: Any = None


def use_script(script: Any) -> None:
    _Limits.script = script


def quota() -> float:
    scripted = _Limits.script.quota(STANDARD_QUOTA) if _Limits.script else None
    return DEFAULT_VALUE if scripted is None else scripted


def vcpus(backend: Any, instance_type: str) -> int:
    details = INSTANCE_TYPES.get(instance_type)
    if details is None:
        raise EC2ClientError("InvalidParameterValue", f"Invalid value '{instance_type}' for InstanceType.")
    return int(details["VCpuInfo"]["DefaultVCpus"])


def check(backend: Any, instance_type: str, count: int) -> None:
    """Refuses instances that would go over the quota."""
    wanted = count * vcpus(backend, instance_type)
    if instance_type[0] not in STANDARD_FAMILIES:
        return
    used = sum(
        vcpus(backend, i.instance_type)
        for r in backend.reservations.values()
        for i in r.instances
        if i._state.name in COUNTED and i.instance_type in INSTANCE_TYPES and i.instance_type[0] in STANDARD_FAMILIES
    )
    if used + wanted > quota():
        raise EC2ClientError(
            "VcpuLimitExceeded",
            f"You have requested more vCPU capacity than your current vCPU limit of {quota():.0f} allows for the instance "
            "bucket that the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request "
            "to request an adjustment to this limit.",
        )
