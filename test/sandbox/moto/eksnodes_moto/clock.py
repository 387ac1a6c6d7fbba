"""One lock and one background thread.

moto answers each request in a thread of its own without locking. Requests and
everything that goes on in the background (stack operations, instances that
become running, groups that launch) are therefore done under STATE, one at a
time: each is short, and a reader never sees half a change.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

STATE = threading.RLock()
TICK_SECONDS = 0.05

log = logging.getLogger("eksnodes_moto.clock")


class Clock:
    """Runs what is due, and every registered job once a tick."""

    def __init__(self) -> None:
        self._jobs: list[Callable[[], None]] = []
        self._due: list[tuple[float, Callable[[], None]]] = []

    def every_tick(self, job: Callable[[], None]) -> None:
        self._jobs.append(job)

    def after(self, seconds: float, job: Callable[[], None]) -> None:
        """Runs job under STATE after that time. Call with STATE held."""
        self._due.append((time.monotonic() + seconds, job))

    def start(self) -> None:
        threading.Thread(target=self._run, name="clock", daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(TICK_SECONDS)
            with STATE:
                now = time.monotonic()
                due = [job for at, job in self._due if at <= now]
                self._due = [(at, job) for at, job in self._due if at > now]
                for job in [*due, *self._jobs]:
                    try:
                        job()
                    except Exception:
                        log.exception("background job failed")


CLOCK = Clock()
