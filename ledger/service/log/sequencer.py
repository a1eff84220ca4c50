"""Group commit: many callers, one thread that commits whatever waited while the last commit ran.

* No timer: an idle log commits a single entry at once, a busy one in batches as large as the load makes them.
* Entries are read and their signatures verified in the caller's thread, before they wait.
* Every caller is answered, whatever happens: with the receipt after the durable commit, with the reason why
  its entry was not added, or with the error that stopped the commit.
* A poison entry fails only its caller: a batch that fails as a whole for a reason that may lie in one entry
  is cut in halves until that entry is alone.
* The queue has a limit, in entries. Beyond it the answer is "busy, come back in … seconds", and nothing was
  taken in.
* Nothing ends the thread but ``close``: what tears through a commit is the answer of those who wait for it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Self

from ledger.errors import RakkanError, RefusedError
from ledger.service.log.sequence import Appended, Log, Offer

MAX_WAITING = 20_000
MAX_BATCH = 1_000
_RETRY_AT_LEAST = 1

Waiting = tuple[Offer, "Future[Appended]"]


class Sequencer:
    """Adds entries to one log for many threads. ``close`` it, or use it as a context.

    ``max_waiting`` and ``max_batch`` count entries.
    """

    def __init__(self, log: Log, *, max_waiting: int = MAX_WAITING, max_batch: int = MAX_BATCH) -> None:
        self.log = log
        self._max_waiting = max_waiting
        self._max_batch = max_batch
        self._queue: deque[Waiting] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._rate = 0.0  # entries per second, as of late
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, envelope: bytes) -> Appended:
        """Add one entry and return its place, durable. Raises what ``Log.append`` and ``submit`` raise."""
        return self.submit([envelope])[0].result()

    def submit(self, envelopes: Sequence[bytes]) -> list[Future[Appended]]:
        """Take the entries in, in this order, and return what each will come to.

        A future ends with the entry's place, durable, or with its ``RakkanError``. Raises
        ``RefusedError("log.overloaded")`` with ``retry_after`` (seconds) when they do not fit into the queue
        any more, and ``RefusedError("log.closed")``; then none was taken.
        """
        futures: list[Future[Appended]] = [Future() for _ in envelopes]
        waiting: list[Waiting] = []
        self._check_room(len(envelopes))  # before the dear part: a flood must not cost a signature each
        for envelope, future in zip(envelopes, futures, strict=True):
            try:
                waiting.append((self.log.offer(envelope), future))
            except RakkanError as error:
                future.set_exception(error)
        with self._changed:
            self._check_room(len(waiting))
            self._queue.extend(waiting)
            self._ensure_running()
            self._changed.notify()
        return futures

    def close(self) -> None:
        """Take nothing more in, commit what waits, and return when everybody is answered."""
        with self._changed:
            self._closed = True
            if self._queue:
                self._ensure_running()
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _check_room(self, count: int) -> None:
        with self._changed:
            if self._closed:
                raise RefusedError("log.closed", "The log takes nothing more in: it is being shut down.")
            waiting = len(self._queue)
            if waiting + count > self._max_waiting and waiting:
                seconds = waiting / self._rate if self._rate else 0
                raise RefusedError(
                    "log.overloaded",
                    "More is waiting than the log can take in at the moment.",
                    waiting=waiting,
                    retry_after=max(_RETRY_AT_LEAST, round(seconds)),
                )

    def _ensure_running(self) -> None:
        if self._thread is None:
            # A daemon: a process that ends without `close` loses nothing that was acknowledged.
            self._thread = threading.Thread(target=self._run, name=f"log {self.log.origin}", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while taken := self._take():
            began = time.monotonic()
            try:
                self._commit(taken)
            except BaseException as error:  # noqa: BLE001 - whatever tore through, nobody may wait for ever
                for _, future in taken:
                    if not future.done():
                        future.set_exception(_torn(error))
            self._rate = len(taken) / max(time.monotonic() - began, 1e-6)

    def _take(self) -> list[Waiting]:
        """Return what waits, at most a batch; wait for it. Empty when there is nothing more to come."""
        with self._changed:
            while True:
                while not self._queue and not self._closed:
                    self._changed.wait()
                count = min(len(self._queue), self._max_batch)
                taken = [self._queue.popleft() for _ in range(count)]
                # From here on a future cannot be cancelled any more.
                wanted = [item for item in taken if item[1].set_running_or_notify_cancel()]
                if wanted or not taken:
                    return wanted

    def _commit(self, taken: Sequence[Waiting]) -> None:
        try:
            outcomes = self.log.commit([offer for offer, _ in taken])
        except RefusedError as error:  # the log's state, not an entry's
            _answer(taken, [error] * len(taken))
        except Exception as error:  # noqa: BLE001 - the caller of the one entry that is left gets to see it
            if len(taken) == 1:
                _answer(taken, [error])
                return
            half = len(taken) // 2
            self._commit(taken[:half])
            self._commit(taken[half:])
        else:
            _answer(taken, outcomes)


def _answer(taken: Sequence[Waiting], outcomes: Sequence[Appended | Exception]) -> None:
    for (_, future), outcome in zip(taken, outcomes, strict=True):
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)


def _torn(error: BaseException) -> RefusedError:
    words = "The log's writer was stopped in the middle of a commit."
    return RefusedError("log.storage", words, cause=type(error).__name__)
