"""Template values as the API takes them: CloudFormation accepts "20" for 20 and "true" for true."""

from __future__ import annotations

from functools import cache
from typing import Any

from moto.core.utils import get_service_model

from ..errors import ResourceFailure


@cache
def _shape(service: str, name: str) -> Any:
    return get_service_model(service).shape_for(name)


def coerce(service: str, shape_name: str, value: Any) -> Any:
    """value in the types of that shape of the service's model; an unknown member is refused."""
    return _coerce(_shape(service, shape_name), value, "#")


def _coerce(shape: Any, value: Any, path: str) -> Any:
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            raise ResourceFailure(f"Properties validation failed: [{path}: expected type: JSONObject, found: {type(value).__name__}]")
        unknown = sorted(set(value) - set(shape.members))
        if unknown:
            raise ResourceFailure(f"Properties validation failed: [{path}: extraneous key [{unknown[0]}] is not permitted]")
        return {k: _coerce(shape.members[k], v, f"{path}/{k}") for k, v in value.items()}
    if kind == "list":
        if not isinstance(value, list):
            raise ResourceFailure(f"Properties validation failed: [{path}: expected type: JSONArray, found: {type(value).__name__}]")
        return [_coerce(shape.member, v, f"{path}/{i}") for i, v in enumerate(value)]
    try:
        return _scalar(kind, value)
    except ValueError:
        raise ResourceFailure(f"Properties validation failed: [{path}: expected type: {kind}, found: {value!r}]") from None


def _scalar(kind: str, value: Any) -> Any:
    if kind in ("integer", "long"):
        return int(value)
    if kind in ("float", "double"):
        return float(value)
    if kind == "boolean":
        text = str(value).lower()
        if text not in ("true", "false"):
            raise ValueError(text)
        return text == "true"
    if kind == "string":
        return "true" if value is True else "false" if value is False else str(value)
    return value
