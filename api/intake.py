"""From the event loop to the log's own thread and back.

* Signatures are verified on the loop: a hop to a thread costs more than it frees, as the interpreter runs one
  thread at a time. What comes in bulk is cut into slices, and only one slice at a time has its turn, so that
  a single entry waits for one slice and never for a thousand entries.
* Single entries that one turn of the loop reads are handed over together, at its end; what one commit answers
  wakes the loop up once. So the two threads meet as often as there are batches, and not for every entry.
* Bulk that finds its lane full waits for room, and meanwhile reads nothing more from its sender.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future

from api.bodies import Room
from ledger.errors import IntegrityError, RakkanError, RefusedError
from ledger.service.capture.upload import Pace
from ledger.service.log.sequence import Appended
from ledger.service.log.sequencer import Sequencer, Waiting

SLICE = 16
_SLICE_BYTES = 65_536
_PAUSE = 0.01

Outcome = Appended | RakkanError
_log = logging.getLogger(__name__)


class Intake:
    """Takes entries for one log in, on one event loop.

    ``room`` is for bodies that come in bulk; ``pace`` says how fast bodies have to come.
    """

    def __init__(self, sequencer: Sequencer, room: Room, pace: Pace) -> None:
        self.sequencer = sequencer
        self.room = room
        self.pace = pace
        self._turn = asyncio.Lock()
        self._read: list[Waiting] = []
        self._answered: deque[tuple[asyncio.Future[Outcome], Future[Appended]]] = deque()
        self._woken = False

    async def one(self, envelope: bytes) -> Appended:
        """Return the entry's place, durable. Raises why it has none, and as ``Sequencer.check_room``."""
        self.check_room(len(envelope))
        offer, future = self.sequencer.log.offer(envelope), Future[Appended]()
        if not self._read:
            asyncio.get_running_loop().call_soon(self._hand_over)
        self._read.append((offer, future))
        (waiter,) = self._awaited([future])
        outcome = await waiter
        if isinstance(outcome, RakkanError):
            raise outcome
        return outcome

    def check_room(self, size: int = 0) -> None:
        """Raise as ``Sequencer.check_room`` where one more entry of so many bytes does not fit."""
        self.sequencer.check_room(1, size, coming=len(self._read))

    def _hand_over(self) -> None:
        read, self._read = self._read, []
        try:
            self.sequencer.put(read)
        except RefusedError as error:
            for _, future in read:
                future.set_exception(error)

    async def put(self, envelopes: Sequence[bytes]) -> list[asyncio.Future[Outcome]]:
        """Offer a slice of what comes in bulk, when it is its turn; return what each will come to.

        Waits for room. Raises ``RefusedError("log.closed")``.
        """
        async with self._turn:
            while True:
                try:
                    futures = self.sequencer.submit(envelopes, bulk=True)
                    break
                except RefusedError as error:
                    if error.code != "log.overloaded":
                        raise
                await asyncio.sleep(_PAUSE)
            await asyncio.sleep(0)  # the others' turn, before the next slice
        return self._awaited(futures)

    def _awaited(self, futures: Sequence[Future[Appended]]) -> list[asyncio.Future[Outcome]]:
        loop = asyncio.get_running_loop()
        waiters = [loop.create_future() for _ in futures]
        for waiter, future in zip(waiters, futures, strict=True):

            def answered(done: Future[Appended], waiter: asyncio.Future[Outcome] = waiter) -> None:
                # On the log's thread. Added first, looked at afterwards: see `_settle`.
                self._answered.append((waiter, done))
                if not self._woken:
                    self._woken = True
                    loop.call_soon_threadsafe(self._settle)

            future.add_done_callback(answered)
        return waiters

    def _settle(self) -> None:
        """Hand over what was answered. Whatever is added after the first line wakes the loop up again."""
        self._woken = False
        while self._answered:
            waiter, done = self._answered.popleft()
            if waiter.done():  # its request was given up
                continue
            error = done.exception()
            if error is None:
                waiter.set_result(done.result())
            elif isinstance(error, RakkanError):
                waiter.set_result(error)
            else:
                _log.error("An entry failed in a way that nobody foresaw.", exc_info=error)
                waiter.set_result(
                    IntegrityError("server.fault", "Something failed here that should not have.")
                )


def slices(envelopes: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Yield the entries in pieces that are small enough not to keep others waiting."""
    piece: list[bytes] = []
    size = 0
    for envelope in envelopes:
        if piece and (len(piece) == SLICE or size + len(envelope) > _SLICE_BYTES):
            yield piece
            piece, size = [], 0
        piece.append(envelope)
        size += len(envelope)
    if piece:
        yield piece
