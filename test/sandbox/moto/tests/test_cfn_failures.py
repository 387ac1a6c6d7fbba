"""CloudFormation: failures while a stack is made, and what is left behind."""

from __future__ import annotations

import pytest

from .test_cfn_checks import refused
from .world import TEMPLATE, output, wait_for


def test_failure_rolls_back_with_reasons(world, sandbox):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html"""
    sandbox.script(resources=[{"logicalId": "NodeGroup", "reason": "no luck today", "count": 1}])
    stack_id = world.create()
    stack = world.wait(stack_id, "ROLLBACK_COMPLETE")
    events = world.events(stack_id)
    failed = [e for e in events if e["ResourceStatus"] == "CREATE_FAILED"]
    assert (failed[0]["LogicalResourceId"], failed[0]["ResourceStatusReason"]) == ("NodeGroup", "no luck today")
    rollback = next(e for e in events if e["ResourceStatus"] == "ROLLBACK_IN_PROGRESS")
    assert rollback["ResourceStatusReason"] == "The following resource(s) failed to create: [NodeGroup]. Rollback requested by user."
    assert "Outputs" not in stack
    assert ("NodeInstanceRole", "DELETE_COMPLETE") in [(e["LogicalResourceId"], e["ResourceStatus"]) for e in events]
    world.delete(stack_id)


@pytest.mark.parametrize(
    ("parameter", "value", "says"),
    [
        ("NodeImageId", "ami-0123456789abcdef0", "The image id '[ami-0123456789abcdef0]' does not exist"),
        ("NodeInstanceType", "t9.huge", "Invalid value 't9.huge' for InstanceType."),
        ("KeyName", "nobody", "The key pair 'nobody' does not exist"),
    ],
)
def test_a_template_that_cannot_launch_fails_the_group(world, parameter, value, says):
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-launch-template.html"""
    stack_id = world.create(parameters={parameter: value})
    world.wait(stack_id, "ROLLBACK_COMPLETE")
    first = next(e for e in world.events(stack_id) if e["ResourceStatus"] == "CREATE_FAILED")
    assert first["LogicalResourceId"] == "NodeGroup"
    assert f"You must use a valid fully-formed launch template. {says}" in first["ResourceStatusReason"]
    world.delete(stack_id)


def test_a_role_with_a_policy_that_does_not_exist_fails(world):
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html"""
    stack_id = world.create(TEMPLATE.replace("policy/AmazonEKS_CNI_Policy", "policy/NoSuchPolicy"))
    world.wait(stack_id, "ROLLBACK_COMPLETE")
    reason = next(r for r in world.reasons(stack_id) if r.startswith("NodeInstanceRole"))
    assert "policy/NoSuchPolicy does not exist or is not attachable. (Service: Iam, Status Code: 404" in reason
    world.delete(stack_id)


def test_a_stack_that_takes_too_long_fails(world, sandbox):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html, TimeoutInMinutes"""
    sandbox.script(
        launches=[{"code": "InsufficientInstanceCapacity", "message": "none left"}], seconds={"cfn_minute": 0.5, "cfn_stabilize": 60}
    )
    stack_id = world.create(TimeoutInMinutes=2)
    assert world.stack(stack_id)["TimeoutInMinutes"] == 2
    world.wait(stack_id, "ROLLBACK_COMPLETE")
    events = world.events(stack_id)
    rollback = next(e for e in events if e["ResourceStatus"] == "ROLLBACK_IN_PROGRESS")
    assert rollback["ResourceStatusReason"] == "Stack creation time exceeded the specified timeout. Rollback requested by user."
    assert "NodeGroup: Resource creation cancelled" in world.reasons(stack_id)
    world.delete(stack_id)


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"OnFailure": "DO_NOTHING"}, "CREATE_FAILED"),
        ({"DisableRollback": True}, "CREATE_FAILED"),
        ({"OnFailure": "DELETE"}, "DELETE_COMPLETE"),
    ],
)
def test_on_failure_decides(world, sandbox, how, status):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html, OnFailure"""
    sandbox.script(resources=[{"logicalId": "NodeLaunchTemplate", "reason": "scripted"}])
    stack_id = world.create(**how)
    world.wait(stack_id, status)
    left = {e["LogicalResourceId"] for e in world.events(stack_id) if e["ResourceStatus"] == "DELETE_COMPLETE"}
    assert ("NodeInstanceRole" in left) == (status == "DELETE_COMPLETE")
    if status != "DELETE_COMPLETE":
        world.delete(stack_id)


def test_a_parameter_that_names_nothing_rolls_back(world):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html"""
    stack_id = world.create(parameters={"Subnets": "subnet-00000000000000000"})
    stack = world.wait(stack_id, "ROLLBACK_COMPLETE")
    reasons = [e.get("ResourceStatusReason", "") for e in world.events(stack_id)]
    assert any("parameter value subnet-00000000000000000 for parameter name Subnets does not exist" in r for r in reasons)
    refused(lambda: world.create(StackName=stack["StackName"]), "AlreadyExistsException")
    world.delete(stack_id)


def test_a_rolled_back_stack_cannot_be_updated(world, sandbox, client):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html, ROLLBACK_COMPLETE"""
    sandbox.script(resources=[{"logicalId": "NodeInstanceRole", "reason": "scripted"}])
    stack_id = world.create()
    world.wait(stack_id, "ROLLBACK_COMPLETE")
    call = lambda: client("cloudformation").update_stack(  # noqa: E731
        StackName=stack_id, UsePreviousTemplate=True, Capabilities=["CAPABILITY_IAM"], Parameters=world.parameters(NodeVolumeSize="30")
    )
    assert "ROLLBACK_COMPLETE state and can not be updated" in refused(call, "ValidationError")
    world.delete(stack_id)


def test_a_group_without_instances_does_not_stabilize(world, sandbox, client):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-autoscaling-autoscalinggroup.html"""
    launches = [{"code": "InsufficientInstanceCapacity", "message": "We currently do not have sufficient t3.medium capacity."}]
    sandbox.script(launches=launches, seconds={"cfn_stabilize": 10})
    stack_id = world.create()
    group = wait_for(
        "the group",
        lambda: [
            r["PhysicalResourceId"]
            for r in client("cloudformation").describe_stack_resources(StackName=stack_id)["StackResources"]
            if r["LogicalResourceId"] == "NodeGroup" and "PhysicalResourceId" in r
        ],
    )[0]
    # While the stack still waits, the activities already tell why.
    activity = wait_for(
        "a failed activity", lambda: client("autoscaling").describe_scaling_activities(AutoScalingGroupName=group)["Activities"]
    )[0]
    assert activity["StatusCode"] == "Failed" and "sufficient t3.medium capacity" in activity["StatusMessage"]
    assert world.stack(stack_id)["StackStatus"] == "CREATE_IN_PROGRESS"
    sandbox.script(launches=launches, seconds={"cfn_stabilize": 0})
    world.wait(stack_id, "ROLLBACK_COMPLETE")
    first = next(e for e in world.events(stack_id) if e["ResourceStatus"] == "CREATE_FAILED")
    assert first["ResourceStatusReason"].startswith("Group did not stabilize.")
    world.delete(stack_id)


def test_a_stack_can_be_deleted_while_it_is_made(world, sandbox):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html"""
    sandbox.script(seconds={"cfn_step": 0.5})
    stack_id = world.create()
    wait_for("a role", lambda: any(e["ResourceStatus"] == "CREATE_COMPLETE" for e in world.events(stack_id)))
    sandbox.script()
    world.delete(stack_id)
    assert all(
        e["ResourceStatus"] != "CREATE_COMPLETE" or e["ResourceType"] != "AWS::CloudFormation::Stack" for e in world.events(stack_id)
    )


def test_a_role_with_a_foreign_policy_keeps_the_stack(world, client):
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html"""
    iam = client("iam")
    stack = world.created(NodeAutoScalingGroupMinSize="0", NodeAutoScalingGroupDesiredCapacity="0")
    role = output(stack, "NodeInstanceRole").rsplit("/", 1)[1]
    arn = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    client("cloudformation").delete_stack(StackName=stack["StackId"])
    failed = world.wait(stack["StackId"], "DELETE_FAILED")
    assert failed["StackStatusReason"] == "The following resource(s) failed to delete: [NodeInstanceRole]. "
    assert "must detach all policies first" in " ".join(world.reasons(stack["StackId"]))
    iam.detach_role_policy(RoleName=role, PolicyArn=arn)
    world.delete(stack["StackId"])


@pytest.mark.parametrize("holder", ["interface", "rule"])
def test_a_used_security_group_keeps_the_stack_unless_retained(world, client, holder):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html; RetainResources of DeleteStack"""
    ec2 = client("ec2")
    stack = world.created(NodeAutoScalingGroupMinSize="0", NodeAutoScalingGroupDesiredCapacity="0")
    group = output(stack, "NodeSecurityGroup")
    permission = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "UserIdGroupPairs": [{"GroupId": group}]}]
    if holder == "interface":
        interface = ec2.create_network_interface(SubnetId=world.subnets[0], Groups=[group])["NetworkInterface"]["NetworkInterfaceId"]
    else:
        ec2.authorize_security_group_ingress(GroupId=world.control_plane_group, IpPermissions=permission)
    client("cloudformation").delete_stack(StackName=stack["StackId"])
    world.wait(stack["StackId"], "DELETE_FAILED")
    assert f"resource {group} has a dependent object" in " ".join(world.reasons(stack["StackId"]))
    client("cloudformation").delete_stack(StackName=stack["StackId"], RetainResources=["NodeSecurityGroup"])
    world.wait(stack["StackId"], "DELETE_COMPLETE")
    assert ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    if holder == "interface":
        ec2.delete_network_interface(NetworkInterfaceId=interface)
    else:
        ec2.revoke_security_group_ingress(GroupId=world.control_plane_group, IpPermissions=permission)
    ec2.delete_security_group(GroupId=group)


def test_termination_protection(world, client):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-protect-stacks.html"""
    cfn = client("cloudformation")
    stack_id = world.create(EnableTerminationProtection=True)
    world.wait(stack_id, "CREATE_COMPLETE")
    assert "TerminationProtection is enabled" in refused(lambda: cfn.delete_stack(StackName=stack_id), "ValidationError")
    cfn.update_termination_protection(StackName=stack_id, EnableTerminationProtection=False)
    world.delete(stack_id)


def test_an_unsupported_property_fails_the_resource(world):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html"""
    stack_id = world.create(TEMPLATE.replace("      MinSize: !Ref", "      MinimumSize: 1\n      MinSize: !Ref"))
    world.wait(stack_id, "ROLLBACK_COMPLETE")
    assert "extraneous key [MinimumSize] is not permitted" in " ".join(world.reasons(stack_id))
    world.delete(stack_id)
