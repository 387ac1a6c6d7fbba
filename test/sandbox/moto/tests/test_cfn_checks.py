"""CloudFormation: what CreateStack refuses before it begins."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from .world import TEMPLATE


def refused(call, code: str) -> str:
    with pytest.raises(ClientError) as e:
        call()
    assert e.value.response["Error"]["Code"] == code, e.value
    return e.value.response["Error"]["Message"]


def test_missing_capability_is_named(world):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html, Capabilities"""
    text = refused(lambda: world.create(Capabilities=[]), "InsufficientCapabilitiesException")
    assert text == "Requires capabilities : [CAPABILITY_IAM]"


def test_named_role_needs_the_named_capability(world):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html, Capabilities"""
    named = TEMPLATE.replace("      Path: /eksnodes/\n      AssumeRole", "      RoleName: nodes\n      Path: /eksnodes/\n      AssumeRole")
    assert named != TEMPLATE
    text = refused(lambda: world.create(named), "InsufficientCapabilitiesException")
    assert text == "Requires capabilities : [CAPABILITY_NAMED_IAM]"


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("Nonsense", "1", "do not exist in the template"),
        ("DisableIMDSv1", "maybe", "must be one of AllowedValues"),
        ("AccessMode", "API", "must be one of AllowedValues"),
        ("ClusterName", "", "at least 1 characters"),
        ("NodeGroupName", "Upper", "does not match the AllowedPattern"),
        ("NodeVolumeSize", "0", "not less than 1"),
        ("NodeVolumeSize", "99999", "not greater than 16384"),
        ("NodeVolumeSize", "big", "must be a number"),
        ("NodeImageId", "x" * 31, "at most 30 characters"),
    ],
)
def test_parameters_are_checked(world, key, value, says):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html"""
    assert says in refused(lambda: world.create(parameters={key: value}), "ValidationError")


def test_missing_parameter_is_named(world, client):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html"""
    text = refused(
        lambda: client("cloudformation").create_stack(
            StackName=world.name(), TemplateBody=TEMPLATE, Capabilities=["CAPABILITY_IAM"], Parameters=world.parameters()[1:]
        ),
        "ValidationError",
    )
    assert text == "Parameters: [ClusterName] must have values"


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("Resources: [", "not well-formed"),
        ('{"Resources": ', "JSON not well-formed"),
        ("Parameters: {}", "At least one Resources member"),
        ("Resources: {A: {Properties: {}}}", "must contain a Type"),
        ("Resources: {A: {Type: Nonsense}}", "Unrecognized resource types: [Nonsense]"),
        (
            "Resources: {A: {Type: AWS::IAM::InstanceProfile, Properties: {Roles: [!Ref B]}}}",
            "Unresolved resource dependencies [B]",
        ),
        (
            "Resources: {A: {Type: AWS::IAM::InstanceProfile, Properties: {Roles: [!GetAtt B.Nonsense]}}, B: {Type: AWS::IAM::Role}}",
            "resource B does not support attribute type Nonsense in Fn::GetAtt",
        ),
        ("Resources: {A: {Type: AWS::IAM::Role, Propertys: {}}}", "Invalid template resource property 'Propertys'"),
        (
            "Resources: {A: {Type: AWS::IAM::InstanceProfile, DependsOn: B}, B: {Type: AWS::IAM::InstanceProfile, DependsOn: A}}",
            "Circular dependency between resources: [A, B]",
        ),
    ],
)
def test_bad_templates_are_refused(world, client, template, says):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html"""
    call = lambda: client("cloudformation").create_stack(  # noqa: E731
        StackName=world.name(), TemplateBody=template, Capabilities=["CAPABILITY_IAM"]
    )
    assert says in refused(call, "ValidationError")


def test_bad_stack_name_is_refused(world):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html, StackName"""
    refused(lambda: world.create(StackName="1-starts-with-a-digit"), "ValidationError")


def test_the_same_token_returns_the_same_stack(world):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html, ClientRequestToken"""
    name = world.name()
    first = world.create(StackName=name, ClientRequestToken="token-1")
    assert world.create(StackName=name, ClientRequestToken="token-1") == first
    refused(lambda: world.create(StackName=name, ClientRequestToken="token-2"), "AlreadyExistsException")
    refused(lambda: world.create(StackName=name), "AlreadyExistsException")
    world.wait(first, "CREATE_COMPLETE")
    assert {e["ClientRequestToken"] for e in world.events(first)} == {"token-1"}
    world.delete(first)


def test_template_summary_tells_what_to_give(client):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplateSummary.html"""
    told = client("cloudformation").get_template_summary(TemplateBody=TEMPLATE)
    parameters = {p["ParameterKey"]: p for p in told["Parameters"]}
    assert parameters["DisableIMDSv1"]["DefaultValue"] == "true"
    assert parameters["DisableIMDSv1"]["ParameterConstraints"] == {"AllowedValues": ["false", "true"]}
    assert parameters["Subnets"]["ParameterType"] == "List<AWS::EC2::Subnet::Id>"
    assert "DefaultValue" not in parameters["ClusterName"]
    assert told["Capabilities"] == ["CAPABILITY_IAM"]
    assert told["CapabilitiesReason"] == "The following resource(s) require capabilities: [AWS::IAM::InstanceProfile, AWS::IAM::Role]"
    assert "AWS::EC2::SecurityGroupEgress" in told["ResourceTypes"]
    assert told["Version"] == "2010-09-09"


def test_template_summary_reads_a_bucket(client):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplateSummary.html, TemplateURL"""
    s3 = client("s3")
    s3.create_bucket(Bucket="templates", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket="templates", Key="group.yaml", Body=TEMPLATE.encode())
    url = "https://templates.s3.us-west-2.amazonaws.com/group.yaml"
    assert client("cloudformation").get_template_summary(TemplateURL=url)["Capabilities"] == ["CAPABILITY_IAM"]
    refused(lambda: client("cloudformation").get_template_summary(TemplateURL="https://no.s3.us-west-2.amazonaws.com/x"), "ValidationError")
