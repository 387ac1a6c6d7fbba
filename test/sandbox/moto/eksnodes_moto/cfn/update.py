"""Changing a stack in place, and back when a change fails."""

from __future__ import annotations

from typing import Any

from ..server import NotInSandbox
from . import evaluation, graph
from .engine import Engine, check_properties
from .errors import ResourceFailure, reason_of
from .handlers.base import REPLACE
from .parameters import Resolved
from .stack import Resource, Stack
from .worker import Steps

Tags = dict[str, str]


class UpdatingEngine(Engine):
    def update(self, stack: Stack, body: str, template: dict[str, Any], parameters: dict[str, Resolved], tags: Tags) -> Steps:
        before = (stack.body, stack.template, stack.parameters, stack.tags)
        old_needs = graph.dependencies(stack.template)
        stack.updated = None
        stack.set_status("UPDATE_IN_PROGRESS", "User Initiated")
        stack.updated = stack.events[-1].timestamp
        yield self.script.seconds("cfn_step")
        stack.body, stack.template, stack.parameters, stack.tags = body, template, parameters, tags
        replaced: list[Resource] = []
        failed = yield from self._change(stack, replaced)
        if not failed:
            stack.set_status("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
            yield self.script.seconds("cfn_step")
            yield from self._clean_up(stack, replaced, old_needs)
            stack.outputs = evaluation.outputs_of(stack)
            stack.set_status("UPDATE_COMPLETE")
            return
        stack.set_status("UPDATE_ROLLBACK_IN_PROGRESS", f"The following resource(s) failed to update: [{', '.join(failed)}]. ")
        yield self.script.seconds("cfn_step")
        new_needs = graph.dependencies(stack.template)
        stack.body, stack.template, stack.parameters, stack.tags = before
        undone: list[Resource] = []
        failed = yield from self._change(stack, undone)
        if failed:
            stack.set_status("UPDATE_ROLLBACK_FAILED", f"The following resource(s) failed to update: [{', '.join(failed)}]. ")
            return
        stack.set_status("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        yield self.script.seconds("cfn_step")
        yield from self._clean_up(stack, undone, new_needs)
        stack.set_status("UPDATE_ROLLBACK_COMPLETE")

    def _change(self, stack: Stack, replaced: list[Resource]) -> Steps:
        """Brings every wanted resource to the template, in order; returns reasons of failures."""
        needs = graph.dependencies(stack.template)
        waiting = evaluation.wanted_resources(stack)
        while waiting:
            logical = next(w for w in waiting if not needs[w] & set(waiting))
            waiting.remove(logical)
            there = stack.resources.get(logical)
            if there is None or not there.physical_id or there.status in ("DELETE_COMPLETE", "DELETE_SKIPPED"):
                failed = yield from self.make(stack, [logical])
                if failed:
                    return failed
                continue
            try:
                new = evaluation.properties_of(stack, logical)
                check_properties(self.handlers[there.type], logical, new)
                if new == there.properties and there.status not in ("UPDATE_FAILED",):
                    continue
                stack.set_resource(there, "UPDATE_IN_PROGRESS")
                yield self.script.seconds("cfn_step")
                yield from self._change_one(stack, there, new, replaced)
            except Exception as e:
                reason = reason_of(e, there.type)
                stack.set_resource(stack.resources[logical], "UPDATE_FAILED", reason)
                return {logical: reason}
        return {}

    def _change_one(self, stack: Stack, there: Resource, new: dict[str, Any], replaced: list[Resource]) -> Steps:
        logical = there.logical_id
        handler, ctx = self.handlers[there.type], self.context(stack, logical)
        scripted = self.script.resource(stack.name, logical, "UPDATE")
        if scripted:
            raise ResourceFailure(scripted)
        if new.get("LaunchTemplate") != there.properties.get("LaunchTemplate"):
            self._refuse_rolling(stack, logical)
        made = handler.update(ctx, there.physical_id, there.properties, new)
        resource = there
        if made is REPLACE:
            stack.set_resource(
                there, "UPDATE_IN_PROGRESS", "Requested update requires the creation of a new physical resource; hence creating one."
            )
            made = handler.create(ctx, new)
            replaced.append(there)
            resource = Resource(logical, there.type)
            stack.resources[logical] = resource
            resource.physical_id = made.physical_id
            stack.set_resource(resource, "UPDATE_IN_PROGRESS", "Resource creation Initiated")
        resource.physical_id, resource.attributes, resource.properties = made.physical_id, made.attributes, new
        while not handler.settled(ctx, resource.physical_id):
            yield self.script.seconds("cfn_step")
        stack.set_resource(resource, "UPDATE_COMPLETE")

    def _refuse_rolling(self, stack: Stack, logical: str) -> None:
        policy = stack.template["Resources"][logical].get("UpdatePolicy") or {}
        if set(policy) & {"AutoScalingRollingUpdate", "AutoScalingReplacingUpdate"}:
            raise NotInSandbox("UpdatePolicy that replaces the instances of a group")

    def _clean_up(self, stack: Stack, replaced: list[Resource], needs: dict[str, set[str]]) -> Steps:
        """Deletes what was replaced or is no longer wanted. A failure is told in events only."""
        wanted = set(evaluation.wanted_resources(stack))
        surplus = [r for k, r in stack.resources.items() if k not in wanted and r.status not in ("DELETE_COMPLETE", "DELETE_SKIPPED")]
        for group in (surplus, replaced):
            yield from self.remove(stack, group, needs)
        for resource in surplus:
            if resource.status == "DELETE_COMPLETE":
                del stack.resources[resource.logical_id]
