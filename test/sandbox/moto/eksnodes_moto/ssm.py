"""SSM public parameters of EKS-optimized and Bottlerocket images.

https://docs.aws.amazon.com/eks/latest/userguide/retrieve-ami-id.html
https://docs.aws.amazon.com/eks/latest/userguide/retrieve-ami-id-bottlerocket.html
"""

from __future__ import annotations

import datetime
from typing import Any

from moto.ssm.models import Parameter, ParameterDict

from . import images
from .patching import Patcher

OURS = ("/aws/service/eks/", "/aws/service/bottlerocket/", "/aws/service/ami-amazon-linux-latest")


def apply(patcher: Patcher) -> None:
    patcher.rely(Parameter, "__init__")
    known = images.parameters()
    changed = datetime.datetime(2026, 11, 13, 19, 5, 12)

    def check_loading_status(self: Any, key: str) -> None:
        if not str(key or "").startswith(OURS) or getattr(self, "eksnodes_loaded", False):
            return original(self, key) if not str(key or "").startswith(OURS) else None
        self.eksnodes_loaded = True
        for name, value in known.items():
            kind = "aws:ec2:image" if value.startswith("ami-") else "text"
            parameter = Parameter(
                account_id="",
                name=name,
                value=value,
                parameter_type="String",
                description=None,
                allowed_pattern=None,
                keyid=None,
                last_modified_date=changed,
                version=len(images.EKS_RELEASES),
                data_type=kind,
            )
            super(ParameterDict, self).__getitem__(name).append(parameter)
        return None

    original = patcher.replace(ParameterDict, "_check_loading_status", check_loading_status)
