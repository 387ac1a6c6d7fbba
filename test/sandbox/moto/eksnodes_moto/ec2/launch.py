"""Launching one instance from a version of a launch template, with everything that it says.

moto's own path drops the instance profile, the metadata options, the key pair of
the template and the volumes of the image; Auto Scaling's and RunInstances' use of
a launch template both come here.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import EC2ClientError

from . import limits


def launch(
    backend: Any,
    version: Any,
    subnet_id: str | None,
    tags: dict[str, str],
    zone: str | None = None,
    instead: dict[str, Any] | None = None,
) -> Any:
    """Launches one instance; version is moto's LaunchTemplateVersion, instead beats its data. Returns moto's Instance."""
    data = {**version.data, **(instead or {})}
    check(backend, data)
    interfaces = data.get("NetworkInterfaces") or []
    first = next((n for n in interfaces if int(n.get("DeviceIndex", 0)) == 0), {})
    groups = list(data.get("SecurityGroupIds") or []) or list(first.get("Groups") or [])
    by_kind = _tag_specifications(data)
    own = {
        **by_kind.get("instance", {}),
        "aws:ec2launchtemplate:id": version.template.id,
        "aws:ec2launchtemplate:version": str(version.number),
        **tags,
    }
    reservation = backend.run_instances(
        data["ImageId"],
        1,
        data.get("UserData"),
        list(data.get("SecurityGroups") or []),
        instance_type=data["InstanceType"],
        is_instance_type_default=False,
        security_group_ids=groups or _default_group(backend, subnet_id),
        key_name=data.get("KeyName"),
        subnet_id=subnet_id or first.get("SubnetId"),
        placement=zone,
        region_name=backend.region_name,
        associate_public_ip=first.get("AssociatePublicIpAddress"),
        metadata_options=data.get("MetadataOptions") or {},
        ebs_optimized=data.get("EbsOptimized", False),
        monitoring_state="enabled" if (data.get("Monitoring") or {}).get("Enabled") else "disabled",
        ipv6_address_count=first.get("Ipv6AddressCount"),
        instance_market_options=(data.get("InstanceMarketOptions") or {}).get("MarketType", ""),
        instance_initiated_shutdown_behavior=data.get("InstanceInitiatedShutdownBehavior"),
        disable_api_termination=data.get("DisableApiTermination", False),
        block_device_mappings=volumes(backend, data),
        tags={"instance": own, "volume": by_kind.get("volume", {})},
    )
    instance = reservation.instances[0]
    for interface in instance.nics.values():
        interface.delete_on_termination = first.get("DeleteOnTermination", True)
        interface.add_tags(by_kind.get("network-interface", {}))
    put_profile(backend, instance, data.get("IamInstanceProfile") or {})
    return instance


def check(backend: Any, data: dict[str, Any]) -> None:
    """Refuses what RunInstances refuses: image, type, key pair, groups, profile."""
    image = data.get("ImageId")
    if not image:
        raise EC2ClientError("MissingParameter", "The request must contain the parameter ImageId")
    if not image.startswith("ami-"):
        raise EC2ClientError("InvalidAMIID.Malformed", f'Invalid id: "{image}" (expecting "ami-...")')
    if image not in backend.amis:
        raise EC2ClientError("InvalidAMIID.NotFound", f"The image id '[{image}]' does not exist")
    limits.vcpus(backend, data.get("InstanceType") or "")
    key = data.get("KeyName")
    if key and key not in backend.key_pairs:
        raise EC2ClientError("InvalidKeyPair.NotFound", f"The key pair '{key}' does not exist")
    for group in data.get("SecurityGroupIds") or []:
        if backend.get_security_group_from_id(group) is None:
            raise EC2ClientError("InvalidGroup.NotFound", f"The security group '{group}' does not exist")
    profile = data.get("IamInstanceProfile") or {}
    if profile:
        find_profile(backend, profile)


def volumes(backend: Any, data: dict[str, Any]) -> list[dict[str, Any]]:
    """The image's mappings with those of the template put over them, by device name."""
    image = backend.amis[data["ImageId"]]
    merged: dict[str, dict[str, Any]] = {}
    for mapping in [*image.block_device_mappings, *(data.get("BlockDeviceMappings") or [])]:
        ebs = mapping.get("Ebs")
        if not ebs:
            merged.pop(mapping["DeviceName"], None)
            continue
        merged[mapping["DeviceName"]] = {**merged.get(mapping["DeviceName"], {}), **ebs}
    return [
        {"DeviceName": name, "Ebs": {"DeleteOnTermination": True, **ebs, "SnapshotId": ebs.get("SnapshotId")}}
        for name, ebs in merged.items()
    ]


def _tag_specifications(data: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {spec["ResourceType"]: {t["Key"]: t["Value"] for t in spec.get("Tags", [])} for spec in data.get("TagSpecifications") or []}


def _default_group(backend: Any, subnet_id: str | None) -> list[str]:
    if not subnet_id:
        return []
    group = backend.get_default_security_group(backend.get_subnet(subnet_id).vpc_id)
    return [group.id] if group else []


def find_profile(backend: Any, profile: dict[str, str]) -> Any:
    from moto.iam.models import iam_backends

    iam = iam_backends[backend.account_id][backend.partition]
    for candidate in iam.get_instance_profiles():
        if candidate.arn == profile.get("Arn") or candidate.name == profile.get("Name"):
            return candidate
    if "Arn" in profile:
        raise EC2ClientError(
            "InvalidParameterValue",
            f"Value ({profile['Arn']}) for parameter iamInstanceProfile.arn is invalid. Invalid IAM Instance Profile ARN",
        )
    raise EC2ClientError(
        "InvalidParameterValue",
        f"Value ({profile.get('Name')}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name",
    )


def put_profile(backend: Any, instance: Any, profile: dict[str, str]) -> None:
    if profile:
        found = find_profile(backend, profile)
        backend.associate_iam_instance_profile(instance_id=instance.id, iam_instance_profile_arn=found.arn)
