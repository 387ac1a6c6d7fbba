"""Intrinsic functions and conditions, over a scope of parameters and resources."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from .errors import ValidationError

NO_VALUE = object()
_SUB = re.compile(r"\$\{(!?)([^}]*)\}")


class Scope:
    """Where Ref, Fn::GetAtt and conditions are looked up.

    ref and get_att are asked for resources only; they raise KeyError for a
    resource that does not exist (yet).
    """

    def __init__(
        self,
        template: Mapping[str, Any],
        parameters: Mapping[str, Any],
        pseudo: Mapping[str, Any],
        ref: Callable[[str], str],
        get_att: Callable[[str, str], Any],
        zones: Callable[[str], list[str]],
    ):
        self.template = template
        self.parameters = parameters
        self.pseudo = pseudo
        self.ref = ref
        self.get_att = get_att
        self.zones = zones

    def evaluate(self, value: Any) -> Any:
        """value with every function replaced by its result; NO_VALUE members are left out."""
        if isinstance(value, dict):
            if len(value) == 1:
                name, argument = next(iter(value.items()))
                function = _FUNCTIONS.get(name)
                if function:
                    return function(self, argument)
            evaluated = {k: self.evaluate(v) for k, v in value.items()}
            return {k: v for k, v in evaluated.items() if v is not NO_VALUE}
        if isinstance(value, list):
            return [v for v in (self.evaluate(v) for v in value) if v is not NO_VALUE]
        return value

    def condition(self, name: str) -> bool:
        conditions = self.template.get("Conditions") or {}
        if name not in conditions:
            raise ValidationError(f"Template format error: Unresolved condition dependency {name} in the Resources block of the template")
        return bool(self.evaluate(conditions[name]))

    def lookup(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self.parameters:
            return self.parameters[name]
        return self.ref(name)


def as_text(value: Any) -> str:
    """A scalar as CloudFormation writes it into a string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(as_text(v) for v in value)
    return str(value)


def _get_att(scope: Scope, argument: Any) -> Any:
    logical, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
    return scope.get_att(logical, scope.evaluate(attribute))


def _sub(scope: Scope, argument: Any) -> str:
    text, given = argument if isinstance(argument, list) else (argument, {})
    values = {k: scope.evaluate(v) for k, v in given.items()}

    def replace(match: re.Match[str]) -> str:
        literal, name = match.group(1), match.group(2).strip()
        if literal:
            return "${" + name + "}"
        if name in values:
            return as_text(values[name])
        if "." in name:
            return as_text(scope.get_att(*name.split(".", 1)))
        return as_text(scope.lookup(name))

    return _SUB.sub(replace, text)


def _if(scope: Scope, argument: Any) -> Any:
    name, yes, no = argument
    return scope.evaluate(yes if scope.condition(name) else no)


def _find_in_map(scope: Scope, argument: Any) -> Any:
    name, top, second = (scope.evaluate(a) for a in argument[:3])
    try:
        return scope.template["Mappings"][name][top][second]
    except KeyError:
        raise ValidationError(f"Template error: Unable to get mapping for {name}::{top}::{second}") from None


def _select(scope: Scope, argument: Any) -> Any:
    index, values = int(scope.evaluate(argument[0])), scope.evaluate(argument[1])
    if not 0 <= index < len(values):
        raise ValidationError(f"Template error: Fn::Select cannot select nonexistent value at index {index}")
    return values[index]


def _cidr(scope: Scope, argument: Any) -> list[str]:
    raise ValidationError("Fn::Cidr is not implemented by the sandbox")


_FUNCTIONS: dict[str, Callable[[Scope, Any], Any]] = {
    "Ref": lambda s, a: s.lookup(a),
    "Condition": lambda s, a: s.condition(a),
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::If": _if,
    "Fn::Join": lambda s, a: a[0].join(as_text(v) for v in s.evaluate(a[1])),
    "Fn::Split": lambda s, a: as_text(s.evaluate(a[1])).split(a[0]),
    "Fn::Select": _select,
    "Fn::Base64": lambda s, a: base64.b64encode(as_text(s.evaluate(a)).encode()).decode(),
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAZs": lambda s, a: s.zones(s.evaluate(a)),
    "Fn::ToJsonString": lambda s, a: json.dumps(s.evaluate(a)),
    "Fn::Equals": lambda s, a: as_text(s.evaluate(a[0])) == as_text(s.evaluate(a[1])),
    "Fn::Not": lambda s, a: not s.evaluate(a[0]),
    "Fn::And": lambda s, a: all(s.evaluate(v) for v in a),
    "Fn::Or": lambda s, a: any(s.evaluate(v) for v in a),
    "Fn::Cidr": _cidr,
}

# Functions that this engine does not know, so that a template using one is refused.
_KNOWN = frozenset(_FUNCTIONS)


def unknown_functions(value: Any) -> set[str]:
    """Names of Fn:: members that the engine cannot evaluate."""
    found: set[str] = set()
    for name, argument in _members(value):
        if name.startswith("Fn::") and name not in _KNOWN:
            found.add(name)
        found |= unknown_functions(argument)
    return found


def references(value: Any) -> set[str]:
    """Every name that Ref, Fn::GetAtt or Fn::Sub mentions in value."""
    found: set[str] = set()
    for name, argument in _members(value):
        if name == "Ref" and isinstance(argument, str):
            found.add(argument)
        elif name == "Fn::GetAtt":
            found.add(argument.split(".", 1)[0] if isinstance(argument, str) else argument[0])
        elif name == "Fn::Sub":
            text, given = argument if isinstance(argument, list) else (argument, {})
            found |= {n.strip().split(".", 1)[0] for literal, n in _SUB.findall(text) if not literal and n.strip() not in given}
        found |= references(argument)
    return found


def get_atts(value: Any) -> set[tuple[str, str]]:
    """Every resource and attribute that Fn::GetAtt or Fn::Sub asks for."""
    found: set[tuple[str, str]] = set()
    for name, argument in _members(value):
        if name == "Fn::GetAtt":
            logical, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
            if isinstance(attribute, str):
                found.add((logical, attribute))
        elif name == "Fn::Sub":
            text = argument[0] if isinstance(argument, list) else argument
            found |= {tuple(n.strip().split(".", 1)) for literal, n in _SUB.findall(text) if not literal and "." in n}
        found |= get_atts(argument)
    return found


def _members(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, list):
        return [("", v) for v in value]
    return []
