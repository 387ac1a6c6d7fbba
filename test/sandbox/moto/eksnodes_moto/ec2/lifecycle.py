"""Instance states take time: pending, stopping and shutting-down are seen before what follows.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html
"""

from __future__ import annotations

import copy
from typing import Any

from moto.core.utils import utcnow
from moto.ec2.models.instances import Instance, InstanceBackend, StateReason

from ..clock import CLOCK
from ..faults import Script
from ..patching import Patcher

CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}


def apply(patcher: Patcher, script: Script) -> None:
    started = patcher.replace(InstanceBackend, "run_instances", None)
    terminate = patcher.replace(Instance, "terminate", None)
    stop = patcher.replace(Instance, "stop", None)
    start = patcher.replace(Instance, "start", None)

    def run_instances(self: Any, *args: Any, **kwargs: Any) -> Any:
        reservation = started(self, *args, **kwargs)
        for instance in reservation.instances:
            _become(instance, "pending")
            CLOCK.after(script.seconds("ec2_pending"), lambda i=instance: _then(i, "pending", "running"))
        return reservation

    def slow_start(self: Any) -> Any:
        before = start(self)
        _become(self, "pending")
        CLOCK.after(script.seconds("ec2_pending"), lambda: _then(self, "pending", "running"))
        return before

    def slow_stop(self: Any) -> Any:
        before = stop(self)
        _become(self, "stopping")
        CLOCK.after(script.seconds("ec2_stopping"), lambda: _then(self, "stopping", "stopped"))
        return before

    def slow_terminate(self: Any) -> Any:
        before = copy.copy(self._state)
        if before.name in ("shutting-down", "terminated"):
            return before
        _become(self, "shutting-down")
        self._reason = f"User initiated ({utcnow():%Y-%m-%d %H:%M:%S} GMT)"
        self.state_reason = StateReason("Client.UserInitiatedShutdown: User initiated shutdown", "Client.UserInitiatedShutdown")

        def finish() -> None:
            reason, state_reason = self._reason, self.state_reason
            terminate(self)
            self._reason, self.state_reason = reason, state_reason

        CLOCK.after(script.seconds("ec2_stopping"), finish)
        return before

    InstanceBackend.run_instances = run_instances
    Instance.terminate = slow_terminate
    Instance.stop = slow_stop
    Instance.start = slow_start


def _become(instance: Any, name: str) -> None:
    instance._state.name, instance._state.code = name, CODES[name]


def _then(instance: Any, expected: str, name: str) -> None:
    if instance._state.name == expected:
        _become(instance, name)
