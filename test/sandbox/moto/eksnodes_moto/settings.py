"""What can be set from the environment, read once at start."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """All durations are seconds."""

    account: str
    cfn_step: float  # between two events of one resource
    cfn_minute: float  # of TimeoutInMinutes
    cfn_stabilize: float  # how long CloudFormation waits for a group's instances
    cfn_delete_retry: float  # how long a deletion is tried again on DependencyViolation
    ec2_pending: float  # pending -> running
    ec2_stopping: float  # shutting-down -> terminated, stopping -> stopped
    asg_retry: float  # first pause after a failed launch, doubled each time
    asg_retry_max: float
    asg_warm: float  # from running in a warm pool to being stopped
    control: str  # path of the failure script, may not exist (yet)


DEFAULT_ACCOUNT = "111122223333"


def from_environment(env: Mapping[str, str] = os.environ) -> Settings:
    def seconds(name: str, default: float) -> float:
        text = env.get(name, "")
        if not text:
            return default
        try:
            value = float(text)
        except ValueError:
            raise SystemExit(f"{name}={text!r}: want a number of seconds") from None
        if value < 0:
            raise SystemExit(f"{name}={text!r}: want a number of seconds that is not negative")
        return value

    return Settings(
        account=env.get("MOTO_ACCOUNT_ID", DEFAULT_ACCOUNT),
        cfn_step=seconds("EKSNODES_CFN_STEP_SECONDS", 0.2),
        cfn_minute=60,
        cfn_stabilize=seconds("EKSNODES_CFN_STABILIZE_SECONDS", 60),
        cfn_delete_retry=seconds("EKSNODES_CFN_DELETE_RETRY_SECONDS", 2),
        ec2_pending=seconds("EKSNODES_EC2_PENDING_SECONDS", 0.5),
        ec2_stopping=seconds("EKSNODES_EC2_STOPPING_SECONDS", 0.5),
        asg_retry=seconds("EKSNODES_ASG_RETRY_SECONDS", 2),
        asg_retry_max=seconds("EKSNODES_ASG_RETRY_MAX_SECONDS", 60),
        asg_warm=seconds("EKSNODES_ASG_WARM_SECONDS", 20),
        control=env.get("EKSNODES_MOTO_CONTROL", ""),
    )
