"""Projecting while a service runs, so that no question waits for what the log took in meanwhile.

* Of all the processes that serve a log, the one that holds the lease projects.
* Adding entries comes first: while the log grows fast, whoever adds to it, nothing is projected. A batch
  takes the interpreter and the database away from them for long.
* A question that cannot wait goes on by itself from where this is: the lock is free after each batch.
"""

from __future__ import annotations

import logging
import threading
import time

from ledger.errors import RakkanError
from ledger.ports import Lease
from ledger.service.clear.projecting import catch_up
from ledger.service.studio import Studio

_EVERY = 1.0
_FAST = 100
"""Entries a second."""
_LOG = logging.getLogger("rakkan.projection")


class _Enough(Exception):  # noqa: N818 - it says that a batch is done, not that anything went wrong
    """Ends a projection after its first batch."""


class KeepingUp:
    """Projects one log from a thread of its own, from ``start`` to ``close``."""

    def __init__(self, studio: Studio, lease: Lease) -> None:
        self._studio = studio
        self._lease = lease
        self._seen = (float("-inf"), 0)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="projection", daemon=True)

    def start(self) -> None:
        """Begin, with what is left from before."""
        self._thread.start()

    def close(self) -> None:
        """Return after the batch that is under way."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        done, failed = -1, ""
        while not self._stopped.wait(_EVERY):
            try:
                fast, size = self._grows_fast(), self._seen[1]
                if not fast and size != done and self._lease.take() and self._project():
                    done, failed = size, ""
            except RakkanError as error:
                if error.code != failed:  # said once; questions meet it too, and say it to who asks
                    _LOG.warning("projecting is held up: %s", error)
                failed = error.code

    def _grows_fast(self) -> bool:
        """Whether the log has, on average since this was last asked."""
        (then, before), (now, size) = self._seen, (time.monotonic(), self._studio.entries.head().size)
        self._seen = now, size
        return size - before > _FAST * (now - then)

    def _project(self) -> bool:
        """Project batch after batch; return whether nothing is left."""

        def told(_: int) -> None:
            raise _Enough

        while not self._stopped.is_set():
            try:
                with self._studio.catching_up:
                    catch_up(self._studio, told)
            except _Enough:
                if self._grows_fast():
                    return False
            else:
                return True
        return False
