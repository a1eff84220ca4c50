"""Publishing while a service runs: one of its processes brings the published log up to the head.

* Of all the processes that serve a log, the one that holds the lease publishes. The lease ends with its
  holder, however that dies, and another process takes it.
* A publication begins at most once in ``every`` seconds, and only when the head moved. Where a witness is
  missing, it is asked again though nothing moved, after twice the time each time.
* So is a failure tried again, after up to ``slowest`` seconds: what somebody has to look at, such as an open
  alarm, goes on by itself once they did. It is said once. Recording waits for none of this.
* At the end what is still unpublished is published: by whoever holds the lease, or gets it in time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated

from ledger.errors import RakkanError
from ledger.ports import Lease
from ledger.service.log.publish import Published

_LOG = logging.getLogger("rakkan.publish")
_GLANCE = 0.05
_STEPS = 16


@dataclass(frozen=True, slots=True)
class PublishSettings:
    """Whether a service publishes its logs, and how often; all times are seconds.

    ``every`` is the least time between two publications, ``slowest`` the longest pause after failures, and
    ``farewell`` how long a process that stops waits for another one to publish its last entries.
    """

    enabled: Annotated[bool, "publish each log while the service runs"] = True
    every: Annotated[float, "least seconds between two publications"] = 1.0
    slowest: Annotated[float, "longest pause after failures, in seconds"] = 60.0
    farewell: Annotated[float, "seconds that a process which stops waits to publish its last entries"] = 5.0

    def __post_init__(self) -> None:
        if not 0 < self.every <= self.slowest or self.farewell < 0:
            raise ValueError("has times that are not 0 < every <= slowest, or a farewell below 0")


@dataclass(frozen=True, slots=True)
class PublishState:
    """How publishing stands in this process: ``holder``, the published ``size`` and the ``error`` as known.

    ``size`` is ``None`` where this process has not published yet; ``error`` is the code of the failure that
    is being waited out, ``None`` without one.
    """

    holder: bool = False
    size: int | None = None
    error: str | None = None


class Publishing:
    """Publishes one log from a thread of its own, from ``start`` to ``close``.

    ``publish`` publishes once, ``head`` and ``published`` return the sizes of the log and of what is
    published. None of them is ever called by two threads.
    """

    def __init__(
        self,
        publish: Callable[[], Published],
        head: Callable[[], int],
        published: Callable[[], int],
        lease: Lease,
        settings: PublishSettings,
    ) -> None:
        self._publish = publish
        self._head = head
        self._published = published
        self._lease = lease
        self._settings = settings
        self._done: Published | None = None
        self._failures = self._missed = 0
        self._ask_again = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="publish", daemon=True)
        self.state = PublishState()

    def start(self) -> None:
        """Begin to publish, at once if there is anything new."""
        self._thread.start()

    def close(self) -> None:
        """Publish what is left, and return. Takes as long as one publication, or ``farewell`` seconds."""
        self._stopped.set()
        self._thread.join()
        end = time.monotonic() + self._settings.farewell
        while not self._turn(self._caught_up) and time.monotonic() < end:
            time.sleep(_GLANCE)

    def _run(self) -> None:
        pause = 0.0
        while not self._stopped.wait(pause):
            self._turn(lambda: False)
            pause = self._pause(self._failures)

    def _turn(self, otherwise: Callable[[], bool]) -> bool:
        """Publish if it is due and ours to do; return whether it is done, or ``otherwise`` where not ours."""
        try:
            if not self._lease.take():
                self.state = PublishState()
                return otherwise()
            if self._due():
                self._settle(self._publish())
        except RakkanError as error:
            if error.code != "log.fenced":  # else another publisher, such as the command, was faster
                self._fail(error.code, str(error))
        except Exception as error:  # noqa: BLE001 - no defect may end publishing for as long as a service runs
            self._fail("server.fault", repr(error))
        return True

    def _due(self) -> bool:
        if self._done is None or self._done.size != self._head():
            return True
        waits = self._stopped.is_set() or time.monotonic() < self._ask_again
        return bool(self._done.trouble) and not waits

    def _settle(self, done: Published) -> None:
        """Take note of what was published, also where some witness has not cosigned it yet."""
        self._done, self._failures = done, 0
        error = done.trouble[0].code if done.trouble else None
        self._missed = min(self._missed + 1, _STEPS) if done.trouble else 0
        self._ask_again = time.monotonic() + self._pause(self._missed)
        if error != self.state.error:
            words = f"without a witness: {done.trouble[0]}" if done.trouble else "goes on"
            _LOG.warning("publishing %s, %s entries", words, done.size)
        self.state = PublishState(holder=True, size=done.size, error=error)

    def _fail(self, code: str, words: str) -> None:
        self._failures = min(self._failures + 1, _STEPS)
        if self.state.error != code:
            _LOG.warning("publishing is held up: %s [%s]", words, code)
        self.state = replace(self.state, error=code)

    def _pause(self, failures: int) -> float:
        return min(self._settings.every * (1 << failures), self._settings.slowest)

    def _caught_up(self) -> bool:
        return self._published() >= self._head()
