"""A filter that EC2 does not have is refused, as InvalidParameterValue.

Which filters an operation has stands in the documentation of its Filters
parameter, part of the API model that botocore ships. A filter that EC2 has and
moto lacks still ends as "not implemented".

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from moto.core.utils import get_service_model
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.responses._base_response import EC2BaseResponse

from ..patching import Patcher

_NAME = re.compile(r"<li>\s*<p>\s*<code>([^<]+)</code>")


def apply(patcher: Patcher) -> None:
    read = patcher.replace(EC2BaseResponse, "_filters_from_querystring", None)

    def filters(self: Any) -> dict[str, Any]:
        given = read(self)
        known = names(self._get_action())
        for name in given:
            if known and not name.startswith("tag:") and name not in known:
                raise EC2ClientError("InvalidParameterValue", f"The filter '{name}' is invalid")
        return given

    EC2BaseResponse._filters_from_querystring = filters


@cache
def names(operation: str) -> frozenset[str]:
    """Documented filters of an operation; empty when its documentation names none."""
    members = get_service_model("ec2").operation_model(operation).input_shape.members
    shape = members.get("Filters") or members.get("Filter")
    return frozenset(_NAME.findall(shape.documentation)) if shape else frozenset()
