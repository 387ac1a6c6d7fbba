"""CloudFormation: creation."""

from __future__ import annotations

import base64

from .world import TEMPLATE, output, tags, wait_for


def test_creation_is_asynchronous_with_events_per_resource(world, sandbox):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html"""
    sandbox.script(seconds={"cfn_step": 1})
    stack_id = world.create()
    assert world.stack(stack_id)["StackStatus"] == "CREATE_IN_PROGRESS"
    sandbox.script()
    world.wait(stack_id, "CREATE_COMPLETE")
    events = world.events(stack_id)
    assert (events[0]["ResourceStatus"], events[0]["ResourceStatusReason"]) == ("CREATE_IN_PROGRESS", "User Initiated")
    of_group = [(e["ResourceStatus"], e.get("ResourceStatusReason")) for e in events if e["LogicalResourceId"] == "NodeGroup"]
    assert of_group == [
        ("CREATE_IN_PROGRESS", None),
        ("CREATE_IN_PROGRESS", "Resource creation Initiated"),
        ("CREATE_COMPLETE", None),
    ]
    assert events[-1]["LogicalResourceId"] == world.stack(stack_id)["StackName"]
    assert len({e["EventId"] for e in events}) == len(events)
    times = [e["Timestamp"] for e in events]
    assert times == sorted(times) and len(set(times)) == len(times)
    world.delete(stack_id)


def test_instances_have_what_the_launch_template_says(world, client):
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/launch-templates.html"""
    stack = world.created()
    assert len({i["SubnetId"] for i in world.instances_of(stack)}) == 3
    wait_for("three running", lambda: len(world.instances_of(stack, "running")) == 3)
    instance = world.instances_of(stack, "running")[0]
    assert ":instance-profile/eksnodes/" in instance["IamInstanceProfile"]["Arn"]
    assert {g["GroupId"] for g in instance["SecurityGroups"]} == {output(stack, "NodeSecurityGroup"), world.control_plane_group}
    assert instance["MetadataOptions"]["HttpTokens"] == "required"
    assert instance["MetadataOptions"]["HttpPutResponseHopLimit"] == 2
    assert tags(instance) == {
        "Name": "demo-nodes-Node",
        "kubernetes.io/cluster/demo": "owned",
        "aws:autoscaling:groupName": output(stack, "NodeAutoScalingGroup"),
        "aws:cloudformation:stack-name": stack["StackName"],
        "aws:cloudformation:stack-id": stack["StackId"],
        "aws:cloudformation:logical-id": "NodeGroup",
        "aws:ec2launchtemplate:id": tags(instance)["aws:ec2launchtemplate:id"],
        "aws:ec2launchtemplate:version": "1",
    }
    data = client("ec2").describe_instance_attribute(InstanceId=instance["InstanceId"], Attribute="userData")["UserData"]["Value"]
    text = base64.b64decode(data).decode()
    assert "cluster: {name: demo}" in text and "keep: ${literal}" in text
    volume = client("ec2").describe_volumes(VolumeIds=[instance["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]])["Volumes"][0]
    assert (volume["Size"], volume["VolumeType"], volume["Encrypted"]) == (20, "gp3", True)
    assert tags(volume) == {"Name": "demo-nodes-Volume"}
    shown = client("ec2").describe_launch_template_versions(LaunchTemplateId=tags(instance)["aws:ec2launchtemplate:id"])
    version = shown["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    assert version["UserData"] == data
    assert version["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"] == 20
    assert version["IamInstanceProfile"]["Arn"] == instance["IamInstanceProfile"]["Arn"]
    world.delete(stack["StackId"])


def test_deletion_is_asynchronous_and_leaves_nothing(world, client, sandbox):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html"""
    stack = world.created()
    sandbox.script(seconds={"cfn_step": 1})
    client("cloudformation").delete_stack(StackName=stack["StackId"])
    assert world.stack(stack["StackId"])["StackStatus"] == "DELETE_IN_PROGRESS"
    sandbox.script()
    gone = world.wait(stack["StackId"], "DELETE_COMPLETE")
    assert gone["DeletionTime"]
    assert not world.instances_of(stack, "pending", "running")
    control_plane = client("ec2").describe_security_groups(GroupIds=[world.control_plane_group])["SecurityGroups"][0]
    rules = control_plane["IpPermissions"] + control_plane["IpPermissionsEgress"]
    assert output(stack, "NodeSecurityGroup") not in {pair["GroupId"] for rule in rules for pair in rule["UserIdGroupPairs"]}
    statuses = [e["ResourceStatus"] for e in world.events(stack["StackId"]) if e["LogicalResourceId"] == "NodeGroup"]
    assert statuses[-2:] == ["DELETE_IN_PROGRESS", "DELETE_COMPLETE"]


def test_a_key_pair_reaches_the_instances(world, client):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html"""
    client("ec2").create_key_pair(KeyName="mine", KeyType="ed25519")
    typed = TEMPLATE.replace('  KeyName:\n    Type: String\n    Default: ""', "  KeyName:\n    Type: AWS::EC2::KeyPair::KeyName")
    assert typed != TEMPLATE
    stack_id = world.create(typed, parameters={"KeyName": "mine"})
    stack = world.wait(stack_id, "CREATE_COMPLETE")
    assert {i["KeyName"] for i in world.instances_of(stack)} == {"mine"}
    world.delete(stack_id)
    lost = world.create(typed, parameters={"KeyName": "nobody"})
    world.wait(lost, "ROLLBACK_COMPLETE")
    world.delete(lost)


def test_a_mixed_group(world):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-autoscaling-autoscalinggroup.html"""
    plain = """      LaunchTemplate:
        LaunchTemplateId: !Ref NodeLaunchTemplate
        Version: !GetAtt NodeLaunchTemplate.LatestVersionNumber
"""
    mixed = """      MixedInstancesPolicy:
        LaunchTemplate:
          LaunchTemplateSpecification:
            LaunchTemplateId: !Ref NodeLaunchTemplate
            Version: !GetAtt NodeLaunchTemplate.LatestVersionNumber
          Overrides: [{InstanceType: m6i.large}, {InstanceType: m5.large}]
        InstancesDistribution: {OnDemandBaseCapacity: "1", OnDemandPercentageAboveBaseCapacity: 0}
"""
    assert plain in TEMPLATE
    stack = world.wait(world.create(TEMPLATE.replace(plain, mixed)), "CREATE_COMPLETE")
    group = world.group_of(stack)
    assert group["MixedInstancesPolicy"]["InstancesDistribution"]["OnDemandBaseCapacity"] == 1
    instances = world.instances_of(stack)
    assert {i["InstanceType"] for i in instances} == {"m6i.large"}
    assert sum(i.get("InstanceLifecycle") == "spot" for i in instances) == len(instances) - 1
    world.delete(stack["StackId"])


def test_metrics_of_a_group(world):
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_EnableMetricsCollection.html"""
    place = "      LaunchTemplate:\n        LaunchTemplateId: !Ref NodeLaunchTemplate\n"
    assert TEMPLATE.count(place) == 1
    asked = TEMPLATE.replace(place, "      MetricsCollection: [{Granularity: 1Minute}]\n" + place)
    stack = world.wait(world.create(asked), "CREATE_COMPLETE")
    shown = world.group_of(stack)["EnabledMetrics"]
    assert {m["Granularity"] for m in shown} == {"1Minute"} and len(shown) == 20
    assert {"GroupInServiceInstances", "WarmPoolWarmedCapacity"} < {m["Metric"] for m in shown}
    world.delete(stack["StackId"])
    lost = world.create(asked.replace("1Minute", "5Minute"))
    world.wait(lost, "ROLLBACK_COMPLETE")
    world.delete(lost)


def test_hooks_and_a_warm_pool_of_a_stack(world, client):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-autoscaling-warmpool.html"""
    asg = client("autoscaling")
    place = "      LaunchTemplate:\n        LaunchTemplateId: !Ref NodeLaunchTemplate\n"
    hook = (
        "      LifecycleHookSpecificationList:\n        - {LifecycleHookName: out, "
        "LifecycleTransition: 'autoscaling:EC2_INSTANCE_TERMINATING', HeartbeatTimeout: '30', DefaultResult: CONTINUE}\n"
    )
    resource = (
        "  NodeWarmPool:\n    Type: AWS::AutoScaling::WarmPool\n"
        "    Properties: {AutoScalingGroupName: !Ref NodeGroup, MinSize: '1', MaxGroupPreparedCapacity: 1}\n"
    )
    assert TEMPLATE.count(place) == 1 and TEMPLATE.count("\nResources:\n") == 1
    asked = TEMPLATE.replace(place, hook + place).replace("\nResources:\n", "\nResources:\n" + resource)
    stack = world.wait(world.create(asked), "CREATE_COMPLETE")
    name = output(stack, "NodeAutoScalingGroup")
    shown = asg.describe_lifecycle_hooks(AutoScalingGroupName=name)["LifecycleHooks"]
    assert [(h["LifecycleHookName"], h["HeartbeatTimeout"], h["DefaultResult"]) for h in shown] == [("out", 30, "CONTINUE")]
    warm = wait_for("a warm one", lambda: asg.describe_warm_pool(AutoScalingGroupName=name)["Instances"])[0]["InstanceId"]
    asg.delete_lifecycle_hook(AutoScalingGroupName=name, LifecycleHookName="out")  # or the end takes its time
    world.delete(stack["StackId"])
    ended = client("ec2").describe_instances(InstanceIds=[warm])["Reservations"][0]["Instances"][0]
    assert ended["State"]["Name"] in ("shutting-down", "terminated")
