"""Parameters of AWS-specific types: their values must exist.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.ec2.models import ec2_backends

from .parameters import SSM_PREFIX
from .stack import Stack

_EXISTS: dict[str, Callable[[Any, str], bool]] = {
    "AWS::EC2::Image::Id": lambda b, v: v in b.amis,
    "AWS::EC2::KeyPair::KeyName": lambda b, v: v in b.key_pairs,
    "AWS::EC2::SecurityGroup::Id": lambda b, v: b.get_security_group_from_id(v) is not None,
    "AWS::EC2::Subnet::Id": lambda b, v: any(v in by_id for by_id in b.subnets.values()),
    "AWS::EC2::VPC::Id": lambda b, v: v in b.vpcs,
}


def first_missing(stack: Stack) -> str | None:
    """The stack's status reason when a parameter names something that does not exist."""
    backend = ec2_backends[stack.account][stack.region]
    for key, spec in (stack.template.get("Parameters") or {}).items():
        kind = spec.get("Type", "String")
        if kind.startswith(SSM_PREFIX):
            kind = kind[len(SSM_PREFIX) : -1]
        if kind.startswith("List<"):
            kind = kind[len("List<") : -1]
        exists = _EXISTS.get(kind)
        value = stack.parameters[key].value
        for item in value if isinstance(value, list) else [value]:
            if exists and not exists(backend, item):
                return f"Parameter validation failed: parameter value {item} for parameter name {key} does not exist."
    return None
