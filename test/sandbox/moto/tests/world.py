"""What the tests share: the VPC, stacks, and waiting without sleeping blindly."""

from __future__ import annotations

import itertools
import json
import pathlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

TEMPLATE = pathlib.Path(__file__).with_name("nodegroup.yaml").read_text(encoding="utf-8")
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Sandbox:
    url: str
    control: pathlib.Path
    log: pathlib.Path

    def script(self, **content: Any) -> None:
        """Writes the failure script."""
        self.control.write_text(json.dumps(content), encoding="utf-8")


def wait_for(what: str, probe: Callable[[], Any], seconds: float = 15) -> Any:
    """Asks until the answer is true, and returns it."""
    deadline = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.02)


@dataclass(frozen=True)
class World:
    client: Any
    vpc: str
    subnets: list[str]
    control_plane_group: str

    @classmethod
    def make(cls, client: Any) -> World:
        ec2 = client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.20.{16 * n}.0/20", AvailabilityZone=f"us-west-2{zone}")["Subnet"]["SubnetId"]
            for n, zone in enumerate("abc", start=1)
        ]
        group = ec2.create_security_group(GroupName="eks-cluster-sg-demo", Description="cluster", VpcId=vpc)["GroupId"]
        return cls(client, vpc, subnets, group)

    def parameters(self, **more: str) -> list[dict[str, str]]:
        given = {
            "ClusterName": "demo",
            "NodeGroupName": "nodes",
            "ClusterControlPlaneSecurityGroup": self.control_plane_group,
            "VpcId": self.vpc,
            "Subnets": ",".join(self.subnets),
            **more,
        }
        return [{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()]

    def name(self) -> str:
        return f"stack-{next(_numbers)}"

    def create(self, template: str = TEMPLATE, parameters: dict[str, str] | None = None, **more: Any) -> str:
        """Starts a node group stack and returns its id."""
        more.setdefault("StackName", self.name())
        more.setdefault("Capabilities", ["CAPABILITY_IAM"])
        return self.client("cloudformation").create_stack(TemplateBody=template, Parameters=self.parameters(**(parameters or {})), **more)[
            "StackId"
        ]

    def stack(self, stack_id: str) -> dict[str, Any]:
        return self.client("cloudformation").describe_stacks(StackName=stack_id)["Stacks"][0]

    def wait(self, stack_id: str, status: str) -> dict[str, Any]:
        """Waits until the stack rests, and checks in which status."""
        stack = wait_for(f"{stack_id} {status}", lambda: None if (s := self.stack(stack_id))["StackStatus"].endswith("IN_PROGRESS") else s)
        assert stack["StackStatus"] == status, (stack["StackStatus"], self.reasons(stack_id))
        return stack

    def events(self, stack_id: str) -> list[dict[str, Any]]:
        """Oldest first."""
        pages = self.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=stack_id)
        return [e for page in pages for e in page["StackEvents"]][::-1]

    def reasons(self, stack_id: str) -> list[str]:
        return [f"{e['LogicalResourceId']}: {e['ResourceStatusReason']}" for e in self.events(stack_id) if "FAILED" in e["ResourceStatus"]]

    def created(self, **parameters: str) -> dict[str, Any]:
        stack_id = self.create(parameters=parameters)
        return self.wait(stack_id, "CREATE_COMPLETE")

    def delete(self, stack_id: str) -> None:
        self.client("cloudformation").delete_stack(StackName=stack_id)
        self.wait(stack_id, "DELETE_COMPLETE")

    def group_of(self, stack: dict[str, Any]) -> dict[str, Any]:
        name = output(stack, "NodeAutoScalingGroup")
        return self.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]

    def instances_of(self, stack: dict[str, Any], *states: str) -> list[dict[str, Any]]:
        """Of the group; only those in the states, when given."""
        filters = [{"Name": "tag:aws:autoscaling:groupName", "Values": [output(stack, "NodeAutoScalingGroup")]}]
        if states:
            filters.append({"Name": "instance-state-name", "Values": list(states)})
        answer = self.client("ec2").describe_instances(Filters=filters)
        return [i for r in answer["Reservations"] for i in r["Instances"]]


def output(stack: dict[str, Any], key: str) -> str:
    return next(o["OutputValue"] for o in stack["Outputs"] if o["OutputKey"] == key)


def tags(item: dict[str, Any]) -> dict[str, str]:
    return {t["Key"]: t["Value"] for t in item.get("Tags", [])}
