"""All repairs, in the order in which they are put on."""

from __future__ import annotations

import moto.cloudformation.urls as cfn_urls

from . import quotas, ssm
from .autoscaling import api as autoscaling_api
from .autoscaling.reconcile import Reconciler
from .cfn.api import CloudFormation
from .cfn.handlers import all_handlers
from .cfn.update import UpdatingEngine
from .clock import CLOCK
from .ec2 import filters, groups, image_devices, lifecycle, limits, not_found, running
from .faults import Script
from .patching import Patcher
from .settings import Settings


def apply(patcher: Patcher, settings: Settings) -> None:
    script = Script(settings)
    limits.use_script(script)
    lifecycle.apply(patcher, script)
    running.apply(patcher)
    groups.apply(patcher)
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
