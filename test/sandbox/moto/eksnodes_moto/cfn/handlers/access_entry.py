"""AWS::EKS::AccessEntry, made through the sandbox's EKS API, which lives outside moto.

That API may ask moto something while it answers: the call is made on another
thread, so that moto's lock is free, and looked after once a step.
"""

from __future__ import annotations

import os
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from ...server import NotInSandbox
from ..errors import ResourceFailure
from .base import REPLACE, Context, Made

ENDPOINT = "EKSNODES_EKS_ENDPOINT"
KEY_ID, SECRET = "EKSNODES_EKS_ACCESS_KEY_ID", "EKSNODES_EKS_SECRET_ACCESS_KEY"


class AccessEntryHandler:
    type = "AWS::EKS::AccessEntry"
    attributes: frozenset[str] = frozenset()
    properties = frozenset({"ClusterName", "KubernetesGroups", "PrincipalArn", "Tags", "Type", "Username"})
    required = frozenset({"ClusterName", "PrincipalArn"})

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="access entry")
        self._calls: dict[tuple[str, str], Future[Any]] = {}
        self._not_ours: set[tuple[str, str]] = set()  # creation failed: nothing of ours to delete

    def create(self, ctx: Context, properties: dict[str, Any]) -> Made:
        names = {"KubernetesGroups": "kubernetesGroups", "Type": "type", "Username": "username"}
        arguments = {api: properties[cfn] for cfn, api in names.items() if cfn in properties}
        arguments |= {"clusterName": properties["ClusterName"], "principalArn": properties["PrincipalArn"]}
        arguments["tags"] = {t["Key"]: t["Value"] for t in properties.get("Tags", [])} | ctx.stack_tags
        self._begin(ctx, "create_access_entry", arguments)
        return Made(f"{properties['PrincipalArn']}|{properties['ClusterName']}")

    def settled(self, ctx: Context, physical_id: str) -> bool:
        key = (ctx.stack_id, ctx.logical_id)
        call = self._calls.get(key)
        if call is None:
            return True
        if not call.done():
            return False
        del self._calls[key]
        try:
            call.result()
        except (ClientError, BotoCoreError) as e:
            self._not_ours.add(key)
            raise _failure(e) from None
        return True

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Any:
        return REPLACE

    def delete(self, ctx: Context, physical_id: str, properties: dict[str, Any]) -> bool:
        key = (ctx.stack_id, ctx.logical_id)
        if key in self._not_ours:
            return True
        call = self._calls.get(key)
        if call is None:
            self._begin(ctx, "delete_access_entry", {"clusterName": properties["ClusterName"], "principalArn": properties["PrincipalArn"]})
            return False
        if not call.done():
            return False
        del self._calls[key]
        try:
            call.result()
        except ClientError as e:
            if e.response["Error"]["Code"] != "ResourceNotFoundException":
                raise _failure(e) from None
        except BotoCoreError as e:
            raise _failure(e) from None
        return True

    def _begin(self, ctx: Context, operation: str, arguments: dict[str, Any]) -> None:
        endpoint = os.environ.get(ENDPOINT)
        if not endpoint:
            raise NotInSandbox(f"{self.type} without {ENDPOINT}")
        client = Session().create_client(
            "eks",
            region_name=ctx.region,
            endpoint_url=endpoint,
            aws_access_key_id=os.environ.get(KEY_ID, "AKIAIOSFODNN7EXAMPLE"),
            aws_secret_access_key=os.environ.get(SECRET, "secret"),
            config=Config(connect_timeout=5, read_timeout=30, proxies={}),
        )
        self._calls[(ctx.stack_id, ctx.logical_id)] = self._threads.submit(lambda: getattr(client, operation)(**arguments))


def _failure(error: Exception) -> ResourceFailure:
    message, status = str(error), 500
    if isinstance(error, ClientError):
        message = error.response["Error"]["Message"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return ResourceFailure(
        f'Resource handler returned message: "{message} (Service: Eks, Status Code: {status}, Request ID: {uuid.uuid4()})" '
        f"(RequestToken: {uuid.uuid4()}, HandlerErrorCode: InvalidRequest)"
    )
