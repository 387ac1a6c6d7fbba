"""DescribeInstances shows the instance profile that an instance was given last.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceIamInstanceProfileAssociation.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.ec2.models.iam_instance_profile import IamInstanceProfileAssociationBackend

from ..patching import Patcher


def apply(patcher: Patcher) -> None:
    for name in ("associate_iam_instance_profile", "replace_iam_instance_profile_association"):
        original = patcher.replace(IamInstanceProfileAssociationBackend, name, None)
        setattr(IamInstanceProfileAssociationBackend, name, _shown(original))


def _shown(original: Callable[..., Any]) -> Callable[..., Any]:
    def change(self: Any, *args: Any, **kwargs: Any) -> Any:
        association = original(self, *args, **kwargs)
        profile = association.iam_instance_profile
        association.instance.iam_instance_profile = {"Arn": profile.arn, "Id": profile.id}
        return association

    return change
