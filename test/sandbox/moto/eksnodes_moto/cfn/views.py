"""Stacks, resources and events in the shapes of the API."""

from __future__ import annotations

from typing import Any

from .stack import Event, Resource, Stack

NO_DRIFT = {"StackDriftStatus": "NOT_CHECKED"}
NO_RESOURCE_DRIFT = {"StackResourceDriftStatus": "NOT_CHECKED"}


def stack(s: Stack) -> dict[str, Any]:
    view: dict[str, Any] = {
        "StackId": s.id,
        "StackName": s.name,
        "Description": s.template.get("Description"),
        "Parameters": [_parameter(p) for p in s.parameters.values()],
        "CreationTime": s.created,
        "LastUpdatedTime": s.updated,
        "DeletionTime": s.deleted,
        "StackStatus": s.status,
        "StackStatusReason": s.reason,
        "DisableRollback": s.on_failure == "DO_NOTHING",
        "NotificationARNs": s.notification_arns,
        "TimeoutInMinutes": s.timeout_minutes,
        "Capabilities": s.capabilities,
        "Outputs": s.outputs or None,
        "RoleARN": s.role_arn,
        "Tags": [{"Key": k, "Value": v} for k, v in s.tags.items()],
        "EnableTerminationProtection": s.termination_protection,
        "DriftInformation": NO_DRIFT,
    }
    return {k: v for k, v in view.items() if v is not None}


def _parameter(p: Any) -> dict[str, Any]:
    view = {"ParameterKey": p.key, "ParameterValue": "****" if p.no_echo else p.text}
    if p.from_ssm is not None:
        view["ResolvedValue"] = p.from_ssm
    return view


def stack_summary(s: Stack) -> dict[str, Any]:
    view: dict[str, Any] = {
        "StackId": s.id,
        "StackName": s.name,
        "TemplateDescription": s.template.get("Description"),
        "CreationTime": s.created,
        "LastUpdatedTime": s.updated,
        "DeletionTime": s.deleted,
        "StackStatus": s.status,
        "StackStatusReason": s.reason,
        "DriftInformation": NO_DRIFT,
    }
    return {k: v for k, v in view.items() if v is not None}


def event(s: Stack, e: Event) -> dict[str, Any]:
    view: dict[str, Any] = {
        "StackId": s.id,
        "EventId": e.event_id,
        "StackName": s.name,
        "LogicalResourceId": e.logical_id,
        "PhysicalResourceId": e.physical_id,
        "ResourceType": e.type,
        "Timestamp": e.timestamp,
        "ResourceStatus": e.status,
        "ResourceStatusReason": e.reason,
        "ResourceProperties": e.properties,
        "ClientRequestToken": e.token,
    }
    return {k: v for k, v in view.items() if v is not None}


def resource(s: Stack, r: Resource, time_key: str) -> dict[str, Any]:
    """time_key is Timestamp or LastUpdatedTimestamp: the operations differ."""
    view: dict[str, Any] = {
        "StackId": s.id,
        "StackName": s.name,
        "LogicalResourceId": r.logical_id,
        "PhysicalResourceId": r.physical_id or None,
        "ResourceType": r.type,
        time_key: r.timestamp,
        "ResourceStatus": r.status,
        "ResourceStatusReason": r.reason,
        "DriftInformation": NO_RESOURCE_DRIFT,
    }
    return {k: v for k, v in view.items() if v is not None}
