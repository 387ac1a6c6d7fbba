"""The CloudFormation API. Operations without a method here are answered as not implemented."""

from __future__ import annotations

import re
from typing import Any

from moto.cloudformation.utils import get_stack_from_s3_url
from moto.core.responses import ActionResult, BaseResponse, EmptyResult
from moto.ssm.models import ssm_backends

from . import capabilities, graph, parameters, summary, template, types, views, worker
from .errors import AlreadyExists, TokenAlreadyExists, ValidationError, no_such_stack
from .stack import STORE, Stack
from .update import UpdatingEngine

NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")
PAGE = 100
UPDATABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")


class CloudFormation(BaseResponse):
    """One request. engine is set once, at start."""

    engine: UpdatingEngine

    def __init__(self) -> None:
        super().__init__(service_name="cloudformation")
        self.automated_parameter_parsing = True

    # Writing.

    def create_stack(self) -> ActionResult:
        name, token = self._get_param("StackName"), self._get_param("ClientRequestToken")
        if not NAME.fullmatch(name):
            raise ValidationError(
                f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: "
                "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
            )
        there = STORE.living(self.current_account, self.region, name)
        if there is not None:
            if token and there.tokens.get(token) == "CREATE":
                return ActionResult({"StackId": there.id})
            if token and token in there.tokens:
                raise TokenAlreadyExists(f"Token {token} was already used for another operation")
            raise AlreadyExists(f"Stack [{name}] already exists")
        stack = self._new_stack(name, token)
        STORE.add(stack)
        self._begin(stack, "CREATE", self.engine.create(stack))
        return ActionResult({"StackId": stack.id})

    def _new_stack(self, name: str, token: str | None) -> Stack:
        body = self._body()
        parsed = template.parse(body)
        types.check(parsed, self.engine.handlers)
        graph.check(parsed)
        given = list(self._get_param("Capabilities", []))
        resolved = self._parameters(parsed, None)
        capabilities.check(parsed, given)
        return Stack(
            name=name,
            account=self.current_account,
            region=self.region,
            body=body,
            template=parsed,
            parameters=resolved,
            tags={t["Key"]: t["Value"] for t in self._get_param("Tags", [])},
            capabilities=given,
            role_arn=self._get_param("RoleARN"),
            notification_arns=list(self._get_param("NotificationARNs", [])),
            on_failure=self._on_failure(),
            timeout_minutes=self._get_int_param("TimeoutInMinutes"),
            termination_protection=self._get_bool_param("EnableTerminationProtection", False),
            token=token,
        )

    def _on_failure(self) -> str:
        on_failure, disable = self._get_param("OnFailure"), self._get_bool_param("DisableRollback")
        if on_failure and disable is not None:
            raise ValidationError("You cannot specify both OnFailure and DisableRollback")
        return on_failure or ("DO_NOTHING" if disable else "ROLLBACK")

    def update_stack(self) -> ActionResult:
        stack, token = self._stack(), self._get_param("ClientRequestToken")
        if token and stack.tokens.get(token) == "UPDATE":
            return ActionResult({"StackId": stack.id})
        if stack.status not in UPDATABLE:
            raise ValidationError(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        body = stack.body if self._get_bool_param("UsePreviousTemplate", False) else self._body()
        parsed = template.parse(body)
        types.check(parsed, self.engine.handlers)
        graph.check(parsed)
        resolved = self._parameters(parsed, {k: p.text for k, p in stack.parameters.items()})
        given = list(self._get_param("Capabilities", []))
        capabilities.check(parsed, given)
        tags = {t["Key"]: t["Value"] for t in self._get_param("Tags", [])} or stack.tags
        if parsed == stack.template and resolved == stack.parameters and tags == stack.tags:
            raise ValidationError("No updates are to be performed.")
        stack.token, stack.capabilities = token, given or stack.capabilities
        self._begin(stack, "UPDATE", self.engine.update(stack, body, parsed, resolved, tags))
        return ActionResult({"StackId": stack.id})

    def delete_stack(self) -> ActionResult:
        try:
            stack = self._stack()
        except ValidationError:
            return EmptyResult()
        if stack.status in ("DELETE_COMPLETE", "DELETE_IN_PROGRESS"):
            return EmptyResult()
        if stack.termination_protection:
            raise ValidationError(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
        if stack.status.startswith("UPDATE") and stack.status.endswith("IN_PROGRESS"):
            raise ValidationError(f"Stack [{stack.name}] cannot be deleted while in status {stack.status}")
        retain = list(self._get_param("RetainResources", []))
        if retain and stack.status != "DELETE_FAILED":
            raise ValidationError("Invalid operation on stack: RetainResources can only be given for a stack in the DELETE_FAILED state")
        unknown = [r for r in retain if r not in stack.resources]
        if unknown:
            raise ValidationError(f"Resource {unknown[0]} does not exist for stack {stack.name}")
        stack.token = self._get_param("ClientRequestToken")
        self._begin(stack, "DELETE", self.engine.delete(stack, retain))
        return EmptyResult()

    def _begin(self, stack: Stack, operation: str, steps: worker.Steps) -> None:
        """The first step, up to the first pause, belongs to the request."""
        if stack.token:
            stack.tokens[stack.token] = operation
        stack.operation += 1
        next(steps)
        worker.start(stack, steps)

    def update_termination_protection(self) -> ActionResult:
        stack = self._stack()
        stack.termination_protection = self._get_bool_param("EnableTerminationProtection")
        return ActionResult({"StackId": stack.id})

    # Reading.

    def describe_stacks(self) -> ActionResult:
        name = self._get_param("StackName")
        if name:
            return ActionResult({"Stacks": [views.stack(STORE.find(self.current_account, self.region, name))]})
        stacks = [s for s in STORE.all(self.current_account, self.region) if s.status != "DELETE_COMPLETE"]
        return self._page("Stacks", [views.stack(s) for s in stacks])

    def list_stacks(self) -> ActionResult:
        wanted = self._get_param("StackStatusFilter", [])
        stacks = [s for s in STORE.all(self.current_account, self.region) if not wanted or s.status in wanted]
        return self._page("StackSummaries", [views.stack_summary(s) for s in stacks])

    def describe_stack_events(self) -> ActionResult:
        stack = self._stack(f"Stack [{self._get_param('StackName')}] does not exist")
        events = [views.event(stack, e) for e in reversed(stack.events)]
        # New events are put before the first page: the token counts from the oldest.
        token = self._get_param("NextToken")
        start = len(events) - int(token) if token else 0
        page = events[start : start + PAGE]
        left = len(events) - start - len(page)
        return ActionResult({"StackEvents": page, "NextToken": str(left) if left else None})

    def describe_stack_resource(self) -> ActionResult:
        stack, logical = self._stack(), self._get_param("LogicalResourceId")
        resource = stack.resources.get(logical)
        if resource is None:
            raise ValidationError(f"Resource {logical} does not exist for stack {stack.name}")
        return ActionResult({"StackResourceDetail": views.resource(stack, resource, "LastUpdatedTimestamp")})

    def describe_stack_resources(self) -> ActionResult:
        logical, physical = self._get_param("LogicalResourceId"), self._get_param("PhysicalResourceId")
        stack = self._owner_of(physical) if physical else self._stack()
        resources = [r for r in stack.resources.values() if logical in (None, r.logical_id)]
        if logical and not resources:
            raise ValidationError(f"Resource {logical} does not exist for stack {stack.name}")
        return ActionResult({"StackResources": [views.resource(stack, r, "Timestamp") for r in resources]})

    def _owner_of(self, physical: str) -> Stack:
        for stack in STORE.all(self.current_account, self.region):
            if any(r.physical_id == physical and r.status != "DELETE_COMPLETE" for r in stack.resources.values()):
                return stack
        raise ValidationError(f"Stack for {physical} does not exist")

    def list_stack_resources(self) -> ActionResult:
        stack = self._stack()
        items = [views.resource(stack, r, "LastUpdatedTimestamp") for r in stack.resources.values()]
        return self._page("StackResourceSummaries", items)

    def get_template(self) -> ActionResult:
        return ActionResult({"TemplateBody": self._stack().body, "StagesAvailable": ["Original", "Processed"]})

    def get_template_summary(self) -> ActionResult:
        return ActionResult(summary.of(template.parse(self._stack().body if self._get_param("StackName") else self._body())))

    def validate_template(self) -> ActionResult:
        parsed = template.parse(self._body())
        graph.check(parsed)
        told = summary.of(parsed)
        for parameter in told["Parameters"]:
            del parameter["ParameterConstraints"], parameter["ParameterType"]
        return ActionResult(told)

    # Helpers.

    def _stack(self, message: str = "") -> Stack:
        name = self._get_param("StackName")
        try:
            return STORE.find(self.current_account, self.region, name)
        except ValidationError:
            raise ValidationError(message) if message else no_such_stack(name) from None

    def _body(self) -> str:
        body, url = self._get_param("TemplateBody"), self._get_param("TemplateURL")
        if body and url:
            raise ValidationError("You cannot specify both Template URL and Template Body.")
        if not url:
            return body
        try:
            return get_stack_from_s3_url(url, account_id=self.current_account, partition=self.partition)
        except Exception:
            raise ValidationError("S3 error: Access Denied") from None

    def _parameters(self, parsed: dict[str, Any], previous: dict[str, str] | None) -> dict[str, parameters.Resolved]:
        ssm = ssm_backends[self.current_account][self.region]

        def read(name: str) -> str | None:
            parameter = ssm.get_parameter(name)
            return None if parameter is None else parameter.value

        return parameters.resolve(parsed.get("Parameters") or {}, self._get_param("Parameters", []), previous, read)

    def _page(self, key: str, items: list[dict[str, Any]]) -> ActionResult:
        start = int(self._get_param("NextToken") or 0)
        more = str(start + PAGE) if len(items) > start + PAGE else None
        return ActionResult({key: items[start : start + PAGE], "NextToken": more})
