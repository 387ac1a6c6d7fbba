"""RunInstances refuses what EC2 refuses, and takes all of a launch template.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
"""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.instances import InstanceBackend

from ..patching import Patcher
from . import limits
from .launch import put_profile


def apply(patcher: Patcher) -> None:
    patcher.rely(InstanceBackend, "_get_template_from_args")
    run = patcher.replace(InstanceBackend, "run_instances", None)

    def run_instances(self: Any, image_id: str, count: int, user_data: Any, security_group_names: list[str], **kwargs: Any) -> Any:
        data: dict[str, Any] = {}
        if kwargs.get("launch_template"):
            data = self._get_template_from_args(kwargs["launch_template"]).data
            kwargs["metadata_options"] = kwargs.get("metadata_options") or data.get("MetadataOptions") or {}
        _check(self, image_id or data.get("ImageId", ""), kwargs, data)
        limits.check(self, _type(kwargs, data), count)
        _check_addresses(self, kwargs.get("subnet_id"), count)
        reservation = run(self, image_id, count, user_data, security_group_names, **kwargs)
        named = kwargs.get("iam_instance_profile_name") or kwargs.get("iam_instance_profile_arn")
        for instance in reservation.instances:
            if data.get("IamInstanceProfile") and not named:
                put_profile(self, instance, data["IamInstanceProfile"])
            for interface in instance.nics.values():
                interface.delete_on_termination = True
        return reservation

    InstanceBackend.run_instances = run_instances


def _type(kwargs: dict[str, Any], data: dict[str, Any]) -> str:
    if kwargs.get("is_instance_type_default"):
        return data.get("InstanceType") or "m1.small"
    return kwargs["instance_type"]


def _check_addresses(backend: Any, subnet_id: str | None, count: int) -> None:
    if subnet_id and backend.get_subnet(subnet_id).available_ip_address_count < count:
        raise EC2ClientError(
            "InsufficientFreeAddressesInSubnet",
            f"There are not enough free addresses in subnet '{subnet_id}' to satisfy the requested number of instances.",
        )


def _check(backend: Any, image_id: str, kwargs: dict[str, Any], data: dict[str, Any]) -> None:
    if not image_id:
        raise EC2ClientError("MissingParameter", "The request must contain the parameter ImageId")
    if image_id.startswith("ami-") and image_id not in backend.amis:
        raise EC2ClientError("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
    key = kwargs.get("key_name") or data.get("KeyName")
    if key and key not in backend.key_pairs:
        raise EC2ClientError("InvalidKeyPair.NotFound", f"The key pair '{key}' does not exist")
