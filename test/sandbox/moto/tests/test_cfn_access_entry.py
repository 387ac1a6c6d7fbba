"""CloudFormation: access entries are made in the sandbox's EKS API."""

from __future__ import annotations

from .world import TEMPLATE, output

ENTRY = """
  NodeAccessEntry:
    Type: AWS::EKS::AccessEntry
    Properties:
      ClusterName: !Ref ClusterName
      PrincipalArn: !GetAtt NodeInstanceRole.Arn
      Type: EC2_LINUX

Outputs:
"""
SMALL = {"NodeAutoScalingGroupMinSize": "0", "NodeAutoScalingGroupDesiredCapacity": "0"}


def test_access_entry_lives_and_dies_with_the_stack(world, eks):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-eks-accessentry.html"""
    stack_id = world.create(TEMPLATE.replace("\nOutputs:\n", ENTRY), parameters=SMALL)
    stack = world.wait(stack_id, "CREATE_COMPLETE")
    role = output(stack, "NodeInstanceRole")
    assert (eks.entries[role]["type"], eks.entries[role]["clusterName"]) == ("EC2_LINUX", "demo")
    world.delete(stack_id)
    assert role not in eks.entries


def test_an_entry_that_is_there_already_fails_the_stack_and_stays(world, eks):
    """https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateAccessEntry.html, ResourceInUseException"""
    eks.entries["arn:aws:iam::111122223333:role/shared"] = {"mine": "no"}
    entry = ENTRY.replace("!GetAtt NodeInstanceRole.Arn", "arn:aws:iam::111122223333:role/shared")
    stack_id = world.create(TEMPLATE.replace("\nOutputs:\n", entry), parameters=SMALL)
    world.wait(stack_id, "ROLLBACK_COMPLETE")
    assert "already in use" in " ".join(world.reasons(stack_id))
    assert eks.entries.pop("arn:aws:iam::111122223333:role/shared") == {"mine": "no"}
    world.delete(stack_id)
