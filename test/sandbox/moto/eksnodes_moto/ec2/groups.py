"""A security group that is used cannot be deleted.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html
"""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import DependencyViolationError, EC2ClientError
from moto.ec2.models.security_groups import SecurityGroupBackend

from ..patching import Patcher


def apply(patcher: Patcher) -> None:
    delete = patcher.replace(SecurityGroupBackend, "delete_security_group", None)

    def delete_security_group(self: Any, name: str | None = None, group_id: str | None = None) -> None:
        group = self.get_security_group_by_name_or_id(group_id or name)
        if group is not None:
            _refuse_when_used(self, group)
        delete(self, name, group_id)

    SecurityGroupBackend.delete_security_group = delete_security_group


def _refuse_when_used(backend: Any, group: Any) -> None:
    if group.is_default:
        raise EC2ClientError("CannotDelete", f'the specified group: "{group.id}" name: "default" cannot be deleted by a user')
    if any(member.id == group.id for interface in backend.enis.values() for member in interface.group_set):
        raise DependencyViolationError(f"resource {group.id} has a dependent object")
    for others in backend.groups.values():
        for other in others.values():
            rules = [*other.ingress_rules, *other.egress_rules]
            if other.id != group.id and any(r.source_group.get("GroupId") == group.id for r in rules):
                raise DependencyViolationError(f"resource {group.id} has a dependent object")
