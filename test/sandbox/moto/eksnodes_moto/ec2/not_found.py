"""Errors name what is missing; moto's name a set of everything asked for.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
"""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.key_pairs import KeyPairBackend
from moto.ec2.models.security_groups import SecurityGroupBackend

from ..patching import Patcher


def apply(patcher: Patcher) -> None:
    groups = patcher.replace(SecurityGroupBackend, "describe_security_groups", None)
    keys = patcher.replace(KeyPairBackend, "describe_key_pairs", None)

    def describe_security_groups(
        self: Any, group_ids: list[str] | None = None, groupnames: list[str] | None = None, filters: Any = None
    ) -> Any:
        for group in group_ids or []:
            if self.get_security_group_from_id(group) is None:
                raise EC2ClientError("InvalidGroup.NotFound", f"The security group '{group}' does not exist")
        return groups(self, group_ids, groupnames, filters)

    def describe_key_pairs(self: Any, key_names: list[str], filters: Any = None) -> Any:
        for key in key_names:
            if key and key not in self.key_pairs:
                raise EC2ClientError("InvalidKeyPair.NotFound", f"The key pair '{key}' does not exist")
        return keys(self, key_names, filters)

    SecurityGroupBackend.describe_security_groups = describe_security_groups
    KeyPairBackend.describe_key_pairs = describe_key_pairs
