"""Projecting while a service runs, so that no question waits for what the log took in meanwhile.

* Of all the processes that serve a log, the one that holds the lease projects.
* Adding entries comes first: while the log is busy, nothing is projected.
* A question that cannot wait goes on by itself from where this is: the lock is free after each batch.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from ledger.errors import RakkanError
from ledger.ports import Lease
from ledger.service.clear.projecting import catch_up
from ledger.service.studio import Studio

_EVERY = 1.0
_LOG = logging.getLogger("rakkan.projection")


class _Enough(Exception):  # noqa: N818 - it says that a batch is done, not that anything went wrong
    """Ends a projection after its first batch."""


class KeepingUp:
    """Projects one log from a thread of its own, from ``start`` to ``close``. ``busy`` says to wait."""

    def __init__(self, studio: Studio, lease: Lease, busy: Callable[[], bool]) -> None:
        self._studio = studio
        self._lease = lease
        self._busy = busy
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
                size = self._studio.entries.head().size
                if size != done and self._lease.take() and self._project():
                    done, failed = size, ""
            except RakkanError as error:
                if error.code != failed:  # said once; questions meet it too, and say it to who asks
                    _LOG.warning("projecting is held up: %s", error)
                failed = error.code

    def _project(self) -> bool:
        """Project batch after batch; return whether nothing is left."""

        def told(_: int) -> None:
            raise _Enough

        while not self._stopped.is_set() and not self._busy():
            try:
                with self._studio.catching_up:
                    catch_up(self._studio, told)
            except _Enough:
                continue
            return True
        return False
