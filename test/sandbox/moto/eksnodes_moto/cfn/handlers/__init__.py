"""Resource types that the engine knows."""

from __future__ import annotations

from ...settings import Settings
from .autoscaling import AutoScalingGroupHandler
from .base import Handler
from .iam import InstanceProfileHandler, PolicyHandler, RoleHandler
from .launch_template import LaunchTemplateHandler
from .security_groups import EgressHandler, IngressHandler, SecurityGroupHandler


def all_handlers(settings: Settings) -> dict[str, Handler]:
    handlers: list[Handler] = [
        RoleHandler(),
        InstanceProfileHandler(),
        PolicyHandler(),
        SecurityGroupHandler(),
        IngressHandler(),
        EgressHandler(),
        LaunchTemplateHandler(),
        AutoScalingGroupHandler(settings.cfn_stabilize),
    ]
    return {handler.type: handler for handler in handlers}
