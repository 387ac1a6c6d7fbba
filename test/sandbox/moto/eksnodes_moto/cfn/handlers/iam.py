"""AWS::IAM::Role, AWS::IAM::InstanceProfile, AWS::IAM::Policy and AWS::IAM::ManagedPolicy."""

from __future__ import annotations

import json
from typing import Any

from moto.iam.models import iam_backends

from ..errors import ResourceFailure
from .base import REPLACE, Context, Made


def _backend(ctx: Context) -> Any:
    return iam_backends[ctx.account][ctx.partition]


def _tag_list(ctx: Context, properties: dict[str, Any]) -> list[dict[str, str]]:
    return [{"Key": k, "Value": v} for k, v in ctx.tags(properties.get("Tags")).items()]


class RoleHandler:
    type = "AWS::IAM::Role"
    required = frozenset({"AssumeRolePolicyDocument"})
    attributes = frozenset({"Arn", "RoleId"})
    properties = frozenset(
        {
            "AssumeRolePolicyDocument",
            "Description",
            "ManagedPolicyArns",
            "MaxSessionDuration",
            "Path",
            "PermissionsBoundary",
            "Policies",
            "RoleName",
            "Tags",
        }
    )

    def create(self, ctx: Context, properties: dict[str, Any]) -> Made:
        name = properties.get("RoleName") or ctx.generated_name(64)
        role = _backend(ctx).create_role(
            role_name=name,
            assume_role_policy_document=json.dumps(properties["AssumeRolePolicyDocument"]),
            path=properties.get("Path", "/"),
            permissions_boundary=properties.get("PermissionsBoundary"),
            description=properties.get("Description", ""),
            tags=[],
            max_session_duration=properties.get("MaxSessionDuration", 3600),
        )
        try:
            self._apply(ctx, name, properties)
        except Exception:
            self.delete(ctx, name, properties)
            raise
        return Made(name, {"Arn": role.arn, "RoleId": role.id})

    def settled(self, ctx: Context, physical_id: str) -> bool:
        return True

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Any:
        if any(old.get(k) != new.get(k) for k in ("RoleName", "Path")):
            return REPLACE
        backend = _backend(ctx)
        role = backend.get_role(physical_id)
        role.assume_role_policy_document = json.dumps(new["AssumeRolePolicyDocument"])
        role.permissions_boundary_arn = new.get("PermissionsBoundary")
        role.description = new.get("Description", "")
        for arn in set(old.get("ManagedPolicyArns", [])) - set(new.get("ManagedPolicyArns", [])):
            backend.detach_role_policy(arn, physical_id)
        for name in {p["PolicyName"] for p in old.get("Policies", [])} - {p["PolicyName"] for p in new.get("Policies", [])}:
            role.delete_policy(name)
        self._apply(ctx, physical_id, new)
        return Made(physical_id, {"Arn": role.arn, "RoleId": role.id})

    def delete(self, ctx: Context, physical_id: str, properties: dict[str, Any]) -> bool:
        backend = _backend(ctx)
        role = next((r for r in backend.get_roles() if r.name == physical_id), None)
        if role is None:
            return True
        for arn in properties.get("ManagedPolicyArns", []):
            if arn in role.managed_policies:
                backend.detach_role_policy(arn, physical_id)
        for policy in properties.get("Policies", []):
            role.policies.pop(policy["PolicyName"], None)
        backend.delete_role(physical_id)
        return True

    def _apply(self, ctx: Context, name: str, properties: dict[str, Any]) -> None:
        backend = _backend(ctx)
        role = backend.get_role(name)
        role.tags = _tag_list(ctx, properties)
        for arn in properties.get("ManagedPolicyArns", []):
            if arn not in role.managed_policies:
                backend.attach_role_policy(arn, name)
        for policy in properties.get("Policies", []):
            role.put_policy(policy["PolicyName"], json.dumps(policy["PolicyDocument"]))


class InstanceProfileHandler:
    type = "AWS::IAM::InstanceProfile"
    required = frozenset({"Roles"})
    attributes = frozenset({"Arn", "InstanceProfileId"})
    properties = frozenset({"InstanceProfileName", "Path", "Roles"})

    def create(self, ctx: Context, properties: dict[str, Any]) -> Made:
        name = properties.get("InstanceProfileName") or ctx.generated_name(128)
        profile = _backend(ctx).create_instance_profile(name, properties.get("Path", "/"), properties["Roles"], tags=[])
        return Made(name, {"Arn": profile.arn, "InstanceProfileId": profile.id})

    def settled(self, ctx: Context, physical_id: str) -> bool:
        return True

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Any:
        if any(old.get(k) != new.get(k) for k in ("InstanceProfileName", "Path")):
            return REPLACE
        backend = _backend(ctx)
        profile = backend.get_instance_profile(physical_id)
        profile.roles = [backend.get_role(name) for name in new["Roles"]]
        return Made(physical_id, {"Arn": profile.arn, "InstanceProfileId": profile.id})

    def delete(self, ctx: Context, physical_id: str, properties: dict[str, Any]) -> bool:
        backend = _backend(ctx)
        if physical_id in backend.instance_profiles:
            backend.delete_instance_profile(physical_id, ignore_attached_roles=True)
        return True


class PolicyHandler:
    """An inline policy put on roles."""

    type = "AWS::IAM::Policy"
    required = frozenset({"PolicyDocument", "PolicyName"})
    attributes: frozenset[str] = frozenset()
    properties = frozenset({"PolicyDocument", "PolicyName", "Roles"})

    def create(self, ctx: Context, properties: dict[str, Any]) -> Made:
        if not properties.get("Roles"):
            raise ResourceFailure("At least one of [Groups,Roles,Users] must be non-empty.")
        for name in properties["Roles"]:
            _backend(ctx).get_role(name).put_policy(properties["PolicyName"], json.dumps(properties["PolicyDocument"]))
        return Made(ctx.generated_name(128))

    def settled(self, ctx: Context, physical_id: str) -> bool:
        return True

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Any:
        self.delete(ctx, physical_id, old)
        self.create(ctx, new)
        return Made(physical_id)

    def delete(self, ctx: Context, physical_id: str, properties: dict[str, Any]) -> bool:
        for role in _backend(ctx).get_roles():
            if role.name in properties.get("Roles", []):
                role.policies.pop(properties["PolicyName"], None)
        return True
