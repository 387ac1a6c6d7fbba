"""What a resource type has to offer the engine."""

from __future__ import annotations

import random
import string
from dataclasses import dataclass, field
from typing import Any, Protocol

from moto.utilities.utils import get_partition

REPLACE = object()  # answered by update: this change needs a new resource


@dataclass(frozen=True)
class Context:
    """Where a resource lives and whose it is."""

    account: str
    region: str
    stack_name: str
    stack_id: str
    logical_id: str
    stack_tags: dict[str, str]

    @property
    def partition(self) -> str:
        return get_partition(self.region)

    def tags(self, own: list[dict[str, Any]] | None = None) -> dict[str, str]:
        """Tags that CloudFormation puts on the resource: system tags, stack tags, then its own."""
        return {**self.system_tags(), **self.stack_tags, **{t["Key"]: str(t["Value"]) for t in own or []}}

    def system_tags(self) -> dict[str, str]:
        return {
            "aws:cloudformation:stack-name": self.stack_name,
            "aws:cloudformation:stack-id": self.stack_id,
            "aws:cloudformation:logical-id": self.logical_id,
        }

    def generated_name(self, limit: int = 64, separator: str = "-") -> str:
        """STACK-LOGICALID-RANDOM, cut to limit as CloudFormation does for IAM names."""
        suffix = "".join(random.choices(string.ascii_letters + string.digits, k=12))
        stack, logical = self.stack_name, self.logical_id
        over = len(stack) + len(logical) + len(suffix) + 2 - limit
        if over > 0:
            keep = (limit - len(suffix) - 2) // 2
            stack = stack[: max(keep, limit - len(suffix) - 2 - len(logical))]
            logical = logical[: limit - len(suffix) - 2 - len(stack)]
        return separator.join((stack, logical, suffix))


@dataclass(frozen=True)
class Made:
    physical_id: str
    attributes: dict[str, Any] = field(default_factory=dict)


class Handler(Protocol):
    """Makes, changes and deletes one type of resource. Errors are exceptions; see errors.reason_of."""

    type: str
    attributes: frozenset[str]  # names that Fn::GetAtt may ask for
    properties: frozenset[str]  # names that it honours; others are refused
    required: frozenset[str]

    def create(self, ctx: Context, properties: dict[str, Any]) -> Made: ...

    def settled(self, ctx: Context, physical_id: str) -> bool:
        """Whether the resource is ready; asked again until it is. Raises to fail it."""

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Any:
        """Answers Made, or REPLACE."""

    def delete(self, ctx: Context, physical_id: str, properties: dict[str, Any]) -> bool:
        """Starts or goes on deleting; True when it is gone."""
