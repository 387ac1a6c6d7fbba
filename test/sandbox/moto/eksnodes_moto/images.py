"""The images of the sandbox, and the SSM public parameters that name them.

data/amis.json is written from this table (python -m eksnodes_moto.images), so
that ids, names and parameters agree. Two releases of each family: "newest" means
something.
"""

from __future__ import annotations

import hashlib
import json
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

EKS_OWNER = "602401143452"
BOTTLEROCKET_OWNER = "092701018921"
AMAZON_OWNER = "137112412989"

KUBERNETES = {"1.33": "1.33.8", "1.34": "1.34.4", "1.35": "1.35.1"}
EKS_RELEASES = ("20261008", "20261112")  # the last is recommended
BOTTLEROCKET_RELEASES = ("1.51.0-1f8d3ab2", "1.52.0-4e0e6a1e")
AL2_KUBERNETES = ("1.32", "1.32.9", "20251120")  # the last AL2 images
AL2023_VARIANTS = (("x86_64", "standard"), ("x86_64", "nvidia"), ("x86_64", "neuron"), ("arm64", "standard"), ("arm64", "nvidia"))
BOTTLEROCKET_DATES = ("2026-10-09T17:02:11.000Z", "2026-11-13T18:40:05.000Z")


@dataclass(frozen=True)
class Image:
    name: str
    owner: str
    architecture: str
    created: str
    description: str
    parameters: tuple[tuple[str, str], ...]  # SSM name, value; {id} stands for the image id

    @property
    def id(self) -> str:
        return "ami-0" + hashlib.sha256(self.name.encode()).hexdigest()[:16]


def all_images() -> list[Image]:
    return [*_al2023(), *_bottlerocket(), *_plain()]


def parameters() -> dict[str, str]:
    """SSM public parameters: name -> value."""
    return {name: value.format(id=image.id) for image in all_images() for name, value in image.parameters}


def _al2023() -> Iterator[Image]:
    for minor, full in KUBERNETES.items():
        for architecture, variant in AL2023_VARIANTS:
            for release in EKS_RELEASES:
                name = f"amazon-eks-node-al2023-{architecture}-{variant}-{minor}-v{release}"
                root = f"/aws/service/eks/optimized-ami/{minor}/amazon-linux-2023/{architecture}/{variant}"
                folders = [f"{root}/{name}"] + ([f"{root}/recommended"] if release == EKS_RELEASES[-1] else [])
                yield Image(
                    name,
                    EKS_OWNER,
                    architecture,
                    f"{release[:4]}-{release[4:6]}-{release[6:]}T06:21:44.000Z",
                    f"EKS-optimized Kubernetes node based on Amazon Linux 2023, (k8s: {full}, containerd: 2.1.*)",
                    _eks_parameters(folders, name, f"{full}-{release}"),
                )


def _eks_parameters(folders: list[str], name: str, release_version: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (f"{folder}/{leaf}", value)
        for folder in folders
        for leaf, value in (("image_id", "{id}"), ("image_name", name), ("release_version", release_version))
    )


def _bottlerocket() -> Iterator[Image]:
    for minor in KUBERNETES:
        for variant in (f"aws-k8s-{minor}", f"aws-k8s-{minor}-nvidia"):
            for architecture in ("x86_64", "arm64"):
                for release, created in zip(BOTTLEROCKET_RELEASES, BOTTLEROCKET_DATES, strict=True):
                    root = f"/aws/service/bottlerocket/{variant}/{architecture}"
                    folders = [f"{root}/{release.split('-')[0]}", f"{root}/{release}"]
                    if release == BOTTLEROCKET_RELEASES[-1]:
                        folders.append(f"{root}/latest")
                    yield Image(
                        f"bottlerocket-{variant}-{architecture}-v{release}",
                        BOTTLEROCKET_OWNER,
                        architecture,
                        created,
                        f"Bottlerocket {variant} {architecture} {release}",
                        tuple((f"{f}/{leaf}", v) for f in folders for leaf, v in (("image_id", "{id}"), ("image_version", release))),
                    )


def _plain() -> Iterator[Image]:
    for architecture in ("x86_64", "arm64"):
        yield Image(
            f"al2023-ami-2023.9.20261105.0-kernel-6.1-{architecture}",
            AMAZON_OWNER,
            architecture,
            "2026-11-05T01:15:09.000Z",
            "Amazon Linux 2023 AMI",
            ((f"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.1-{architecture}", "{id}"),),
        )
    minor, full, release = AL2_KUBERNETES
    for kind, architecture in (("", "x86_64"), ("arm64-", "arm64"), ("gpu-", "x86_64")):
        name = f"amazon-eks-{kind or ''}node-{minor}-v{release}"
        family = "amazon-linux-2" + (f"-{kind[:-1]}" if kind else "")
        folder = f"/aws/service/eks/optimized-ami/{minor}/{family}/recommended"
        yield Image(
            name,
            EKS_OWNER,
            architecture,
            "2025-11-20T08:00:31.000Z",
            f"EKS Kubernetes Worker AMI with AmazonLinux2 image, (k8s: {full}, containerd: 1.7.*)",
            _eks_parameters([folder], name, f"{full}-{release}"),
        )


def moto_entry(image: Image) -> dict[str, object]:
    """The image as moto's AMI list wants it."""
    return {
        "ami_id": image.id,
        "name": image.name,
        "description": image.description,
        "owner_id": image.owner,
        "owner_alias": "amazon",
        "public": True,
        "state": "available",
        "architecture": image.architecture,
        "image_type": "machine",
        "image_location": f"amazon/{image.name}",
        "root_device_name": "/dev/xvda",
        "root_device_type": "ebs",
        "virtualization_type": "hvm",
        "hypervisor": "xen",
        "sriov": "simple",
        "boot_mode": "uefi-preferred",
        "creation_date": image.created,
    }


if __name__ == "__main__":
    path = pathlib.Path(__file__).with_name("data") / "amis.json"
    path.write_text(json.dumps([moto_entry(i) for i in all_images()], indent=1) + "\n", encoding="utf-8")
