"""Stacks, their resources and events, and the store that keeps them."""

from __future__ import annotations

import datetime
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from moto.core.utils import utcnow
from moto.utilities.utils import get_partition

from .errors import no_such_stack
from .parameters import Resolved

STACK_TYPE = "AWS::CloudFormation::Stack"
GONE = "DELETE_COMPLETE"


@dataclass
class Event:
    event_id: str
    timestamp: datetime.datetime
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str | None
    properties: str | None
    token: str | None


@dataclass
class Resource:
    logical_id: str
    type: str
    physical_id: str = ""
    status: str = ""
    reason: str | None = None
    timestamp: datetime.datetime = field(default_factory=utcnow)
    properties: dict[str, Any] = field(default_factory=dict)  # as evaluated when last made or changed
    attributes: dict[str, Any] = field(default_factory=dict)  # what Fn::GetAtt sees


@dataclass
class Stack:
    name: str
    account: str
    region: str
    body: str
    template: dict[str, Any]
    parameters: dict[str, Resolved]
    tags: dict[str, str]
    capabilities: list[str]
    role_arn: str | None
    notification_arns: list[str]
    on_failure: str  # ROLLBACK, DELETE or DO_NOTHING
    timeout_minutes: int | None
    termination_protection: bool
    token: str | None  # of the operation under way or last done
    id: str = ""
    status: str = ""
    reason: str | None = None
    created: datetime.datetime = field(default_factory=utcnow)
    updated: datetime.datetime | None = None
    deleted: datetime.datetime | None = None
    resources: dict[str, Resource] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)  # oldest first
    outputs: list[dict[str, Any]] = field(default_factory=list)
    operation: int = 0  # counts operations: a worker stops when its own is over
    tokens: dict[str, str] = field(default_factory=dict)  # client request token -> operation

    def __post_init__(self) -> None:
        partition = get_partition(self.region)
        self.id = f"arn:{partition}:cloudformation:{self.region}:{self.account}:stack/{self.name}/{uuid.uuid4()}"

    def set_status(self, status: str, reason: str | None = None) -> None:
        """The stack's own status, with its event."""
        self.status, self.reason = status, reason
        self._record(self.name, self.id, STACK_TYPE, status, reason, None)

    def set_resource(self, resource: Resource, status: str, reason: str | None = None) -> None:
        resource.status, resource.reason = status, reason
        properties = json.dumps(resource.properties, default=str) if resource.properties else None
        resource.timestamp = self._record(resource.logical_id, resource.physical_id, resource.type, status, reason, properties)

    def _record(self, logical: str, physical: str, kind: str, status: str, reason: str | None, properties: str | None) -> datetime.datetime:
        now = utcnow().replace(tzinfo=datetime.UTC)
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        if self.events and now <= self.events[-1].timestamp:
            now = self.events[-1].timestamp + datetime.timedelta(milliseconds=1)
        stamp = now.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        event_id = str(uuid.uuid4()) if kind == STACK_TYPE else f"{logical}-{status}-{stamp}"
        self.events.append(Event(event_id, now, logical, physical, kind, status, reason, properties, self.token))
        return now


class Store:
    """The stacks of every account and region. Use with clock.STATE held."""

    def __init__(self) -> None:
        self._stacks: dict[str, Stack] = {}

    def add(self, stack: Stack) -> None:
        self._stacks[stack.id] = stack

    def all(self, account: str, region: str) -> list[Stack]:
        """Newest first, deleted ones included."""
        return [s for s in reversed(self._stacks.values()) if (s.account, s.region) == (account, region)]

    def living(self, account: str, region: str, name: str) -> Stack | None:
        return next((s for s in self.all(account, region) if s.name == name and s.status != GONE), None)

    def find(self, account: str, region: str, name_or_id: str) -> Stack:
        """A stack by name (not deleted) or by id (deleted ones too)."""
        stack = self._stacks.get(name_or_id) or self.living(account, region, name_or_id)
        if stack is None or (stack.account, stack.region) != (account, region):
            raise no_such_stack(name_or_id)
        return stack


STORE = Store()
