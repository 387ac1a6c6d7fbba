"""All repairs, in the order in which they are put on."""

from __future__ import annotations

from typing import Any

import moto.cloudformation.urls as cfn_urls
from moto.autoscaling.models import FakeAutoScalingGroup
from moto.ec2.models.elastic_network_interfaces import NetworkInterfaceBackend
from moto.ec2.models.iam_instance_profile import IamInstanceProfileAssociationBackend
from moto.ec2.models.instances import Instance, InstanceBackend
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateBackend
from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupBackend, SecurityGroupRule
from moto.iam.models import IAMBackend, InstanceProfile, Role

from . import quotas, ssm
from .autoscaling import api as autoscaling_api
from .autoscaling.reconcile import Reconciler
from .cfn.api import CloudFormation
from .cfn.handlers import all_handlers
from .cfn.update import UpdatingEngine
from .clock import CLOCK
from .ec2 import filters, groups, image_devices, lifecycle, limits, not_found, profiles, running
from .faults import Script
from .patching import Patcher
from .settings import Settings

# What the repairs call or reach into without replacing it.
RELIED_ON: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (FakeAutoScalingGroup, ("__init__", "_set_azs_and_vpcs", "_set_launch_configuration", "get_propagated_tags")),
    (IAMBackend, ("create_role", "delete_role", "attach_role_policy", "detach_role_policy")),
    (IAMBackend, ("create_instance_profile", "delete_instance_profile", "create_service_linked_role")),
    (IamInstanceProfileAssociationBackend, ("associate_iam_instance_profile", "replace_iam_instance_profile_association")),
    (Instance, ("__init__",)),
    (InstanceBackend, ("terminate_instances",)),
    (InstanceProfile, ("__init__",)),
    (LaunchTemplate, ("create_version", "get_version")),
    (LaunchTemplateBackend, ("create_launch_template", "delete_launch_template")),
    (NetworkInterfaceBackend, ("create_network_interface", "delete_network_interface")),
    (Role, ("__init__", "put_policy", "delete_policy")),
    (SecurityGroup, ("__init__",)),
    (SecurityGroupBackend, ("create_security_group", "authorize_security_group_ingress", "authorize_security_group_egress")),
    (SecurityGroupRule, ("__init__",)),
)


def apply(patcher: Patcher, settings: Settings) -> None:
    for owner, names in RELIED_ON:
        for name in names:
            patcher.rely(owner, name)
    script = Script(settings)
    limits.use_script(script)
    lifecycle.apply(patcher, script)
    running.apply(patcher)
    groups.apply(patcher)
    profiles.apply(patcher)
    filters.apply(patcher)
    not_found.apply(patcher)
    image_devices.apply(patcher)
    ssm.apply(patcher)
    quotas.apply(patcher)

    reconciler = Reconciler(script)
    autoscaling_api.apply(patcher, reconciler)
    CLOCK.every_tick(reconciler.tick)

    patcher.rely(cfn_urls, "url_paths")
    CloudFormation.engine = UpdatingEngine(all_handlers(script), script)
    cfn_urls.url_paths = {"{0}/$": CloudFormation.dispatch}
