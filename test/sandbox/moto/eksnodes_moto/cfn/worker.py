"""Operations as steps: a generator that yields how long to wait before it goes on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

from ..clock import STATE
from .stack import Stack

Steps = Iterator[float]

log = logging.getLogger("eksnodes_moto.cfn.worker")


def start(stack: Stack, steps: Steps) -> None:
    """Runs steps in the background until they end or another operation takes over the stack."""
    stack.operation += 1
    threading.Thread(target=_run, args=(stack, stack.operation, steps), name=f"stack {stack.name}", daemon=True).start()


def _run(stack: Stack, operation: int, steps: Steps) -> None:
    while True:
        with STATE:
            if stack.operation != operation:
                return
            try:
                pause = next(steps)
            except StopIteration:
                return
            except Exception as e:
                log.exception("stack %s: the engine failed", stack.name)
                stack.set_status(_failed(stack.status), f"EksnodesSandboxInternalError: {type(e).__name__}: {e}")
                return
        time.sleep(pause)


def _failed(status: str) -> str:
    return status.split("_IN_PROGRESS", maxsplit=1)[0].removesuffix("_COMPLETE_CLEANUP") + "_FAILED"
