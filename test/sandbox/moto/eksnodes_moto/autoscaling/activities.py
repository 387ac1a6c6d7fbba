"""Scaling activities, worded as the service words them.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scaling-activities.html
"""

from __future__ import annotations

import datetime
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from moto.core.utils import utcnow


@dataclass
class Activity:
    group_name: str
    group_arn: str
    description: str
    cause: str
    details: dict[str, str]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: datetime.datetime = field(default_factory=utcnow)
    ended: datetime.datetime | None = None
    status: str = "PreInService"
    message: str = ""
    progress: int = 30
    instance_id: str = ""

    def succeed(self) -> None:
        self.status, self.progress, self.ended = "Successful", 100, utcnow()

    def fail(self, message: str) -> None:
        self.status, self.progress, self.ended, self.message = "Failed", 100, utcnow(), message

    def view(self, group_is_gone: bool) -> dict[str, Any]:
        """As in DescribeScalingActivities."""
        shown: dict[str, Any] = {
            "ActivityId": self.id,
            "AutoScalingGroupName": self.group_name,
            "AutoScalingGroupARN": self.group_arn,
            "AutoScalingGroupState": "Deleted" if group_is_gone else None,
            "Description": self.description,
            "Cause": self.cause,
            "StartTime": self.started,
            "EndTime": self.ended,
            "StatusCode": self.status,
            "StatusMessage": self.message or None,
            "Progress": self.progress,
            "Details": json.dumps(self.details, separators=(",", ":")),
        }
        return {k: v for k, v in shown.items() if v is not None}


class Journal:
    """Activities of all groups of one account and region, deleted groups' too."""

    def __init__(self) -> None:
        self.entries: list[Activity] = []

    def add(self, activity: Activity) -> Activity:
        self.entries.append(activity)
        return activity

    def unfinished(self, group_name: str, instance_id: str) -> list[Activity]:
        return [a for a in self.entries if a.group_name == group_name and a.instance_id == instance_id and a.ended is None]


def stamp(at: datetime.datetime | None = None) -> str:
    return (at or utcnow()).strftime("%Y-%m-%dT%H:%M:%SZ")
