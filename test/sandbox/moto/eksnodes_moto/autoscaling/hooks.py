"""Lifecycle hooks: members wait in Pending:Wait and Terminating:Wait until somebody completes them or their time is over.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html
"""

from __future__ import annotations

import time
from typing import Any

from moto.autoscaling.exceptions import ValidationError

LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"


def hold(backend: Any, state: Any, transition: str) -> bool:
    """Has every hook of the transition hold the member; False when there is none."""
    hooks = [h for h in backend.describe_lifecycle_hooks(state.auto_scaling_group_name) if h.lifecycle_transition == transition]
    state.eksnodes_holds = {h.name: time.monotonic() + h.heartbeat_timeout for h in hooks}
    state.eksnodes_result = "CONTINUE"
    return bool(hooks)


def outcome(backend: Any, state: Any) -> str | None:
    """None while a hook holds the member; then CONTINUE, or ABANDON when one of them said so."""
    for name, until in list(state.eksnodes_holds.items()):
        if time.monotonic() >= until:
            hook = backend.lifecycle_hooks.get(f"{state.auto_scaling_group_name}_{name}")
            _settle(state, name, hook.default_result if hook else "CONTINUE")
    return None if state.eksnodes_holds else state.eksnodes_result


def complete(state: Any, name: str, result: str) -> None:
    """CompleteLifecycleAction."""
    if result not in ("CONTINUE", "ABANDON"):
        raise ValidationError(f"Invalid lifecycle action result: {result}")
    if name not in getattr(state, "eksnodes_holds", {}):
        raise ValidationError(f"No active Lifecycle Action found with instance ID {state.instance_id}")
    _settle(state, name, result)


def _settle(state: Any, name: str, result: str) -> None:
    """An abandoned launch ends what its other hooks wait for."""
    del state.eksnodes_holds[name]
    if result == "ABANDON":
        state.eksnodes_result = result
        state.eksnodes_holds.clear()
