"""Resource types that the engine knows."""

from __future__ import annotations

from ...faults import Script
from .access_entry import AccessEntryHandler
from .autoscaling import AutoScalingGroupHandler, WarmPoolHandler
from .base import Handler
from .iam import InstanceProfileHandler, PolicyHandler, RoleHandler
from .launch_template import LaunchTemplateHandler
from .security_groups import EgressHandler, IngressHandler, SecurityGroupHandler


def all_handlers(script: Script) -> dict[str, Handler]:
    handlers: list[Handler] = [
        RoleHandler(),
        InstanceProfileHandler(),
        PolicyHandler(),
        SecurityGroupHandler(),
        IngressHandler(),
        EgressHandler(),
        LaunchTemplateHandler(),
        AccessEntryHandler(),
        AutoScalingGroupHandler(script),
        WarmPoolHandler(),
    ]
    return {handler.type: handler for handler in handlers}
