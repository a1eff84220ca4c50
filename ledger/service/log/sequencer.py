"""Group commit: many callers, one thread that commits whatever waited while the last commit ran.

* No timer: an idle log commits a single entry at once, a busy one in batches as large as the load makes them.
* Entries are read and their signatures verified in the caller's thread, before they wait.
* Every caller is answered, whatever happens: with the receipt after the durable commit, with the reason why
  its entry was not added, or with the error that stopped the commit.
* A poison entry fails only its caller: a batch that fails as a whole for a reason that may lie in one entry
  is cut in halves until that entry is alone.
* The queue has a limit, in entries and in bytes. Beyond it the answer is "busy, come back in … seconds", and
  nothing was taken in.
* What comes in bulk waits in a lane of its own, which has half of the room and at least half of every batch:
  a mountain of entries does not keep a single one waiting, nor the other way round.
* Nothing ends the thread but ``close``: what tears through a commit is the answer of those who wait for it.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol, Self

from ledger.errors import RakkanError, RefusedError
from ledger.service.log.sequence import Appended, Log, Offer

MAX_WAITING = 20_000
MAX_WAITING_BYTES = 64 << 20
MAX_BATCH = 1_000
_RETRY_SECONDS = (1, 60)

Waiting = tuple[Offer, "Future[Appended]"]


class _Lane:
    """Entries that wait in one order, at most ``most`` and so many bytes of them."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self.most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._items: deque[Waiting] = deque()

    def __len__(self) -> int:
        return len(self._items)

    def has_room(self, count: int, size: int, coming: int) -> bool:
        """Whether so many entries of so many bytes may be added. An empty lane takes any."""
        waiting = len(self._items) + coming
        return not waiting or (waiting + count <= self.most and self._bytes + size <= self._most_bytes)

    def extend(self, waiting: Sequence[Waiting]) -> None:
        """Add entries behind the others."""
        self._items.extend(waiting)
        self._bytes += sum(len(offer.envelope) for offer, _ in waiting)

    def take(self, count: int) -> list[Waiting]:
        """Remove the first so many entries and return them."""
        taken = [self._items.popleft() for _ in range(count)]
        self._bytes -= sum(len(offer.envelope) for offer, _ in taken)
        return taken


class Tally(Protocol):
    """Counts what becomes of entries. Called from the callers' threads and the log's own; must not raise."""

    def entries(self, outcome: str, count: int) -> None:
        """Count entries that were ``added``, or known as ``duplicate``, or refused with this code."""

    def commit(self, entries: int, seconds: float) -> None:
        """Count a commit, whatever came of it."""


class Sequencer:
    """Adds entries to one log for many threads. ``close`` it, or use it as a context.

    ``max_waiting`` and ``max_batch`` count entries, ``max_bytes`` the bytes of those that wait.
    """

    def __init__(
        self,
        log: Log,
        *,
        max_waiting: int = MAX_WAITING,
        max_bytes: int = MAX_WAITING_BYTES,
        max_batch: int = MAX_BATCH,
        tally: Tally | None = None,
    ) -> None:
        self.log = log
        self._tally = tally
        self._max_batch = max_batch
        self._queue = _Lane(max_waiting, max_bytes)
        self._bulk = _Lane(max_waiting // 2, max_bytes // 2)
        self._changed = threading.Condition()  # re-entrant
        self._closed = False
        self._rate = 0.0  # entries per second, as of late
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def waiting(self) -> int:
        """How many entries wait for a commit."""
        return len(self._queue) + len(self._bulk)

    def append(self, envelope: bytes) -> Appended:
        """Add one entry and return its place, durable. Raises what ``Log.append`` and ``submit`` raise."""
        return self.submit([envelope])[0].result()

    def submit(self, envelopes: Sequence[bytes], *, bulk: bool = False) -> list[Future[Appended]]:
        """Take the entries in, in this order, and return what each will come to.

        A future ends with the entry's place, durable, or with its ``RakkanError``. Raises as ``check_room``;
        then none was taken.
        """
        size = sum(map(len, envelopes))
        # Before the dear part: a flood must not cost a signature each.
        self.check_room(len(envelopes), size, bulk=bulk)
        futures: list[Future[Appended]] = [Future() for _ in envelopes]
        waiting: list[Waiting] = []
        for envelope, future in zip(envelopes, futures, strict=True):
            try:
                waiting.append((self.log.offer(envelope), future))
            except RakkanError as error:
                future.set_exception(error)
                if self._tally is not None:
                    self._tally.entries(error.code, 1)
        with self._changed:
            self.check_room(len(waiting), size, bulk=bulk)
            self.put(waiting, bulk=bulk)
        return futures

    def put(self, waiting: Sequence[Waiting], *, bulk: bool = False) -> None:
        """Take in entries that were read, with the futures that they answer. Who calls has asked for room.

        Raises ``RefusedError("log.closed")``; then none was taken.
        """
        with self._changed:
            if self._closed:
                raise _closed()
            (self._bulk if bulk else self._queue).extend(waiting)
            self._ensure_running()
            self._changed.notify()

    def check_room(self, count: int = 1, size: int = 0, *, bulk: bool = False, coming: int = 0) -> None:
        """Return if so many entries, of so many bytes, would be taken in now.

        ``coming`` counts those that were let in and are still to be ``put``. An empty queue takes whatever
        comes. Raises ``RefusedError("log.overloaded")`` with ``retry_after`` (seconds), and
        ``RefusedError("log.closed")``.
        """
        with self._changed:
            if self._closed:
                raise _closed()
            lane = self._bulk if bulk else self._queue
            if not lane.has_room(count, size, coming):
                waiting = len(self._queue) + len(self._bulk)
                least, most = _RETRY_SECONDS
                raise RefusedError(
                    "log.overloaded",
                    "More is waiting than the log can take in at the moment.",
                    waiting=waiting,
                    limit=lane.most,
                    retry_after=min(max(least, round(waiting / self._rate) if self._rate else 0), most),
                )

    def close(self) -> None:
        """Take nothing more in, commit what waits, and return when everybody is answered."""
        with self._changed:
            self._closed = True
            if self._queue or self._bulk:
                self._ensure_running()
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

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
            seconds = max(time.monotonic() - began, 1e-6)
            self._rate = len(taken) / seconds
            if self._tally is not None:
                self._tally.commit(len(taken), seconds)
                for outcome, count in Counter(_outcome(future) for _, future in taken).items():
                    self._tally.entries(outcome, count)

    def _take(self) -> list[Waiting]:
        """Return what waits, at most a batch; wait for it. Empty when there is nothing more to come."""
        with self._changed:
            while True:
                while not self._queue and not self._bulk and not self._closed:
                    self._changed.wait()
                single = min(
                    len(self._queue), max(self._max_batch - len(self._bulk), -(-self._max_batch // 2))
                )
                taken = self._queue.take(single)
                taken += self._bulk.take(min(len(self._bulk), self._max_batch - single))
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


def _closed() -> RefusedError:
    return RefusedError("log.closed", "The log takes nothing more in: it is being shut down.")


def _outcome(future: Future[Appended]) -> str:
    error = future.exception()
    if error is None:
        return "duplicate" if future.result().duplicate else "added"
    return error.code if isinstance(error, RakkanError) else "server.fault"


def _torn(error: BaseException) -> RefusedError:
    words = "The log's writer was stopped in the middle of a commit."
    return RefusedError("log.storage", words, cause=type(error).__name__)
