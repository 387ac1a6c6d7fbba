"""Which capabilities a template needs.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html, Capabilities
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import InsufficientCapabilities

IAM_TYPES = frozenset(
    f"AWS::IAM::{t}" for t in ("AccessKey", "Group", "InstanceProfile", "ManagedPolicy", "Policy", "Role", "User", "UserToGroupAddition")
)
NAME_PROPERTIES = ("RoleName", "InstanceProfileName", "ManagedPolicyName", "GroupName", "UserName")


def needed(template: Mapping[str, Any]) -> tuple[list[str], str]:
    """The capabilities, and the reason as GetTemplateSummary words it (empty without any)."""
    iam = {k: r for k, r in template["Resources"].items() if r["Type"] in IAM_TYPES}
    if not iam:
        return [], ""
    named = [k for k, r in iam.items() if any(n in (r.get("Properties") or {}) for n in NAME_PROPERTIES)]
    capability = "CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"
    types = sorted({r["Type"] for r in iam.values()})
    return [capability], f"The following resource(s) require capabilities: [{', '.join(types)}]"


def check(template: Mapping[str, Any], given: list[str]) -> None:
    wanted, _ = needed(template)
    if not wanted or "CAPABILITY_NAMED_IAM" in given:
        return
    if wanted == ["CAPABILITY_IAM"] and "CAPABILITY_IAM" in given:
        return
    raise InsufficientCapabilities(f"Requires capabilities : [{wanted[0]}]")
