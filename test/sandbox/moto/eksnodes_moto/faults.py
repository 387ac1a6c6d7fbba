"""The script: what a test wants to go wrong, or slowly.

A JSON file, read anew whenever it changes (it need not exist at start):

    {"launches":  [{"group": "demo-*", "code": "InsufficientInstanceCapacity", "message": "…", "count": 2}],
     "resources": [{"stack": "*", "logicalId": "NodeGroup", "operation": "CREATE", "reason": "…", "count": 1}],
     "quotas":    {"L-1216C47A": 5},
     "seconds":   {"cfn_step": 2, "ec2_pending": 30}}

group, stack and logicalId are shell patterns (default "*"); operation is CREATE
(default), UPDATE or DELETE; without count a failure comes every time. Counts
start again when the file changes. seconds takes the names of Settings.
"""

from __future__ import annotations

import fnmatch
import json
import logging
import os
from collections.abc import Callable
from typing import Any

from .settings import Settings

log = logging.getLogger("eksnodes_moto.faults")


class Script:
    """Answers whether something shall fail now. Use with clock.STATE held."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self.path = settings.control
        self._stamp: tuple[int, int] | None = None
        self._content: dict[str, Any] = {}
        self._used: dict[tuple[str, int], int] = {}

    def launch(self, group: str) -> tuple[str, str] | None:
        """Code and message of the failure of a launch in that group."""
        entry = self._take("launches", lambda e: fnmatch.fnmatchcase(group, e.get("group", "*")))
        return (entry.get("code", "InternalError"), entry.get("message", "scripted failure")) if entry else None

    def resource(self, stack: str, logical_id: str, operation: str) -> str | None:
        """Reason of the failure of that operation on a stack's resource."""
        entry = self._take(
            "resources",
            lambda e: (
                e.get("operation", "CREATE") == operation
                and fnmatch.fnmatchcase(stack, e.get("stack", "*"))
                and fnmatch.fnmatchcase(logical_id, e.get("logicalId", "*"))
            ),
        )
        return entry.get("reason", "scripted failure") if entry else None

    def quota(self, code: str) -> float | None:
        self._refresh()
        value = self._content.get("quotas", {}).get(code)
        return None if value is None else float(value)

    def seconds(self, name: str) -> float:
        """A duration by its name in Settings."""
        self._refresh()
        return float(self._content.get("seconds", {}).get(name, getattr(self.settings, name)))

    def _take(self, kind: str, matches: Callable[[dict[str, Any]], bool]) -> dict[str, Any] | None:
        self._refresh()
        for index, entry in enumerate(self._content.get(kind, [])):
            used = self._used.get((kind, index), 0)
            if used < entry.get("count", float("inf")) and matches(entry):
                self._used[(kind, index)] = used + 1
                return entry
        return None

    def _refresh(self) -> None:
        stamp, content = None, {}
        if self.path:
            try:
                status = os.stat(self.path)
                stamp = (status.st_mtime_ns, status.st_size)
            except FileNotFoundError:
                stamp = None
        if stamp == self._stamp:
            return
        if stamp:
            try:
                with open(self.path, encoding="utf-8") as f:
                    content = json.load(f)
            except (OSError, ValueError):
                log.exception("script %s cannot be read; it counts as empty", self.path)
        self._stamp, self._content, self._used = stamp, content, {}
