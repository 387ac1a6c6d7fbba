"""AWS::EC2::LaunchTemplate."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.utils import convert_tag_spec, parse_user_data

from .base import REPLACE, Context, Made
from .shapes import coerce


class LaunchTemplateHandler:
    type = "AWS::EC2::LaunchTemplate"
    required = frozenset({"LaunchTemplateData"})
    attributes = frozenset({"DefaultVersionNumber", "LatestVersionNumber", "LaunchTemplateId"})
    properties = frozenset({"LaunchTemplateData", "LaunchTemplateName", "TagSpecifications", "VersionDescription"})

    def create(self, ctx: Context, properties: dict[str, Any]) -> Made:
        name = properties.get("LaunchTemplateName") or f"{ctx.logical_id}_{ctx.generated_name().rsplit('-', 1)[1]}"
        tags = convert_tag_spec(properties.get("TagSpecifications", [])).get("launch-template", {})
        template = ec2_backends[ctx.account][ctx.region].create_launch_template(
            name,
            properties.get("VersionDescription"),
            self._data(properties),
            {"launch-template": {**ctx.system_tags(), **ctx.stack_tags, **tags}},
        )
        return self._made(template)

    def settled(self, ctx: Context, physical_id: str) -> bool:
        return True

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Any:
        if old.get("LaunchTemplateName") != new.get("LaunchTemplateName"):
            return REPLACE
        template = ec2_backends[ctx.account][ctx.region].get_launch_template(physical_id)
        if old.get("LaunchTemplateData") != new.get("LaunchTemplateData"):
            template.create_version(self._data(new), new.get("VersionDescription"))
        return self._made(template)

    def delete(self, ctx: Context, physical_id: str, properties: dict[str, Any]) -> bool:
        backend = ec2_backends[ctx.account][ctx.region]
        if physical_id in backend.launch_templates:
            backend.delete_launch_template("", physical_id)
        return True

    def _data(self, properties: dict[str, Any]) -> dict[str, Any]:
        data = coerce("ec2", "RequestLaunchTemplateData", properties["LaunchTemplateData"])
        if "UserData" in data:
            data["UserData"] = parse_user_data(data["UserData"])
        return data

    def _made(self, template: Any) -> Made:
        return Made(
            template.id,
            {
                "LaunchTemplateId": template.id,
                "DefaultVersionNumber": str(template.default_version_number),
                "LatestVersionNumber": str(template.latest_version_number),
            },
        )
