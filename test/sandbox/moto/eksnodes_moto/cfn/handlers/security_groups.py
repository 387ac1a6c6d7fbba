"""AWS::EC2::SecurityGroup, SecurityGroupIngress and SecurityGroupEgress."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends

from ..errors import ResourceFailure
from .base import REPLACE, Context, Made


def _backend(ctx: Context) -> Any:
    return ec2_backends[ctx.account][ctx.region]


def _port(value: Any) -> int | None:
    return None if value is None else int(value)


def _authorize(ctx: Context, group_id: str, rule: dict[str, Any], egress: bool) -> Any:
    """Adds one rule of a template and returns moto's rule."""
    backend = _backend(ctx)
    described = {"Description": rule["Description"]} if "Description" in rule else {}
    ranges = [{k: rule[k], **described} for k in ("CidrIp", "CidrIpv6") if k in rule]
    peer = rule.get("DestinationSecurityGroupId" if egress else "SourceSecurityGroupId")
    prefix_list = rule.get("DestinationPrefixListId" if egress else "SourcePrefixListId")
    add = backend.authorize_security_group_egress if egress else backend.authorize_security_group_ingress
    added, _ = add(
        group_name_or_id=group_id,
        ip_protocol=str(rule["IpProtocol"]),
        from_port=_port(rule.get("FromPort")),
        to_port=_port(rule.get("ToPort")),
        ip_ranges=ranges,
        source_groups=[{"GroupId": peer, **described}] if peer else [],
        prefix_list_ids=[{"PrefixListId": prefix_list}] if prefix_list else [],
    )
    if not added:
        raise ResourceFailure("Invalid request provided: one of CidrIp, CidrIpv6, a prefix list or a security group is required")
    return added[0]


class SecurityGroupHandler:
    type = "AWS::EC2::SecurityGroup"
    required = frozenset({"GroupDescription"})
    attributes = frozenset({"GroupId", "VpcId", "Id"})
    properties = frozenset({"GroupDescription", "GroupName", "SecurityGroupEgress", "SecurityGroupIngress", "Tags", "VpcId"})

    def create(self, ctx: Context, properties: dict[str, Any]) -> Made:
        backend = _backend(ctx)
        if "VpcId" in properties:
            backend.get_vpc(properties["VpcId"])
        name = properties.get("GroupName") or ctx.generated_name(255)
        group = backend.create_security_group(
            name, properties["GroupDescription"], vpc_id=properties.get("VpcId"), tags=ctx.tags(properties.get("Tags"))
        )
        try:
            self._rules(ctx, group, properties)
        except Exception:
            backend.delete_security_group(group_id=group.id)
            raise
        return Made(group.id, {"GroupId": group.id, "VpcId": group.vpc_id, "Id": group.id})

    def settled(self, ctx: Context, physical_id: str) -> bool:
        return True

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Any:
        if any(old.get(k) != new.get(k) for k in ("GroupName", "GroupDescription", "VpcId")):
            return REPLACE
        group = _backend(ctx).get_security_group_from_id(physical_id)
        if old.get("SecurityGroupIngress") != new.get("SecurityGroupIngress"):
            group.ingress_rules = []
            for rule in new.get("SecurityGroupIngress", []):
                _authorize(ctx, physical_id, rule, egress=False)
        if old.get("SecurityGroupEgress") != new.get("SecurityGroupEgress"):
            group.egress_rules = []
            for rule in new.get("SecurityGroupEgress", []):
                _authorize(ctx, physical_id, rule, egress=True)
        group.add_tags(ctx.tags(new.get("Tags")))
        return Made(physical_id, {"GroupId": group.id, "VpcId": group.vpc_id, "Id": group.id})

    def delete(self, ctx: Context, physical_id: str, properties: dict[str, Any]) -> bool:
        backend = _backend(ctx)
        if backend.get_security_group_from_id(physical_id) is not None:
            backend.delete_security_group(group_id=physical_id)
        return True

    def _rules(self, ctx: Context, group: Any, properties: dict[str, Any]) -> None:
        for rule in properties.get("SecurityGroupIngress", []):
            _authorize(ctx, group.id, rule, egress=False)
        if properties.get("SecurityGroupEgress"):
            group.egress_rules = []  # an own list takes the place of the default rule
            for rule in properties["SecurityGroupEgress"]:
                _authorize(ctx, group.id, rule, egress=True)


class _RuleHandler:
    required = frozenset({"GroupId", "IpProtocol"})
    attributes = frozenset({"Id"})
    egress: bool

    def create(self, ctx: Context, properties: dict[str, Any]) -> Made:
        rule = _authorize(ctx, properties["GroupId"], properties, self.egress)
        return Made(rule.id, {"Id": rule.id})

    def settled(self, ctx: Context, physical_id: str) -> bool:
        return True

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Any:
        return REPLACE

    def delete(self, ctx: Context, physical_id: str, properties: dict[str, Any]) -> bool:
        group = _backend(ctx).get_security_group_from_id(properties["GroupId"])
        if group is not None:
            group.ingress_rules = [r for r in group.ingress_rules if r.id != physical_id]
            group.egress_rules = [r for r in group.egress_rules if r.id != physical_id]
        return True


class IngressHandler(_RuleHandler):
    type = "AWS::EC2::SecurityGroupIngress"
    egress = False
    properties = frozenset(
        {"CidrIp", "CidrIpv6", "Description", "FromPort", "GroupId", "IpProtocol", "SourcePrefixListId", "SourceSecurityGroupId", "ToPort"}
    )


class EgressHandler(_RuleHandler):
    type = "AWS::EC2::SecurityGroupEgress"
    egress = True
    properties = frozenset(
        {
            "CidrIp",
            "CidrIpv6",
            "Description",
            "DestinationPrefixListId",
            "DestinationSecurityGroupId",
            "FromPort",
            "GroupId",
            "IpProtocol",
            "ToPort",
        }
    )
