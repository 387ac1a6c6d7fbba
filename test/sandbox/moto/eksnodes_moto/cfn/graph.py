"""Which resource needs which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import ValidationError
from .intrinsics import references, unknown_functions


def dependencies(template: Mapping[str, Any]) -> dict[str, set[str]]:
    """For each resource the resources that must be made before it."""
    resources = template["Resources"]
    graph = {}
    for logical, resource in resources.items():
        depends = resource.get("DependsOn") or []
        explicit = {depends} if isinstance(depends, str) else set(depends)
        body = {k: v for k, v in resource.items() if k in ("Properties", "Metadata")}
        graph[logical] = (references(body) & set(resources)) | explicit
    return graph


def check(template: Mapping[str, Any]) -> None:
    """Refuses references to nothing, circles, and functions that the engine lacks."""
    resources, parameters = template["Resources"], template.get("Parameters") or {}
    for block in ("Resources", "Outputs"):
        found = references({k: v for k, v in (template.get(block) or {}).items()})
        dangling = sorted(n for n in found if n not in resources and n not in parameters and not n.startswith("AWS::"))
        if dangling:
            raise ValidationError(
                f"Template format error: Unresolved resource dependencies [{', '.join(dangling)}] in the {block} block of the template"
            )
    graph = dependencies(template)
    lost = sorted(n for needs in graph.values() for n in needs if n not in resources)
    if lost:
        raise ValidationError(
            f"Template format error: Unresolved resource dependencies [{', '.join(lost)}] in the Resources block of the template"
        )
    for condition in (r.get("Condition") for r in resources.values()):
        if condition and condition not in (template.get("Conditions") or {}):
            raise ValidationError(
                f"Template format error: Unresolved condition dependency {condition} in the Resources block of the template"
            )
    unknown = sorted(unknown_functions(resources) | unknown_functions(template.get("Outputs") or {}))
    if unknown:
        raise NotImplementedError(f"template functions {', '.join(unknown)}")
    _refuse_circles(graph)


def _refuse_circles(graph: Mapping[str, set[str]]) -> None:
    left = {k: set(v) for k, v in graph.items()}
    while left:
        free = {k for k, needs in left.items() if not needs & set(left)}
        if not free:
            raise ValidationError(f"Circular dependency between resources: [{', '.join(sorted(left))}]")
        left = {k: v for k, v in left.items() if k not in free}
