"""Volumes of an image: moto's have one of 15 GiB magnetic storage each.

https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models.amis import Ami

from ..patching import Patcher

# Device and GiB, by the beginning of the image's name. Bottlerocket keeps images and containers on the second.
DEVICES = (
    ("bottlerocket-", (("/dev/xvda", 4), ("/dev/xvdb", 20))),
    ("amazon-eks-", (("/dev/xvda", 20),)),
    ("al2023-ami-", (("/dev/xvda", 8),)),
)


def apply(patcher: Patcher) -> None:
    original = patcher.replace(Ami, "block_device_mappings", None)

    def mappings(self: Any) -> list[dict[str, Any]]:
        for prefix, devices in DEVICES:
            if (self.name or "").startswith(prefix):
                return [_mapping(self, name, size) for name, size in devices]
        return original.fget(self)

    Ami.block_device_mappings = property(mappings)


def _mapping(image: Any, name: str, size: int) -> dict[str, Any]:
    return {
        "DeviceName": name,
        "Ebs": {
            "SnapshotId": image.ebs_snapshot.id,
            "VolumeSize": size,
            "VolumeType": "gp3",
            "DeleteOnTermination": True,
            "Encrypted": False,
        },
    }
