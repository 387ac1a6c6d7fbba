"""EC2: validation, states, filters, images; SSM: public parameters."""

from __future__ import annotations

import pytest

from .test_cfn_checks import refused
from .world import wait_for

STANDARD = "/aws/service/eks/optimized-ami/{}/amazon-linux-2023/{}/{}/recommended/{}"


@pytest.fixture(scope="module")
def image(client) -> str:
    return client("ssm").get_parameter(Name=STANDARD.format("1.34", "x86_64", "standard", "image_id"))["Parameter"]["Value"]


def run(client, world, **more):
    given = {"InstanceType": "t3.medium", "MinCount": 1, "MaxCount": 1, "SubnetId": world.subnets[0], **more}
    return client("ec2").run_instances(**given)["Instances"][0]["InstanceId"]


def described(client, instance: str) -> dict:
    return client("ec2").describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"ImageId": "ami-0123456789abcdef0"}, "InvalidAMIID.NotFound"),
        ({"ImageId": "nonsense"}, "InvalidAMIID.Malformed"),
        ({"InstanceType": "t9.huge"}, "InvalidParameterValue"),
        ({"KeyName": "nobody"}, "InvalidKeyPair.NotFound"),
        ({"SecurityGroupIds": ["sg-0123456789abcdef0"]}, "InvalidGroup.NotFound"),
        ({"SubnetId": "subnet-0123456789abcdef0"}, "InvalidSubnetID.NotFound"),
    ],
)
def test_run_instances_is_validated(client, world, image, wrong, code):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html"""
    refused(lambda: run(client, world, **{"ImageId": image, **wrong}), code)


def test_states_take_time(client, world, image, sandbox):
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html"""
    ec2 = client("ec2")
    sandbox.script(seconds={"ec2_pending": 2, "ec2_stopping": 2})
    instance = run(client, world, ImageId=image)

    def state() -> str:
        return described(client, instance)["State"]["Name"]

    assert state() == "pending"
    wait_for("running", lambda: state() == "running")
    ec2.stop_instances(InstanceIds=[instance])
    assert state() == "stopping"
    wait_for("stopped", lambda: state() == "stopped")
    ec2.start_instances(InstanceIds=[instance])
    assert state() == "pending"
    wait_for("running", lambda: state() == "running")
    ec2.terminate_instances(InstanceIds=[instance])
    assert state() == "shutting-down"
    wait_for("terminated", lambda: state() == "terminated")
    interfaces = ec2.describe_network_interfaces(Filters=[{"Name": "attachment.instance-id", "Values": [instance]}])
    assert interfaces["NetworkInterfaces"] == []


def test_run_instances_takes_all_of_a_launch_template(client, world, image):
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/launch-instances-from-launch-template.html"""
    iam, ec2 = client("iam"), client("ec2")
    arn = iam.create_instance_profile(InstanceProfileName="direct")["InstanceProfile"]["Arn"]
    template = ec2.create_launch_template(
        LaunchTemplateName="whole",
        LaunchTemplateData={
            "ImageId": image,
            "InstanceType": "t3.medium",
            "IamInstanceProfile": {"Arn": arn},
            "MetadataOptions": {"HttpTokens": "required"},
        },
    )["LaunchTemplate"]["LaunchTemplateId"]
    answer = ec2.run_instances(LaunchTemplate={"LaunchTemplateId": template}, MinCount=1, MaxCount=1, SubnetId=world.subnets[0])
    shown = described(client, answer["Instances"][0]["InstanceId"])
    assert shown["IamInstanceProfile"]["Arn"] == arn
    assert shown["MetadataOptions"]["HttpTokens"] == "required"
    ec2.terminate_instances(InstanceIds=[shown["InstanceId"]])


def test_the_profile_given_last_is_shown(client, world, image):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceIamInstanceProfileAssociation.html"""
    iam, ec2 = client("iam"), client("ec2")
    first, second = (iam.create_instance_profile(InstanceProfileName=n)["InstanceProfile"] for n in ("first", "second"))
    instance = run(client, world, ImageId=image)
    assert "IamInstanceProfile" not in described(client, instance)
    associated = ec2.associate_iam_instance_profile(InstanceId=instance, IamInstanceProfile={"Arn": first["Arn"]})
    shown = described(client, instance)["IamInstanceProfile"]
    assert shown == {"Arn": first["Arn"], "Id": first["InstanceProfileId"]}
    association = associated["IamInstanceProfileAssociation"]["AssociationId"]
    ec2.replace_iam_instance_profile_association(AssociationId=association, IamInstanceProfile={"Name": "second"})
    shown = described(client, instance)["IamInstanceProfile"]
    assert shown == {"Arn": second["Arn"], "Id": second["InstanceProfileId"]}


def test_a_full_subnet_takes_no_more(client, world, image):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html"""
    ec2 = client("ec2")
    small = ec2.create_subnet(VpcId=world.vpc, CidrBlock="10.20.240.0/28", AvailabilityZone="us-west-2a")["Subnet"]["SubnetId"]
    started = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=11, MaxCount=11, SubnetId=small)["Instances"]
    refused(lambda: run(client, world, ImageId=image, SubnetId=small), "InsufficientFreeAddressesInSubnet")
    ec2.terminate_instances(InstanceIds=[i["InstanceId"] for i in started])
    wait_for("free addresses", lambda: ec2.describe_subnets(SubnetIds=[small])["Subnets"][0]["AvailableIpAddressCount"] == 11)


def test_unknown_filters_are_refused(client):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html, Filter"""
    ec2 = client("ec2")
    for call in (ec2.describe_instances, ec2.describe_subnets, ec2.describe_security_groups, ec2.describe_images):
        assert (
            refused(lambda c=call: c(Filters=[{"Name": "nonsense", "Values": ["x"]}]), "InvalidParameterValue")
            == "The filter 'nonsense' is invalid"
        )
    assert ec2.describe_instances(Filters=[{"Name": "tag:no:such", "Values": ["x"]}])["Reservations"] == []


def test_what_is_not_found_is_named(client, world):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html"""
    ec2 = client("ec2")
    text = refused(
        lambda: ec2.describe_security_groups(GroupIds=[world.control_plane_group, "sg-0123456789abcdef0"]), "InvalidGroup.NotFound"
    )
    assert text == "The security group 'sg-0123456789abcdef0' does not exist"
    assert refused(lambda: ec2.describe_key_pairs(KeyNames=["nobody"]), "InvalidKeyPair.NotFound") == "The key pair 'nobody' does not exist"


def test_security_groups_in_use_are_kept(client, world):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html"""
    ec2 = client("ec2")
    group = ec2.create_security_group(GroupName="used", Description="d", VpcId=world.vpc)["GroupId"]
    interface = ec2.create_network_interface(SubnetId=world.subnets[0], Groups=[group])["NetworkInterface"]["NetworkInterfaceId"]
    refused(lambda: ec2.delete_security_group(GroupId=group), "DependencyViolation")
    ec2.delete_network_interface(NetworkInterfaceId=interface)
    ec2.delete_security_group(GroupId=group)
    default = ec2.describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [world.vpc]}, {"Name": "group-name", "Values": ["default"]}]
    )
    refused(lambda: ec2.delete_security_group(GroupId=default["SecurityGroups"][0]["GroupId"]), "CannotDelete")


@pytest.mark.parametrize("minor", ["1.33", "1.34", "1.35"])
@pytest.mark.parametrize(
    "architecture, variant", [("x86_64", "standard"), ("arm64", "standard"), ("x86_64", "nvidia"), ("arm64", "nvidia")]
)
def test_eks_optimized_images(client, minor, architecture, variant):
    """https://docs.aws.amazon.com/eks/latest/userguide/retrieve-ami-id.html"""
    ssm = client("ssm")
    found = {
        leaf: ssm.get_parameter(Name=STANDARD.format(minor, architecture, variant, leaf))["Parameter"]
        for leaf in ("image_id", "image_name", "release_version")
    }
    shown = client("ec2").describe_images(ImageIds=[found["image_id"]["Value"]])["Images"][0]
    assert (shown["Name"], shown["Architecture"]) == (found["image_name"]["Value"], architecture)
    assert (shown["OwnerId"], shown["ImageOwnerAlias"], shown["RootDeviceName"]) == ("602401143452", "amazon", "/dev/xvda")
    assert found["release_version"]["Value"].startswith(f"{minor}.")
    assert found["image_id"]["DataType"] == "aws:ec2:image" and found["image_id"]["Version"] >= 1
    assert found["image_id"]["ARN"] == "arn:aws:ssm:us-west-2::parameter" + STANDARD.format(minor, architecture, variant, "image_id")


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_bottlerocket_images(client, architecture):
    """https://docs.aws.amazon.com/eks/latest/userguide/retrieve-ami-id-bottlerocket.html"""
    ssm = client("ssm")
    root = f"/aws/service/bottlerocket/aws-k8s-1.34/{architecture}/latest"
    image = ssm.get_parameter(Name=f"{root}/image_id")["Parameter"]["Value"]
    version = ssm.get_parameter(Name=f"{root}/image_version")["Parameter"]["Value"]
    shown = client("ec2").describe_images(ImageIds=[image])["Images"][0]
    assert shown["Name"] == f"bottlerocket-aws-k8s-1.34-{architecture}-v{version}"
    assert [m["DeviceName"] for m in shown["BlockDeviceMappings"]] == ["/dev/xvda", "/dev/xvdb"]


def test_the_newest_image_can_be_told(client):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Image.html, CreationDate"""
    images = client("ec2").describe_images(
        Owners=["602401143452"], Filters=[{"Name": "name", "Values": ["amazon-eks-node-al2023-x86_64-standard-1.34-v*"]}]
    )["Images"]
    newest = max(images, key=lambda i: i["CreationDate"])
    assert len(images) == 2 and newest["Name"].endswith("-v20261112")


def test_unknown_parameters_are_not_found(client):
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html"""
    refused(lambda: client("ssm").get_parameter(Name=STANDARD.format("1.12", "x86_64", "standard", "image_id")), "ParameterNotFound")
    assert client("ssm").get_parameters_by_path(Path="/aws/service/eks/optimized-ami/1.34", Recursive=True)["Parameters"]
