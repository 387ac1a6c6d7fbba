"""CloudFormation: what the reading operations show."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from .test_cfn_checks import refused
from .world import TEMPLATE, output


def test_parameters_are_shown_as_given_and_as_resolved(world, client):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Parameter.html"""
    stack = world.created(NodeAutoScalingGroupMinSize="0", NodeAutoScalingGroupDesiredCapacity="0")
    shown = {p["ParameterKey"]: p for p in stack["Parameters"]}
    assert shown["Subnets"]["ParameterValue"] == ",".join(world.subnets)
    path = "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/x86_64/standard/recommended/image_id"
    image = client("ssm").get_parameter(Name=path)["Parameter"]["Value"]
    assert shown["NodeImageIdSSMParam"] == {"ParameterKey": "NodeImageIdSSMParam", "ParameterValue": path, "ResolvedValue": image}
    assert output(stack, "SubnetCount") == world.subnets[0]
    world.delete(stack["StackId"])


def test_resources_are_shown_at_any_time(world, client, sandbox):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResources.html"""
    cfn = client("cloudformation")
    sandbox.script(seconds={"cfn_step": 1})
    stack_id = world.create()
    early = cfn.list_stack_resources(StackName=stack_id)["StackResourceSummaries"]
    assert len(early) < 8 and all(r["ResourceType"].startswith("AWS::") for r in early)
    sandbox.script()
    stack = world.wait(stack_id, "CREATE_COMPLETE")
    items = {r["LogicalResourceId"]: r for r in cfn.describe_stack_resources(StackName=stack["StackName"])["StackResources"]}
    assert len(items) == 8
    assert items["NodeGroup"]["PhysicalResourceId"] == output(stack, "NodeAutoScalingGroup")
    assert {r["ResourceStatus"] for r in items.values()} == {"CREATE_COMPLETE"}
    one = cfn.describe_stack_resource(StackName=stack_id, LogicalResourceId="ControlPlaneEgressToNodeSecurityGroup")["StackResourceDetail"]
    assert one["PhysicalResourceId"].startswith("sgr-")
    refused(lambda: cfn.describe_stack_resource(StackName=stack_id, LogicalResourceId="Nothing"), "ValidationError")
    owner = cfn.describe_stack_resources(PhysicalResourceId=output(stack, "NodeAutoScalingGroup"))["StackResources"]
    assert {r["StackId"] for r in owner} == {stack_id}
    world.delete(stack_id)
    shown = cfn.list_stack_resources(StackName=stack_id)["StackResourceSummaries"]
    assert {r["ResourceStatus"] for r in shown} == {"DELETE_COMPLETE"}


def test_a_deleted_stack_is_found_by_id_only(world, client):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html, StackName"""
    cfn = client("cloudformation")
    stack = world.created(NodeAutoScalingGroupMinSize="0", NodeAutoScalingGroupDesiredCapacity="0")
    assert cfn.get_template(StackName=stack["StackName"])["TemplateBody"] == TEMPLATE
    world.delete(stack["StackId"])
    assert world.stack(stack["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    assert "does not exist" in refused(lambda: world.stack(stack["StackName"]), "ValidationError")
    assert "does not exist" in refused(lambda: cfn.describe_stack_events(StackName=stack["StackName"]), "ValidationError")
    assert stack["StackId"] not in [s["StackId"] for s in cfn.describe_stacks()["Stacks"]]
    deleted = cfn.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
    assert stack["StackId"] in [s["StackId"] for s in deleted]
    cfn.delete_stack(StackName=stack["StackName"])  # deleting what is not there succeeds
    again = world.create(StackName=stack["StackName"])
    assert again != stack["StackId"]
    world.wait(again, "CREATE_COMPLETE")
    world.delete(again)


def test_events_come_in_pages(world, client):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackEvents.html, NextToken"""
    cfn = client("cloudformation")
    groups = "".join(
        f"  G{n}:\n    Type: AWS::EC2::SecurityGroup\n    Properties: {{GroupDescription: g, VpcId: {world.vpc}}}\n" for n in range(40)
    )
    stack_id = cfn.create_stack(StackName=world.name(), TemplateBody="Resources:\n" + groups)["StackId"]
    world.wait(stack_id, "CREATE_COMPLETE")
    first = cfn.describe_stack_events(StackName=stack_id)
    assert len(first["StackEvents"]) == 100
    second = cfn.describe_stack_events(StackName=stack_id, NextToken=first["NextToken"])
    assert len(second["StackEvents"]) == 22 and "NextToken" not in second
    assert first["StackEvents"][-1]["Timestamp"] > second["StackEvents"][0]["Timestamp"]
    world.delete(stack_id)


def test_roles_are_complete(world, client):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html"""
    iam = client("iam")
    boundary = "arn:aws:iam::aws:policy/PowerUserAccess"
    stack = world.created(NodeAutoScalingGroupMinSize="0", NodeAutoScalingGroupDesiredCapacity="0", PermissionsBoundary=boundary)
    arn = output(stack, "NodeInstanceRole")
    assert ":role/eksnodes/" in arn
    role = iam.get_role(RoleName=arn.rsplit("/", 1)[1])["Role"]
    assert role["RoleId"].startswith("AROA") and role["Path"] == "/eksnodes/"
    assert abs((role["CreateDate"] - stack["CreationTime"]).total_seconds()) < 60
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
    assert role["AssumeRolePolicyDocument"]["Version"] == "2012-10-17"
    attached = iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]
    assert {p["PolicyName"] for p in attached} == {
        "AmazonEKSWorkerNodePolicy",
        "AmazonEC2ContainerRegistryPullOnly",
        "AmazonEKS_CNI_Policy",
        "AmazonSSMManagedInstanceCore",
    }
    world.delete(stack["StackId"])
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.get_role(RoleName=role["RoleName"])


def test_security_group_rules_of_the_stack(world, client):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-securitygroupegress.html"""
    stack = world.created(NodeAutoScalingGroupMinSize="0", NodeAutoScalingGroupDesiredCapacity="0")
    node_group = output(stack, "NodeSecurityGroup")
    shown = client("ec2").describe_security_groups(GroupIds=[world.control_plane_group])["SecurityGroups"][0]

    def ports(rules: list[dict]) -> list[tuple[int, int]]:
        return [(r["FromPort"], r["ToPort"]) for r in rules if node_group in [pair["GroupId"] for pair in r["UserIdGroupPairs"]]]

    assert ports(shown["IpPermissions"]) == [(443, 443)]
    assert ports(shown["IpPermissionsEgress"]) == [(1025, 65535)]
    world.delete(stack["StackId"])
