"""Making and deleting the resources of a stack, event by event."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from ..faults import Script
from . import evaluation, existing, graph
from .errors import HELD, ResourceFailure, code_of, reason_of
from .handlers.base import Context, Handler
from .stack import Resource, Stack
from .worker import Steps

CANCELLED = "Resource creation cancelled"
TIMEOUT = "Stack creation time exceeded the specified timeout."


class Engine:
    """Operations on stacks. Each method yields pauses; see worker."""

    def __init__(self, handlers: Mapping[str, Handler], script: Script):
        self.handlers = handlers
        self.script = script

    # Creation.

    def create(self, stack: Stack) -> Steps:
        stack.set_status("CREATE_IN_PROGRESS", "User Initiated")
        yield self.script.seconds("cfn_step")
        problem = existing.first_missing(stack)
        failed: dict[str, str] = {}
        if not problem:
            failed = yield from self.make(stack, evaluation.wanted_resources(stack))
            if not failed:
                stack.outputs = evaluation.outputs_of(stack)
                stack.set_status("CREATE_COMPLETE")
                return
            problem = failed.get(TIMEOUT) or f"The following resource(s) failed to create: [{', '.join(failed)}]."
        if stack.on_failure == "DO_NOTHING":
            stack.set_status("CREATE_FAILED", f"{problem} ")
        elif stack.on_failure == "DELETE":
            stack.set_status("DELETE_IN_PROGRESS", f"{problem} Delete requested by user.")
            yield from self.remove_all(stack, "DELETE")
        else:
            stack.set_status("ROLLBACK_IN_PROGRESS", f"{problem} Rollback requested by user.")
            yield from self.remove_all(stack, "ROLLBACK")

    def make(self, stack: Stack, wanted: Iterable[str], verb: str = "CREATE") -> Steps:
        """Creates resources, each as soon as what it needs is there; returns reasons of failures."""
        needs = graph.dependencies(stack.template)
        waiting, active, failed = list(wanted), {}, {}
        missing = set(waiting)
        began = time.monotonic()
        while (waiting or active) and not failed:
            for logical in [w for w in waiting if not needs[w] & missing]:
                waiting.remove(logical)
                resource = Resource(logical, stack.template["Resources"][logical]["Type"])
                stack.resources[logical] = resource
                active[logical] = resource
                stack.set_resource(resource, "CREATE_IN_PROGRESS")
            yield self.script.seconds("cfn_step")
            for logical, resource in list(active.items()):
                try:
                    if self._advance(stack, resource):
                        stack.set_resource(resource, "CREATE_COMPLETE")
                        missing.discard(logical)
                        del active[logical]
                except Exception as e:
                    failed[logical] = reason_of(e, resource.type)
                    stack.set_resource(resource, "CREATE_FAILED", failed[logical])
                    del active[logical]
            limit = (stack.timeout_minutes or float("inf")) * self.script.seconds("cfn_minute")
            if active and not failed and time.monotonic() > began + limit:
                failed[TIMEOUT] = TIMEOUT
        for logical, resource in active.items():
            stack.set_resource(resource, "CREATE_FAILED", failed.setdefault(logical, CANCELLED))
        return failed

    def _advance(self, stack: Stack, resource: Resource) -> bool:
        """One step of a creation: make it, or see whether it is ready."""
        handler, ctx = self.handlers[resource.type], self.context(stack, resource.logical_id)
        if resource.physical_id:
            return handler.settled(ctx, resource.physical_id)
        resource.properties = evaluation.properties_of(stack, resource.logical_id)
        check_properties(handler, resource.logical_id, resource.properties)
        scripted = self.script.resource(stack.name, resource.logical_id, "CREATE")
        if scripted:
            raise ResourceFailure(scripted)
        made = handler.create(ctx, resource.properties)
        resource.physical_id, resource.attributes = made.physical_id, made.attributes
        stack.set_resource(resource, "CREATE_IN_PROGRESS", "Resource creation Initiated")
        return False

    # Deletion.

    def delete(self, stack: Stack, retain: Iterable[str]) -> Steps:
        for resource in stack.resources.values():
            if resource.status == "CREATE_IN_PROGRESS":
                stack.set_resource(resource, "CREATE_FAILED", CANCELLED)
        stack.set_status("DELETE_IN_PROGRESS", "User Initiated")
        yield self.script.seconds("cfn_step")
        yield from self.remove_all(stack, "DELETE", frozenset(retain))

    def remove_all(self, stack: Stack, outcome: str, retain: frozenset[str] = frozenset()) -> Steps:
        """Deletes every resource; the stack ends as outcome_COMPLETE or outcome_FAILED."""
        resources = [r for r in stack.resources.values() if r.status not in ("DELETE_COMPLETE", "DELETE_SKIPPED")]
        failed = yield from self.remove(stack, resources, graph.dependencies(stack.template), retain)
        if failed:
            stack.set_status(f"{outcome}_FAILED", f"The following resource(s) failed to delete: [{', '.join(failed)}]. ")
            return
        stack.set_status(f"{outcome}_COMPLETE")
        if outcome == "DELETE":
            stack.deleted = stack.events[-1].timestamp
            stack.outputs = []

    def remove(
        self, stack: Stack, resources: Iterable[Resource], needs: Mapping[str, set[str]], retain: frozenset[str] = frozenset()
    ) -> Steps:
        """Deletes resources, each after those that need it; returns the logical ids that failed."""
        remaining = {r.logical_id: r for r in resources}
        active: dict[str, float] = {}  # logical id -> until when to try
        failed: list[str] = []
        while True:
            held = {n for logical in remaining for n in needs.get(logical, ())}
            for logical in [k for k in remaining if k not in active and k not in failed and k not in held]:
                resource = remaining[logical]
                policy = stack.template["Resources"].get(logical, {}).get("DeletionPolicy", "Delete")
                if logical in retain or policy in ("Retain", "RetainExceptOnCreate"):
                    stack.set_resource(resource, "DELETE_SKIPPED")
                    del remaining[logical]
                elif not resource.physical_id:
                    stack.set_resource(resource, "DELETE_COMPLETE")
                    del remaining[logical]
                else:
                    stack.set_resource(resource, "DELETE_IN_PROGRESS")
                    active[logical] = time.monotonic() + self.script.seconds("cfn_delete_retry")
            ready = [k for k in remaining if k not in failed and k not in active]
            if not active and (failed or not ready):
                return failed
            yield self.script.seconds("cfn_step")
            for logical, until in list(active.items()):
                self._try_delete(stack, remaining, active, failed, logical, until)

    def _try_delete(
        self, stack: Stack, remaining: dict[str, Resource], active: dict[str, float], failed: list[str], logical: str, until: float
    ) -> None:
        resource = remaining[logical]
        try:
            scripted = self.script.resource(stack.name, logical, "DELETE")
            if scripted:
                raise ResourceFailure(scripted)
            gone = self.handlers[resource.type].delete(self.context(stack, logical), resource.physical_id, resource.properties)
        except Exception as e:
            if code_of(e) in HELD and time.monotonic() < until:
                return
            stack.set_resource(resource, "DELETE_FAILED", reason_of(e, resource.type))
            failed.append(logical)
            del active[logical]
            return
        if gone:
            stack.set_resource(resource, "DELETE_COMPLETE")
            del active[logical], remaining[logical]

    def context(self, stack: Stack, logical: str) -> Context:
        return Context(stack.account, stack.region, stack.name, stack.id, logical, stack.tags)


def check_properties(handler: Handler, logical: str, properties: Mapping[str, Any]) -> None:
    unknown = sorted(set(properties) - handler.properties)
    if unknown:
        raise ResourceFailure(
            f"Properties validation failed for resource {logical} with message:\n[#: extraneous key [{unknown[0]}] is not permitted]"
        )
    missing = sorted(handler.required - set(properties))
    if missing:
        raise ResourceFailure(
            f"Properties validation failed for resource {logical} with message:\n[#: required key [{missing[0]}] not found]"
        )
