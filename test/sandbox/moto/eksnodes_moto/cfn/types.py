"""Resource types: unknown ones are refused, known ones that the engine lacks fail loudly."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from ..server import NotInSandbox
from .errors import ValidationError
from .handlers.base import Handler
from .intrinsics import get_atts

MEMBERS = frozenset(
    {
        "Condition",
        "CreationPolicy",
        "DeletionPolicy",
        "DependsOn",
        "Metadata",
        "Properties",
        "Type",
        "UpdatePolicy",
        "UpdateReplacePolicy",
    }
)
FORM = re.compile(r"(AWS|Alexa)::\w+::\w+|Custom::[\w@-]+|\w+::\w+::\w+(::MODULE)?")


def check(template: Mapping[str, Any], handlers: Mapping[str, Handler]) -> None:
    _check_types(template, handlers)
    for logical, attribute in sorted(get_atts({k: template.get(k) or {} for k in ("Resources", "Outputs")})):
        resource = template["Resources"].get(logical)
        if resource is None:
            raise ValidationError(f"Template error: instance of Fn::GetAtt references undefined resource {logical}")
        if attribute not in handlers[resource["Type"]].attributes:
            raise ValidationError(f"Template error: resource {logical} does not support attribute type {attribute} in Fn::GetAtt")


def _check_types(template: Mapping[str, Any], known: Collection[str]) -> None:
    used = {r["Type"] for r in template["Resources"].values()}
    malformed = sorted(t for t in used if not FORM.fullmatch(str(t)))
    if malformed:
        raise ValidationError(f"Template format error: Unrecognized resource types: [{', '.join(malformed)}]")
    lacking = sorted(used - set(known))
    if lacking:
        raise NotInSandbox(f"resource types {', '.join(lacking)}")
    sections = sorted(set(template) & {"Transform", "Rules", "Hooks"})
    if sections:
        raise NotInSandbox(f"template sections {', '.join(sections)}")
    for logical, resource in template["Resources"].items():
        strange = sorted(set(resource) - MEMBERS)
        if strange:
            raise ValidationError(f"Invalid template resource property '{strange[0]}'")
        if "CreationPolicy" in resource:
            raise NotInSandbox(f"CreationPolicy of {logical}")
