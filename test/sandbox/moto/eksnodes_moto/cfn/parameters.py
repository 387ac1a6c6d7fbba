"""Template parameters: what was given, checked, and resolved to values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import ValidationError
from .intrinsics import as_text

SSM_PREFIX = "AWS::SSM::Parameter::Value<"


@dataclass(frozen=True)
class Resolved:
    """One parameter: text as given, and value as Ref returns it (str or list of str)."""

    key: str
    text: str
    value: Any
    from_ssm: str | None  # what the SSM parameter held
    no_echo: bool


def resolve(
    declared: Mapping[str, Any],
    given: list[Mapping[str, Any]],
    previous: Mapping[str, str] | None,
    read_ssm: Callable[[str], str | None],
) -> dict[str, Resolved]:
    """Checks given against declared.

    previous holds the texts of the stack being updated (None on creation): it
    serves UsePreviousValue. read_ssm returns None for a parameter that does not exist.
    """
    texts = _given_texts(declared, given, previous)
    missing = [k for k, d in declared.items() if k not in texts and "Default" not in d]
    if missing:
        raise ValidationError(f"Parameters: [{', '.join(missing)}] must have values")
    return {key: _resolve_one(key, spec, texts.get(key), read_ssm) for key, spec in declared.items()}


def _given_texts(declared: Mapping[str, Any], given: list[Mapping[str, Any]], previous: Mapping[str, str] | None) -> dict[str, str]:
    unknown = [p["ParameterKey"] for p in given if p.get("ParameterKey") not in declared]
    if unknown:
        raise ValidationError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    texts: dict[str, str] = {}
    for parameter in given:
        key = parameter["ParameterKey"]
        if key in texts:
            raise ValidationError(f"Duplicate parameter key: {key}")
        if parameter.get("UsePreviousValue"):
            if parameter.get("ParameterValue"):
                raise ValidationError(
                    f"Invalid input for parameter key {key}. Cannot specify usePreviousValue as true and non empty value for a parameter"
                )
            if previous is None or key not in previous:
                raise ValidationError(
                    f"Invalid input for parameter key {key}. "
                    "Cannot specify usePreviousValue as true for a parameter key not in the previous template"
                )
            texts[key] = previous[key]
        elif "ParameterValue" not in parameter:
            raise ValidationError(f"Invalid input for parameter key {key}. Either Parameter Value or Use Previous Value must be specified")
        else:
            texts[key] = parameter["ParameterValue"]
    return texts


def _resolve_one(key: str, spec: Mapping[str, Any], text: str | None, read_ssm: Callable[[str], str | None]) -> Resolved:
    if text is None:
        text = as_text(spec["Default"])
    kind = spec.get("Type", "String")
    from_ssm = None
    effective = text
    if kind.startswith(SSM_PREFIX):
        _check(key, spec, "String", text)
        from_ssm = read_ssm(text)
        if from_ssm is None:
            raise ValidationError(f"Unable to fetch parameters [{text}] from parameter store for this account.")
        effective, kind = from_ssm, kind[len(SSM_PREFIX) : -1]
    is_list = kind == "CommaDelimitedList" or kind.startswith("List<")
    if not from_ssm:
        for part in text.split(",") if is_list else [text]:
            _check(key, spec, kind, part.strip() if is_list else part)
    value: Any = [p.strip() for p in effective.split(",")] if is_list else effective
    if is_list and effective == "":
        value = []
    return Resolved(key, text, value, from_ssm, as_text(spec.get("NoEcho", False)) == "true")


def _check(key: str, spec: Mapping[str, Any], kind: str, text: str) -> None:
    said = spec.get("ConstraintDescription")

    def refuse(default: str) -> None:
        raise ValidationError(f"Parameter {key} failed to satisfy constraint: {said}" if said else default)

    allowed = spec.get("AllowedValues")
    if allowed and text not in [as_text(v) for v in allowed]:
        refuse(f"Parameter '{key}' must be one of AllowedValues")
    pattern = spec.get("AllowedPattern")
    if pattern and not re.fullmatch(str(pattern), text):
        refuse(
            f"Parameter {key} failed to satisfy constraint: parameter value {text} for parameter name {key} "
            f"does not match the AllowedPattern {pattern}"
        )
    if kind in ("Number", "List<Number>"):
        _check_number(key, spec, text)
    else:
        if "MinLength" in spec and len(text) < int(spec["MinLength"]):
            refuse(f"Parameter '{key}' must contain at least {spec['MinLength']} characters")
        if "MaxLength" in spec and len(text) > int(spec["MaxLength"]):
            refuse(f"Parameter '{key}' must contain at most {spec['MaxLength']} characters")


def _check_number(key: str, spec: Mapping[str, Any], text: str) -> None:
    try:
        number = float(text)
    except ValueError:
        raise ValidationError(f"Parameter '{key}' must be a number.") from None
    if "MinValue" in spec and number < float(spec["MinValue"]):
        raise ValidationError(f"Parameter '{key}' must be a number not less than {spec['MinValue']}")
    if "MaxValue" in spec and number > float(spec["MaxValue"]):
        raise ValidationError(f"Parameter '{key}' must be a number not greater than {spec['MaxValue']}")
