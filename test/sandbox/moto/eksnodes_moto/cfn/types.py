"""Resource types: unknown ones are refused, known ones that the engine lacks fail loudly."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from ..server import NotInSandbox
from .errors import ValidationError

FORM = re.compile(r"(AWS|Alexa)::\w+::\w+|Custom::[\w@-]+|\w+::\w+::\w+(::MODULE)?")


def check(template: Mapping[str, Any], known: Collection[str]) -> None:
    used = {r["Type"] for r in template["Resources"].values()}
    malformed = sorted(t for t in used if not FORM.fullmatch(str(t)))
    if malformed:
        raise ValidationError(f"Template format error: Unrecognized resource types: [{', '.join(malformed)}]")
    lacking = sorted(used - set(known))
    if lacking:
        raise NotInSandbox(f"resource types {', '.join(lacking)}")
    if "Transform" in template:
        raise NotInSandbox("template transforms")
