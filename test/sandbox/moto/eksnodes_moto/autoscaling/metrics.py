"""The group's own metrics: which of them a group tells to CloudWatch.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_EnableMetricsCollection.html
"""

from __future__ import annotations

from typing import Any

from ..cfn.errors import ResourceFailure

_STATES = ("InService", "Pending", "Standby", "Terminating", "Total")
_GROUP = ("MinSize", "MaxSize", "DesiredCapacity", *(f"{state}{unit}" for state in _STATES for unit in ("Instances", "Capacity")))
_POOL = tuple(f"{s}Capacity" for s in ("Desired", "Warmed", "Pending", "Terminating", "Total"))
ALL = (
    *(f"Group{name}" for name in _GROUP),
    *(f"WarmPool{name}" for name in _POOL),
    "GroupAndWarmPoolDesiredCapacity",
    "GroupAndWarmPoolTotalCapacity",
)


def wanted(collections: list[dict[str, Any]]) -> list[str]:
    """What a template's MetricsCollection asks for: none named means all."""
    asked: list[str] = []
    for collection in collections:
        if collection.get("Granularity") != "1Minute":
            raise ResourceFailure("Valid metric granularities are: [1Minute].")
        unknown = sorted(set(collection.get("Metrics", [])) - set(ALL))
        if unknown:
            raise ResourceFailure(f"{unknown[0]} is not a valid metric.")
        asked.extend(collection.get("Metrics") or ALL)
    return asked
