"""Patches of moto's own names, each checked against the moto that it was written for.

A patch replaces one attribute of a moto class or module. The source of what it
replaces (and of what it relies on) is kept as a fingerprint; when moto's differs
or the name is gone, nothing starts: a repair that silently stopped applying
would make tests pass for the wrong reason.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import pathlib
from typing import Any

FINGERPRINTS = pathlib.Path(__file__).with_name("fingerprints.json")


class PatchError(Exception):
    """moto is not the moto that the repairs were written for."""


class Patcher:
    """Applies patches, comparing (or, with record, collecting) fingerprints."""

    def __init__(self, known: dict[str, str], record: bool = False):
        self.known = known
        self.record = record
        self.seen: dict[str, str] = {}
        self._replaced: set[str] = set()

    def rely(self, owner: Any, name: str) -> Any:
        """Checks that owner.name is as it was, and returns it."""
        label = f"{_label(owner)}.{name}"
        if name not in vars(owner):
            raise PatchError(f"{label} is gone from moto: the repair that needs it must be written anew")
        value = inspect.getattr_static(owner, name)
        if label in self._replaced:
            return getattr(owner, name)  # ours by now; moto's was checked before
        self.seen[label] = _fingerprint(value)
        if not self.record and self.known.get(label) != self.seen[label]:
            raise PatchError(
                f"{label} is not as in the moto that this repair was written for: compare the two, then run "
                "python -m eksnodes_moto --write-fingerprints"
            )
        return getattr(owner, name)

    def replace(self, owner: Any, name: str, new: Any) -> Any:
        """Sets owner.name to new and returns the original."""
        original = self.rely(owner, name)
        self._replaced.add(f"{_label(owner)}.{name}")
        setattr(owner, name, new)
        return original


def load_fingerprints() -> dict[str, str]:
    return json.loads(FINGERPRINTS.read_text(encoding="utf-8")) if FINGERPRINTS.exists() else {}


def write_fingerprints(seen: dict[str, str]) -> None:
    FINGERPRINTS.write_text(json.dumps(seen, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _label(owner: Any) -> str:
    return owner.__name__ if inspect.ismodule(owner) else f"{owner.__module__}.{owner.__qualname__}"


def _fingerprint(value: Any) -> str:
    if isinstance(value, property):
        value = value.fget
    if isinstance(value, (staticmethod, classmethod)):
        value = value.__func__
    has_source = inspect.isfunction(value) or inspect.isclass(value)
    text = inspect.getsource(value) if has_source else type(value).__name__
    return hashlib.sha256(text.encode()).hexdigest()[:16]
