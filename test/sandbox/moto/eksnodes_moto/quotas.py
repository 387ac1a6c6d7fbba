"""Service Quotas: the vCPU quota of On-Demand Standard instances.

https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html
"""

from __future__ import annotations

from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult, BaseResponse

from .ec2 import limits
from .patching import Patcher


class NoSuchResource(JsonRESTError):
    def __init__(self, what: str) -> None:
        super().__init__("NoSuchResourceException", f"The request failed because {what} does not exist.")


class ServiceQuotas(BaseResponse):
    """moto knows no quota of EC2."""

    def __init__(self) -> None:
        super().__init__(service_name="service-quotas")
        self.automated_parameter_parsing = True

    def get_service_quota(self) -> ActionResult:
        return ActionResult({"Quota": self._find(limits.quota())})

    def get_aws_default_service_quota(self) -> ActionResult:
        return ActionResult({"Quota": self._find(limits.DEFAULT_VALUE)})

    def list_service_quotas(self) -> ActionResult:
        self._only_ec2()
        return ActionResult({"Quotas": [self._quota(limits.quota())]})

    def _find(self, value: float) -> dict[str, Any]:
        self._only_ec2()
        code = self._get_param("QuotaCode")
        if code != limits.STANDARD_QUOTA:
            raise NoSuchResource(f"the quota {code}")
        return self._quota(value)

    def _only_ec2(self) -> None:
        service = self._get_param("ServiceCode")
        if service != "ec2":
            raise NotImplementedError(f"quotas of the service {service}")

    def _quota(self, value: float) -> dict[str, Any]:
        return {
            "ServiceCode": "ec2",
            "ServiceName": "Amazon Elastic Compute Cloud (Amazon EC2)",
            "QuotaArn": f"arn:{self.partition}:servicequotas:{self.region}:{self.current_account}:ec2/{limits.STANDARD_QUOTA}",
            "QuotaCode": limits.STANDARD_QUOTA,
            "QuotaName": "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances",
            "Value": value,
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
        }


def apply(patcher: Patcher) -> None:
    from moto.servicequotas import urls

    patcher.rely(urls, "url_paths")
    urls.url_paths = {"{0}/$": ServiceQuotas.dispatch}
