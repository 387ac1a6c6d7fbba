"""What GetTemplateSummary and ValidateTemplate tell about a template."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from . import capabilities
from .intrinsics import as_text


def of(template: Mapping[str, Any]) -> dict[str, Any]:
    needed, why = capabilities.needed(template)
    summary: dict[str, Any] = {
        "Parameters": [_parameter(k, p) for k, p in (template.get("Parameters") or {}).items()],
        "ResourceTypes": list(dict.fromkeys(r["Type"] for r in template["Resources"].values())),
        "DeclaredTransforms": [],
    }
    if needed:
        summary |= {"Capabilities": needed, "CapabilitiesReason": why}
    if "Description" in template:
        summary["Description"] = template["Description"]
    if "Metadata" in template:
        summary["Metadata"] = json.dumps(template["Metadata"])
    if "AWSTemplateFormatVersion" in template:
        summary["Version"] = str(template["AWSTemplateFormatVersion"])
    return summary


def _parameter(key: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    parameter: dict[str, Any] = {
        "ParameterKey": key,
        "ParameterType": spec.get("Type", "String"),
        "NoEcho": as_text(spec.get("NoEcho", False)) == "true",
        "ParameterConstraints": {},
    }
    if "Default" in spec:
        parameter["DefaultValue"] = as_text(spec["Default"])
    if "Description" in spec:
        parameter["Description"] = str(spec["Description"])
    if "AllowedValues" in spec:
        parameter["ParameterConstraints"] = {"AllowedValues": [as_text(v) for v in spec["AllowedValues"]]}
    return parameter
