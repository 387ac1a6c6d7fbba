"""CloudFormation: UpdateStack."""

from __future__ import annotations

from .test_cfn_checks import refused
from .world import output, wait_for


def update(world, client, stack_id: str, **parameters: str) -> str:
    return client("cloudformation").update_stack(
        StackName=stack_id, UsePreviousTemplate=True, Capabilities=["CAPABILITY_IAM"], Parameters=world.parameters(**parameters)
    )["StackId"]


def test_a_size_is_changed_in_place(world, client, sandbox):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-autoscaling-autoscalinggroup.html"""
    stack = world.created()
    before = {i["InstanceId"] for i in world.instances_of(stack, "pending", "running")}
    sandbox.script(seconds={"cfn_step": 1})
    update(world, client, stack["StackId"], NodeAutoScalingGroupDesiredCapacity="4")
    assert world.stack(stack["StackId"])["StackStatus"] == "UPDATE_IN_PROGRESS"
    sandbox.script()
    after = world.wait(stack["StackId"], "UPDATE_COMPLETE")
    assert output(after, "NodeAutoScalingGroup") == output(stack, "NodeAutoScalingGroup")
    wait_for("four instances", lambda: len(world.instances_of(stack, "running")) == 4)
    assert before < {i["InstanceId"] for i in world.instances_of(stack, "running")}
    statuses = [e["ResourceStatus"] for e in world.events(stack["StackId"]) if e["ResourceStatus"].startswith("UPDATE")]
    assert statuses == ["UPDATE_IN_PROGRESS"] * 2 + ["UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"]
    assert after["LastUpdatedTime"] > after["CreationTime"]
    world.delete(stack["StackId"])


def test_a_new_version_of_the_launch_template_reaches_the_group(world, client):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-launchtemplate.html"""
    stack = world.created()
    update(world, client, stack["StackId"], NodeVolumeSize="40")
    world.wait(stack["StackId"], "UPDATE_COMPLETE")
    assert world.group_of(stack)["LaunchTemplate"]["Version"] == "2"
    assert {i["LaunchTemplate"]["Version"] for i in world.group_of(stack)["Instances"]} == {"1"}
    world.delete(stack["StackId"])


def test_an_update_leaves_tags_of_others_on_the_group(world, client):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-autoscaling-autoscalinggroup-tagproperty.html"""
    stack = world.created()
    name = output(stack, "NodeAutoScalingGroup")
    tag = {"ResourceId": name, "ResourceType": "auto-scaling-group", "Key": "team", "Value": "a", "PropagateAtLaunch": False}
    client("autoscaling").create_or_update_tags(Tags=[tag])
    update(world, client, stack["StackId"], NodeVolumeSize="40")
    world.wait(stack["StackId"], "UPDATE_COMPLETE")
    shown = {t["Key"]: t["Value"] for t in world.group_of(stack)["Tags"]}
    assert shown["team"] == "a" and len(shown) == len(world.group_of(stack)["Tags"]) > 1
    client("autoscaling").delete_tags(Tags=[tag])
    assert "team" not in {t["Key"] for t in world.group_of(stack)["Tags"]}
    world.delete(stack["StackId"])


def test_no_change_is_refused(world, client):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html, No updates to perform"""
    stack = world.created(NodeAutoScalingGroupMinSize="0", NodeAutoScalingGroupDesiredCapacity="0")
    text = refused(
        lambda: update(world, client, stack["StackId"], NodeAutoScalingGroupMinSize="0", NodeAutoScalingGroupDesiredCapacity="0"),
        "ValidationError",
    )
    assert text == "No updates are to be performed."
    world.delete(stack["StackId"])


def test_previous_values_are_kept(world, client):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Parameter.html, UsePreviousValue"""
    stack = world.created()
    keep = [{"ParameterKey": p["ParameterKey"], "UsePreviousValue": True} for p in stack["Parameters"]]
    given = [p for p in keep if p["ParameterKey"] != "NodeVolumeSize"] + [{"ParameterKey": "NodeVolumeSize", "ParameterValue": "25"}]
    client("cloudformation").update_stack(
        StackName=stack["StackId"], UsePreviousTemplate=True, Capabilities=["CAPABILITY_IAM"], Parameters=given
    )
    after = world.wait(stack["StackId"], "UPDATE_COMPLETE")
    changed = {p["ParameterKey"] for p in after["Parameters"]} - {
        p["ParameterKey"] for p in stack["Parameters"] if p in after["Parameters"]
    }
    assert changed == {"NodeVolumeSize"}
    world.delete(stack["StackId"])


def test_a_failed_update_goes_back(world, client, sandbox):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html"""
    stack = world.created()
    sandbox.script(resources=[{"logicalId": "NodeGroup", "operation": "UPDATE", "reason": "scripted", "count": 1}])
    update(world, client, stack["StackId"], NodeVolumeSize="40")
    after = world.wait(stack["StackId"], "UPDATE_ROLLBACK_COMPLETE")
    assert next(p["ParameterValue"] for p in after["Parameters"] if p["ParameterKey"] == "NodeVolumeSize") == "20"
    assert "NodeGroup: scripted" in world.reasons(stack["StackId"])
    world.delete(stack["StackId"])


def test_a_stack_cannot_be_deleted_while_it_is_updated(world, client, sandbox):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html"""
    stack = world.created()
    sandbox.script(seconds={"cfn_step": 1})
    update(world, client, stack["StackId"], NodeVolumeSize="40")
    assert "UPDATE_IN_PROGRESS" in refused(lambda: client("cloudformation").delete_stack(StackName=stack["StackId"]), "ValidationError")
    sandbox.script()
    world.wait(stack["StackId"], "UPDATE_COMPLETE")
    world.delete(stack["StackId"])
