"""Boards that were computed, kept for whoever looks next: as many as fit, one computed at a time.

* A board is new while the log has not grown and no term can have ended since: terms begin and end on quarters
  of an hour. One of a moment gone by is new until the log grows.
* Whoever asks waits for a moment. What takes longer goes on without them: they get the last board, which says
  what it is of, or none yet.
* Who chooses moments freely pushes out what others look at, and no more than that: boards are few, and so are
  those that wait to be computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from ledger.core.rights import profile as profiles
from ledger.core.rights.basis import slot_of
from ledger.core.rights.profile import Profile
from ledger.errors import RefusedError
from ledger.service.board.board import Board, make_board
from ledger.service.reading.pages import size_of
from ledger.service.studio import Studio

KEPT = 8
WAITING = 4
"""Boards of one production that are computed or wait for it."""
PATIENCE = 0.7
"""Seconds for which somebody waits."""
_Key = tuple[str, datetime | None]
Make = Callable[[Studio, Profile, datetime, datetime | None], Board]


@dataclass(frozen=True, slots=True)
class Found:
    """The newest board; ``None`` while the first is computed. ``behind``: a newer one is on its way."""

    board: Board | None
    behind: bool


class Boards:
    """The boards of one production. May be used from several threads; ``pool`` computes them."""

    def __init__(self, studio: Studio, pool: ThreadPoolExecutor, make: Make = make_board) -> None:
        self._studio = studio
        self._pool = pool
        self._make = make
        self._turn = Lock()
        self._kept: dict[_Key, Board] = {}
        self._under_way: dict[_Key, Future[Board]] = {}

    def get(self, profile: Profile, known: datetime | None = None, patience: float = PATIENCE) -> Found:
        """Return the board under a policy, of now or of a moment gone by, as new as it can be had by then.

        Raises ``RefusedError("clear.busy")`` where there is none and enough are waiting, and what computing
        one raises.
        """
        key = profiles.digest(profile), known
        with self._turn:
            board = self._kept.pop(key, None)
            if board is not None:
                self._kept[key] = board  # the last to be forgotten
                if self._is_new(board, known):
                    return Found(board, behind=False)
            future = self._started(key, profile, known, needed=board is None)
        if future is None:
            return Found(board, behind=True)
        wait((future,), patience)
        return Found(future.result(), behind=False) if future.done() else Found(board, behind=True)

    def _is_new(self, board: Board, known: datetime | None) -> bool:
        if board.size != size_of(self._studio):
            return False
        return known is not None or slot_of(board.at) == slot_of(self._studio.clock.now())

    def _started(
        self, key: _Key, profile: Profile, known: datetime | None, *, needed: bool
    ) -> Future[Board] | None:
        if key in self._under_way:
            return self._under_way[key]
        if len(self._under_way) >= WAITING:
            if needed:
                raise RefusedError("clear.busy", "As many boards as may be are being computed.")
            return None
        future = self._under_way[key] = self._pool.submit(self._computed, key, profile, known)
        return future

    def _computed(self, key: _Key, profile: Profile, known: datetime | None) -> Board:
        try:
            board = self._make(self._studio, profile, known or self._studio.clock.now(), known)
            with self._turn:
                self._kept.pop(key, None)
                while len(self._kept) >= KEPT:
                    del self._kept[next(iter(self._kept))]
                self._kept[key] = board
        finally:
            with self._turn:
                del self._under_way[key]
        return board


@contextmanager
def open_boards(studio: Studio) -> Iterator[Boards]:
    """Compute boards of this production for as long as the block runs."""
    pool = ThreadPoolExecutor(1, "board")
    try:
        yield Boards(studio, pool)
    finally:
        pool.shutdown(cancel_futures=True)
