"""Reading a template: YAML (with short forms) or JSON, to plain dicts and strings."""

from __future__ import annotations

import json
from typing import Any

import yaml

from .errors import ValidationError

MAX_BODY = 51_200  # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html


class _Loader(yaml.SafeLoader):
    """SafeLoader with !Ref, !Sub … and without dates: 2010-09-09 is a string."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    key = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {key: value}


_Loader.add_multi_constructor("!", _short_form)


def parse(body: str) -> dict[str, Any]:
    """Parses and checks the form of a template body."""
    if not body:
        raise ValidationError("Either Template URL or Template Body must be specified.")
    if len(body.encode()) > MAX_BODY:
        raise ValidationError(
            "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MAX_BODY}"
        )
    template = _load(body)
    if not isinstance(template, dict):
        raise ValidationError("Template format error: unsupported structure.")
    resources = template.get("Resources")
    if not isinstance(resources, dict) or not resources:
        raise ValidationError("Template format error: At least one Resources member must be defined.")
    for logical, resource in resources.items():
        if not isinstance(resource, dict) or "Type" not in resource:
            raise ValidationError(f"Template format error: [/Resources/{logical}] Every Resources object must contain a Type member.")
    return template


def _load(body: str) -> Any:
    if body.lstrip().startswith("{"):
        try:
            return json.loads(body)
        except json.JSONDecodeError as e:
            raise ValidationError(f"Template format error: JSON not well-formed. (line {e.lineno}, column {e.colno})") from None
    try:
        return yaml.load(body, Loader=_Loader)
    except yaml.MarkedYAMLError as e:
        at = e.problem_mark
        where = f" (line {at.line + 1}, column {at.column + 1})" if at else ""
        raise ValidationError(f"Template format error: YAML not well-formed.{where}") from None
    except yaml.YAMLError:
        raise ValidationError("Template format error: YAML not well-formed.") from None
