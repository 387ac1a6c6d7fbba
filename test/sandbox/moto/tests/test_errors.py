"""What the sandbox lacks is said loudly, in every protocol, and never tried again by an SDK."""

from __future__ import annotations

import subprocess
import sys
import urllib.request

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from .conftest import ENVIRONMENT
from .test_cfn_checks import refused

LOUD = "EksnodesSandboxNotImplemented"


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("cloudformation", "detect_stack_drift", {"StackName": "x"}),
        ("cloudformation", "create_change_set", {"StackName": "x", "ChangeSetName": "y"}),
        ("autoscaling", "start_instance_refresh", {"AutoScalingGroupName": "x"}),
        ("iam", "simulate_principal_policy", {"PolicySourceArn": "arn:aws:iam::111122223333:role/x", "ActionNames": ["ec2:RunInstances"]}),
        ("ec2", "describe_instance_topology", {}),
        ("ec2", "describe_instances", {"Filters": [{"Name": "hibernation-options.configured", "Values": ["true"]}]}),
        ("ssm", "describe_instance_information", {}),
        ("ssm", "start_session", {"Target": "i-0123456789abcdef0"}),
        ("service-quotas", "list_requested_service_quota_change_history", {}),
        ("eks", "describe_insight", {"clusterName": "x", "id": "y"}),
        ("eks", "list_access_entries", {"clusterName": "x"}),
    ],
)
def test_missing_operations_are_loud(client, service, operation, arguments):
    """https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html: 501 is not tried again"""
    with pytest.raises(ClientError) as e:
        getattr(client(service), operation)(**arguments)
    assert e.value.response["Error"]["Code"] == LOUD, e.value
    assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert e.value.response["Error"]["Message"].startswith(f"{client(service).meta.service_model.signing_name} ")


def test_sdks_do_not_try_again(sandbox):
    """https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html"""
    patient = boto3.client(
        "iam",
        endpoint_url=sandbox.url,
        region_name="us-west-2",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="secret",
        config=Config(retries={"mode": "standard", "total_max_attempts": 5}, proxies={}),
    )
    with pytest.raises(ClientError) as e:
        patient.simulate_principal_policy(PolicySourceArn="arn:aws:iam::111122223333:role/x", ActionNames=["ec2:RunInstances"])
    assert e.value.response["ResponseMetadata"]["RetryAttempts"] == 0


def test_unknown_resource_types_are_loud(client):
    """A template of types that AWS has and the sandbox has not must not pass in silence."""
    template = "Resources: {A: {Type: AWS::EKS::Cluster, Properties: {}}}"
    refused(lambda: client("cloudformation").create_stack(StackName="loud", TemplateBody=template), LOUD)


def test_internal_errors_are_loud_with_a_traceback_in_the_log(client, sandbox):
    """A mistake of moto's is not to be taken for an error of AWS."""
    call = lambda: client("autoscaling").describe_auto_scaling_groups(MaxRecords=101)  # noqa: E731 - moto raises ValueError
    refused(call, "EksnodesSandboxInternalError")
    assert "Traceback" in sandbox.log.read_text()


def test_reset_is_refused(sandbox):
    """moto's reset would lose the seeded parameters."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with pytest.raises(urllib.error.HTTPError) as e:
        opener.open(urllib.request.Request(f"{sandbox.url}/moto-api/reset", method="POST"), timeout=5)
    assert e.value.code == 501


def test_another_moto_is_refused(tmp_path):
    """A repair that no longer applies stops the start, with the name that changed."""
    code = (
        "import sys; sys.argv=['x','-p','0']; import eksnodes_moto.patching as p; f=p.load_fingerprints(); "
        "f['moto.ec2.models.instances.Instance.stop']='other'; p.load_fingerprints=lambda: f; "
        "import eksnodes_moto.__main__ as m; m.load_fingerprints=p.load_fingerprints; m.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**ENVIRONMENT, "HOME": str(tmp_path)}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "moto.ec2.models.instances.Instance.stop is not as in the moto that this repair was written for" in done.stderr
