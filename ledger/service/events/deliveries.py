"""Delivering while a service runs: one of its processes does it, for every webhook at once.

* Of all the processes that serve a log, the one that holds the lease delivers. The lease ends with its
  holder, and what was under way is repeated by the next one.
* Each receiver is waited for in a thread of its own, so a slow one costs the others nothing. Those that
  failed last time share a few places that nobody else needs.
* What is under way at the end is not waited for long: it is repeated, and its receiver can tell.
"""

from __future__ import annotations

import logging
import threading
import time

from ledger.errors import RakkanError
from ledger.ports import Lease
from ledger.service.events.deliver import Deliverer
from ledger.service.events.store import Webhook
from ledger.service.events.target import WebhookSettings

_LOG = logging.getLogger("rakkan.webhooks")
_IN_A_ROW = 50
"""Deliveries to one receiver before its place is free for another."""
_FAREWELL = 2.0
_GLANCE = 0.02


class Deliveries:
    """Delivers one log's events from threads of its own, from ``start`` to ``close``."""

    def __init__(self, deliverer: Deliverer, lease: Lease, settings: WebhookSettings) -> None:
        self._deliverer = deliverer
        self._lease = lease
        self._poll = settings.poll.total_seconds()
        few = settings.at_once // 4
        self._healthy = threading.BoundedSemaphore(settings.at_once - few)
        self._failing = threading.BoundedSemaphore(few)
        self._busy: set[str] = set()
        self._holder = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Begin nothing more, wait a moment for what is under way, and give the lease up."""
        self._stopped.set()
        self._thread.join()
        end = time.monotonic() + _FAREWELL
        while self._busy and time.monotonic() < end:
            time.sleep(_GLANCE)
        self._lease.release()

    def _run(self) -> None:
        while not self._stopped.wait(self._poll):
            try:
                self._holder = self._lease.take()
                due = self._deliverer.due() if self._holder else ()
            except RakkanError as error:  # the database is away: it is asked again
                _LOG.warning("Webhooks wait: %s", error)
                continue
            for webhook in due:
                self._begin(webhook)

    def _begin(self, webhook: Webhook) -> None:
        place = self._failing if webhook.failures else self._healthy
        if webhook.id in self._busy or not place.acquire(blocking=False):
            return
        self._busy.add(webhook.id)
        # Daemons: a receiver that takes its time does not keep the process from ending.
        threading.Thread(target=self._deliver, args=(webhook, place), daemon=True).start()

    def _deliver(self, webhook: Webhook, place: threading.BoundedSemaphore) -> None:
        try:
            for _ in range(_IN_A_ROW):
                after = self._deliverer.turn(webhook)
                if after is None or after.claimed is None or after.failures or after.paused:
                    return
                if self._stopped.is_set() or not self._holder:
                    return
                webhook = after
        except RakkanError as error:
            _LOG.warning("The webhook %s waits: %s", webhook.id, error)
        finally:
            self._busy.discard(webhook.id)
            place.release()
