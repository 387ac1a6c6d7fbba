"""A stack's template in the light of its parameters and resources."""

from __future__ import annotations

from typing import Any

from moto.utilities.utils import get_partition

from .errors import ValidationError
from .intrinsics import NO_VALUE, Scope
from .stack import Stack

URL_SUFFIXES = {"aws-cn": "amazonaws.com.cn"}


def scope_of(stack: Stack) -> Scope:
    from moto.ec2.models import ec2_backends

    def ref(logical: str) -> str:
        resource = stack.resources.get(logical)
        if resource is None or not resource.physical_id:
            raise ValidationError(f"Template error: reference to resource {logical}, which does not exist")
        return resource.physical_id

    def get_att(logical: str, attribute: str) -> Any:
        resource = stack.resources.get(logical)
        if resource is None:
            raise ValidationError(f"Template error: instance of Fn::GetAtt references undefined resource {logical}")
        if attribute not in resource.attributes:
            raise ValidationError(f"Template error: resource {logical} does not support attribute type {attribute} in Fn::GetAtt")
        return resource.attributes[attribute]

    partition = get_partition(stack.region)
    pseudo = {
        "AWS::AccountId": stack.account,
        "AWS::Region": stack.region,
        "AWS::Partition": partition,
        "AWS::StackId": stack.id,
        "AWS::StackName": stack.name,
        "AWS::NotificationARNs": stack.notification_arns,
        "AWS::URLSuffix": URL_SUFFIXES.get(partition, "amazonaws.com"),
    }
    parameters = {key: resolved.value for key, resolved in stack.parameters.items()}

    def zones(region: str) -> list[str]:
        backend = ec2_backends[stack.account][region or stack.region]
        return [z.name for z in backend.describe_availability_zones()]

    return Scope(stack.template, parameters, pseudo, ref, get_att, zones)


def wanted_resources(stack: Stack) -> list[str]:
    """Logical ids whose condition holds, in the template's order."""
    scope = scope_of(stack)
    return [
        logical
        for logical, resource in stack.template["Resources"].items()
        if "Condition" not in resource or scope.condition(resource["Condition"])
    ]


def properties_of(stack: Stack, logical: str) -> dict[str, Any]:
    return scope_of(stack).evaluate(stack.template["Resources"][logical].get("Properties") or {})


def outputs_of(stack: Stack) -> list[dict[str, Any]]:
    scope = scope_of(stack)
    outputs = []
    for key, spec in (stack.template.get("Outputs") or {}).items():
        if "Condition" in spec and not scope.condition(spec["Condition"]):
            continue
        value = scope.evaluate(spec.get("Value"))
        if value is NO_VALUE:
            continue
        output = {"OutputKey": key, "OutputValue": str(value)}
        if "Description" in spec:
            output["Description"] = spec["Description"]
        if "Export" in spec:
            output["ExportName"] = str(scope.evaluate(spec["Export"]["Name"]))
        outputs.append(output)
    return outputs
