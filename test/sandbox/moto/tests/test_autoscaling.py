"""Auto Scaling: activities, sizes, suspension, replacement, failures."""

from __future__ import annotations

import json

import pytest

from .test_cfn_checks import refused
from .world import output, tags, wait_for


@pytest.fixture(scope="module")
def launch_template(world, client) -> str:
    ec2 = client("ec2")
    path = "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/x86_64/standard/recommended/image_id"
    image = client("ssm").get_parameter(Name=path)["Parameter"]["Value"]
    return ec2.create_launch_template(
        LaunchTemplateName="direct",
        LaunchTemplateData={
            "ImageId": image,
            "InstanceType": "t3.medium",
            "SecurityGroupIds": [world.control_plane_group],
            "UserData": "aGVsbG8=",
        },
    )["LaunchTemplate"]["LaunchTemplateId"]


@pytest.fixture
def group(world, client, launch_template):
    """Makes groups and takes them away again."""
    asg, made = client("autoscaling"), []

    def make(name: str, desired: int, maximum: int = 6, **more):
        asg.create_auto_scaling_group(
            AutoScalingGroupName=name,
            MinSize=0,
            MaxSize=maximum,
            DesiredCapacity=desired,
            LaunchTemplate={"LaunchTemplateId": launch_template, "Version": "$Latest"},
            VPCZoneIdentifier=",".join(world.subnets),
            **more,
        )
        made.append(name)
        return Group(client, name)

    yield make
    for name in made:
        asg.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
    # Instances that still end count for the account's quota in the next test.
    wait_for("no groups", lambda: not made or not asg.describe_auto_scaling_groups(AutoScalingGroupNames=made)["AutoScalingGroups"])


class Group:
    def __init__(self, client, name: str):
        self.asg, self.ec2, self.name = client("autoscaling"), client("ec2"), name

    def describe(self) -> dict:
        return self.asg.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])["AutoScalingGroups"][0]

    def members(self, state: str = "InService") -> list[dict]:
        return [i for i in self.describe()["Instances"] if i["LifecycleState"] == state]

    def activities(self) -> list[dict]:
        return self.asg.describe_scaling_activities(AutoScalingGroupName=self.name)["Activities"]

    def set(self, desired: int) -> None:
        self.asg.set_desired_capacity(AutoScalingGroupName=self.name, DesiredCapacity=desired)

    def settle(self, count: int) -> list[dict]:
        return wait_for(
            f"{count} in service",
            lambda: len(self.members()) == count and len(self.describe()["Instances"]) == count and (self.members() or True),
        )


def test_launches_are_recorded_and_spread(group, sandbox):
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scaling-activities.html"""
    sandbox.script(seconds={"ec2_pending": 2})
    g = group("spread", 4)
    assert wait_for("pending first", lambda: g.members("Pending"))
    g.settle(4)
    zones = sorted(i["AvailabilityZone"] for i in g.members())
    assert zones == ["us-west-2a", "us-west-2a", "us-west-2b", "us-west-2c"]
    activity = g.activities()[0]
    assert activity["StatusCode"] == "Successful" and activity["Progress"] == 100 and activity["EndTime"]
    assert activity["Description"].startswith("Launching a new EC2 instance: i-")
    assert "a user request created an AutoScalingGroup changing the desired capacity from 0 to 4." in activity["Cause"]
    assert "increasing the capacity from 0 to 4." in activity["Cause"]
    assert set(json.loads(activity["Details"])) == {"Subnet ID", "Availability Zone"}


def test_desired_capacity_has_bounds_and_shrinks(group):
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetDesiredCapacity.html"""
    g = group("bounds", 2, maximum=3)
    g.settle(2)
    assert "above max value 3" in refused(lambda: g.set(4), "ValidationError")
    g.set(1)
    g.settle(1)
    activity = next(a for a in g.activities() if a["Description"].startswith("Terminating EC2 instance: i-"))
    assert "explicitly set group desired capacity changing the desired capacity from 2 to 1." in activity["Cause"]
    assert "was selected for termination." in activity["Cause"]


def test_update_checks_sizes(group):
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_UpdateAutoScalingGroup.html"""
    g = group("sizes", 1)
    g.settle(1)
    update = g.asg.update_auto_scaling_group
    refused(lambda: update(AutoScalingGroupName=g.name, MinSize=3, MaxSize=2), "ValidationError")
    update(AutoScalingGroupName=g.name, MinSize=2)
    g.settle(2)
    update(AutoScalingGroupName=g.name, MinSize=0, MaxSize=0)
    assert g.describe()["DesiredCapacity"] == 0
    g.settle(0)


def test_suspended_processes_do_nothing(group):
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html"""
    g = group("suspended", 1)
    g.settle(1)
    g.asg.suspend_processes(AutoScalingGroupName=g.name, ScalingProcesses=["Launch", "Terminate"])
    assert {p["ProcessName"] for p in g.describe()["SuspendedProcesses"]} == {"Launch", "Terminate"}
    g.set(2)
    before = len(g.activities())
    g.set(0)
    g.set(2)
    assert len(g.members()) == 1 and len(g.activities()) == before
    g.asg.resume_processes(AutoScalingGroupName=g.name, ScalingProcesses=["Launch"])
    g.settle(2)
    g.set(0)
    assert len(g.members()) == 2
    g.asg.resume_processes(AutoScalingGroupName=g.name)
    g.settle(0)


def test_a_terminated_instance_is_replaced(group):
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/health-checks-overview.html"""
    g = group("health", 1)
    first = g.settle(1)[0]["InstanceId"]
    g.ec2.terminate_instances(InstanceIds=[first])
    wait_for("another member", lambda: [m for m in g.members() if m["InstanceId"] != first])
    causes = " ".join(a["Cause"] for a in g.activities())
    assert "in response to an EC2 health check indicating it has been terminated or stopped." in causes
    assert "an instance was launched in response to an unhealthy instance needing to be replaced." in causes


def test_an_instance_set_unhealthy_is_replaced_unless_suspended(group):
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetInstanceHealth.html"""
    g = group("unhealthy", 1)
    first = g.settle(1)[0]["InstanceId"]
    g.asg.suspend_processes(AutoScalingGroupName=g.name, ScalingProcesses=["ReplaceUnhealthy"])
    g.asg.set_instance_health(InstanceId=first, HealthStatus="Unhealthy")
    assert g.members()[0]["HealthStatus"] == "Unhealthy"
    g.asg.resume_processes(AutoScalingGroupName=g.name)
    wait_for("another member", lambda: [m for m in g.members() if m["InstanceId"] != first])


@pytest.mark.parametrize("decrement", [True, False])
def test_terminate_instance_in_group(group, decrement):
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_TerminateInstanceInAutoScalingGroup.html"""
    g = group(f"member-{decrement}", 2)
    victim = g.settle(2)[0]["InstanceId"]
    answer = g.asg.terminate_instance_in_auto_scaling_group(InstanceId=victim, ShouldDecrementDesiredCapacity=decrement)
    assert answer["Activity"]["StatusCode"] == "InProgress"
    assert ("shrinking the capacity from 2 to 1" in answer["Activity"]["Cause"]) == decrement
    assert g.describe()["DesiredCapacity"] == (1 if decrement else 2)
    wait_for("the end", lambda: victim not in [i["InstanceId"] for i in g.describe()["Instances"]])
    g.settle(1 if decrement else 2)
    shown = g.ec2.describe_instances(InstanceIds=[victim])["Reservations"][0]["Instances"][0]
    assert shown["State"]["Name"] == "terminated"
    assert shown["StateReason"]["Code"] == "Client.UserInitiatedShutdown"
    assert shown["StateTransitionReason"].startswith("User initiated (")
    refused(
        lambda: g.asg.terminate_instance_in_auto_scaling_group(InstanceId=victim, ShouldDecrementDesiredCapacity=True), "ValidationError"
    )


def test_failed_launches_are_recorded_and_tried_again(group, sandbox):
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-instancelaunchfailure.html; ts-as-capacity.html"""
    text = "We currently do not have sufficient t3.medium capacity in the Availability Zone you requested (us-west-2a)."
    sandbox.script(launches=[{"group": "poor-*", "code": "InsufficientInstanceCapacity", "message": text, "count": 2}])
    g = group("poor-luck", 1)
    g.settle(1)
    failed = [a for a in g.activities() if a["StatusCode"] == "Failed"]
    assert len(failed) == 2
    assert failed[0]["StatusMessage"] == f"{text} Launching EC2 instance failed."
    assert failed[0]["Progress"] == 100
    pause = (failed[0]["StartTime"] - failed[1]["StartTime"]).total_seconds()
    assert pause >= 0.2, "tried again with a pause"


def test_the_vcpu_quota_limits_launches(group, sandbox, client):
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-on-demand-instances.html#ec2-on-demand-instances-limits"""
    quotas = client("service-quotas")
    assert quotas.get_service_quota(ServiceCode="ec2", QuotaCode="L-1216C47A")["Quota"]["Value"] == 64
    sandbox.script(quotas={"L-1216C47A": 5})
    assert quotas.get_service_quota(ServiceCode="ec2", QuotaCode="L-1216C47A")["Quota"]["Value"] == 5
    assert [q["Value"] for q in quotas.list_service_quotas(ServiceCode="ec2")["Quotas"]] == [5]
    g = group("quota", 3)
    failed = wait_for("a failed activity", lambda: [a for a in g.activities() if a["StatusCode"] == "Failed"])
    assert "more vCPU capacity than your current vCPU limit of 5 allows" in failed[0]["StatusMessage"]
    g.settle(2)


def test_a_deregistered_image_fails_launches(group, client, world):
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-ami.html"""
    ec2 = client("ec2")
    source = ec2.describe_images(Owners=["amazon"], Filters=[{"Name": "name", "Values": ["al2023-ami-*-x86_64"]}])["Images"][0]
    image = ec2.copy_image(Name="copy", SourceImageId=source["ImageId"], SourceRegion="us-west-2")["ImageId"]
    template = ec2.create_launch_template(LaunchTemplateName="copied", LaunchTemplateData={"ImageId": image, "InstanceType": "t3.medium"})[
        "LaunchTemplate"
    ]["LaunchTemplateId"]
    g = group("no-image", 0)
    g.asg.update_auto_scaling_group(AutoScalingGroupName=g.name, LaunchTemplate={"LaunchTemplateId": template})
    ec2.deregister_image(ImageId=image)
    g.set(1)
    failed = wait_for("a failed activity", lambda: [a for a in g.activities() if a["StatusCode"] == "Failed"])
    assert failed[0]["StatusMessage"] == f"The image id '[{image}]' does not exist. Launching EC2 instance failed."


def test_a_group_with_instances_is_not_deleted(group):
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html"""
    g = group("held", 1)
    g.settle(1)
    refused(lambda: g.asg.delete_auto_scaling_group(AutoScalingGroupName=g.name), "ResourceInUse")


def test_a_deleted_group_is_seen_until_its_instances_are_gone(client, world, launch_template):
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html, ForceDelete"""
    asg = client("autoscaling")
    asg.create_auto_scaling_group(
        AutoScalingGroupName="going",
        MinSize=1,
        MaxSize=1,
        LaunchTemplate={"LaunchTemplateId": launch_template},
        VPCZoneIdentifier=world.subnets[0],
    )
    g = Group(client, "going")
    member = g.settle(1)[0]["InstanceId"]
    asg.delete_auto_scaling_group(AutoScalingGroupName="going", ForceDelete=True)
    assert g.describe()["Status"] == "Delete in progress"
    wait_for("the end", lambda: not asg.describe_auto_scaling_groups(AutoScalingGroupNames=["going"])["AutoScalingGroups"])
    shown = g.ec2.describe_instances(InstanceIds=[member])["Reservations"][0]["Instances"][0]
    assert shown["State"]["Name"] == "terminated"


def test_the_first_group_brings_the_service_linked_role(group, client):
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/autoscaling-service-linked-role.html"""
    group("linked", 0)
    role = client("iam").get_role(RoleName="AWSServiceRoleForAutoScaling")["Role"]
    assert role["Path"] == "/aws-service-role/autoscaling.amazonaws.com/"


def test_activities_of_deleted_groups(world, client):
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeScalingActivities.html, IncludeDeletedGroups"""
    asg = client("autoscaling")
    stack = world.created()
    name = output(stack, "NodeAutoScalingGroup")
    world.delete(stack["StackId"])
    refused(lambda: asg.describe_scaling_activities(AutoScalingGroupName=name), "ValidationError")
    activities = asg.describe_scaling_activities(AutoScalingGroupName=name, IncludeDeletedGroups=True)["Activities"]
    assert len(activities) == 6
    assert {a["AutoScalingGroupState"] for a in activities} == {"Deleted"}


def test_tags_are_changed_and_reach_new_instances(group):
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateOrUpdateTags.html"""
    g = group("tagged", 0)
    tag = {"ResourceId": g.name, "ResourceType": "auto-scaling-group", "Key": "team", "Value": "a", "PropagateAtLaunch": True}
    g.asg.create_or_update_tags(Tags=[tag])
    g.asg.create_or_update_tags(Tags=[{**tag, "Value": "b"}])
    g.set(1)
    instance = g.settle(1)[0]["InstanceId"]
    shown = g.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    assert tags(shown)["team"] == "b"
    refused(lambda: g.asg.create_or_update_tags(Tags=[{**tag, "ResourceId": "nobody"}]), "ValidationError")


def test_mixed_instances(world, client, launch_template):
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-mixed-instances-groups.html"""
    asg, ec2 = client("autoscaling"), client("ec2")
    asg.create_auto_scaling_group(
        AutoScalingGroupName="mixed",
        MinSize=0,
        MaxSize=6,
        DesiredCapacity=3,
        VPCZoneIdentifier=",".join(world.subnets),
        MixedInstancesPolicy={
            "LaunchTemplate": {
                "LaunchTemplateSpecification": {"LaunchTemplateId": launch_template, "Version": "$Latest"},
                "Overrides": [{"InstanceType": "m6i.large"}, {"InstanceType": "m5.large"}],
            },
            "InstancesDistribution": {"OnDemandBaseCapacity": 1, "OnDemandPercentageAboveBaseCapacity": 0},
        },
    )
    g = Group(client, "mixed")
    ids = [i["InstanceId"] for i in g.settle(3)]
    shown = g.describe()["MixedInstancesPolicy"]
    assert [o["InstanceType"] for o in shown["LaunchTemplate"]["Overrides"]] == ["m6i.large", "m5.large"]
    instances = [i for r in ec2.describe_instances(InstanceIds=ids)["Reservations"] for i in r["Instances"]]
    assert {i["InstanceType"] for i in instances} == {"m6i.large"}
    assert sorted(i.get("InstanceLifecycle", "") for i in instances) == ["", "spot", "spot"]
    asg.delete_auto_scaling_group(AutoScalingGroupName="mixed", ForceDelete=True)
    wait_for("no group", lambda: not asg.describe_auto_scaling_groups(AutoScalingGroupNames=["mixed"])["AutoScalingGroups"])


def pool(g: Group) -> list[dict]:
    return g.asg.describe_warm_pool(AutoScalingGroupName=g.name)["Instances"]


def pooled(g: Group, count: int, state: str = "Warmed:Stopped") -> list[dict]:
    """Waits until the pool has so many machines, all in the state."""
    return wait_for(
        f"{count} {state}", lambda: len(pool(g)) == count and {i["LifecycleState"] for i in pool(g)} <= {state} and (pool(g) or True)
    )


def hook(g: Group, name: str, when: str, seconds: int) -> None:
    transition = f"autoscaling:EC2_INSTANCE_{when}"
    g.asg.put_lifecycle_hook(LifecycleHookName=name, AutoScalingGroupName=g.name, LifecycleTransition=transition, HeartbeatTimeout=seconds)


def test_a_warm_pool_is_filled_and_taken_from(group):
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-warm-pools.html"""
    g = group("warm", 1)
    g.settle(1)
    g.asg.put_warm_pool(AutoScalingGroupName="warm", MinSize=1, MaxGroupPreparedCapacity=1)
    first = pooled(g, 1)[0]["InstanceId"]
    shown = g.describe()
    assert (shown["WarmPoolSize"], shown["WarmPoolConfiguration"]["PoolState"]) == (1, "Stopped")
    assert first not in [i["InstanceId"] for i in shown["Instances"]]
    machine = g.ec2.describe_instances(InstanceIds=[first])["Reservations"][0]["Instances"][0]
    assert machine["State"]["Name"] == "stopped" and tags(machine)["aws:autoscaling:groupName"] == "warm"
    assert g.activities()[0]["Description"] == f"Launching a new EC2 instance into warm pool: {first}"
    g.set(2)
    assert first in [i["InstanceId"] for i in g.settle(2)]
    assert f"Launching a new EC2 instance from warm pool: {first}" in [a["Description"] for a in g.activities()]
    second = pooled(g, 1)[0]["InstanceId"]
    assert second != first
    g.asg.delete_warm_pool(AutoScalingGroupName="warm", ForceDelete=True)
    wait_for("no pool", lambda: "WarmPoolConfiguration" not in g.describe())
    assert len(g.members()) == 2


def test_a_warm_pool_is_as_large_as_asked_for(group):
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutWarmPool.html"""
    g = group("sizes", 1, maximum=3)
    g.settle(1)
    g.asg.put_warm_pool(AutoScalingGroupName="sizes", PoolState="Running")  # up to the group's largest size
    pooled(g, 2, "Warmed:Running")
    g.asg.put_warm_pool(AutoScalingGroupName="sizes", MaxGroupPreparedCapacity=2)
    pooled(g, 1, "Warmed:Running")
    g.set(2)
    g.settle(2)
    pooled(g, 0)
    refused(lambda: g.asg.put_warm_pool(AutoScalingGroupName="sizes", MinSize=3, MaxGroupPreparedCapacity=2), "ValidationError")
    refused(lambda: g.asg.describe_warm_pool(AutoScalingGroupName="nobody"), "ValidationError")


def test_spot_and_several_types_take_no_warm_pool(world, client, launch_template):
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-warm-pools.html#warm-pools-limitations"""
    asg = client("autoscaling")
    asg.create_auto_scaling_group(
        AutoScalingGroupName="unpooled",
        MinSize=0,
        MaxSize=1,
        VPCZoneIdentifier=",".join(world.subnets),
        MixedInstancesPolicy={
            "LaunchTemplate": {"LaunchTemplateSpecification": {"LaunchTemplateId": launch_template, "Version": "$Latest"}},
        },
    )
    refused(lambda: asg.put_warm_pool(AutoScalingGroupName="unpooled", MinSize=1), "ValidationError")
    asg.delete_auto_scaling_group(AutoScalingGroupName="unpooled", ForceDelete=True)


def test_lifecycle_hooks_hold_machines(group):
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html"""
    g = group("held", 0)
    hook(g, "in", "LAUNCHING", 7200)
    hook(g, "out", "TERMINATING", 7200)

    def answer(instance: str, name: str, result: str) -> None:
        g.asg.complete_lifecycle_action(
            AutoScalingGroupName="held", LifecycleHookName=name, InstanceId=instance, LifecycleActionResult=result
        )

    g.set(1)
    first = wait_for("one waits", lambda: g.members("Pending:Wait"))[0]["InstanceId"]
    refused(lambda: answer(first, "other", "CONTINUE"), "ValidationError")
    answer(first, "in", "ABANDON")
    wait_for("it ends by way of the other hook", lambda: [i for i in g.members("Terminating:Wait") if i["InstanceId"] == first])
    assert "Cancelled" in [a["StatusCode"] for a in g.activities()]
    answer(first, "out", "CONTINUE")
    second = wait_for("another waits", lambda: [i for i in g.members("Pending:Wait") if i["InstanceId"] != first])[0]["InstanceId"]
    answer(second, "in", "CONTINUE")
    assert [i["InstanceId"] for i in g.settle(1)] == [second]
    hook(g, "out", "TERMINATING", 1)
    g.set(0)
    wait_for("its time is over", lambda: not g.describe()["Instances"])


def test_a_hook_holds_machines_that_warm_up(group):
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/warm-pool-instance-lifecycle.html"""
    g = group("warmheld", 0)
    hook(g, "in", "LAUNCHING", 7200)
    g.asg.put_warm_pool(AutoScalingGroupName="warmheld", MinSize=1, MaxGroupPreparedCapacity=1)
    held = pooled(g, 1, "Warmed:Pending:Wait")[0]["InstanceId"]
    done = {"AutoScalingGroupName": "warmheld", "LifecycleHookName": "in", "InstanceId": held, "LifecycleActionResult": "CONTINUE"}
    g.asg.complete_lifecycle_action(**done)
    pooled(g, 1)
    g.set(1)
    wait_for("it waits once more", lambda: [i for i in g.members("Pending:Wait") if i["InstanceId"] == held])
    g.asg.complete_lifecycle_action(**done)
    g.settle(1)
