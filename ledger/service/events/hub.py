"""Following a log as it grows, for many listeners of one process.

* One watch for each production asks for the log's size: five times a second while it grows, once a second
  while it rests. Other processes write to the same log, so nothing in this one could tell.
* Listeners at the same place share one reading. Whoever is behind reads pages at their own speed; nothing is
  kept for them.
* A database that is away for a while ends no stream: there is nothing new until it is back.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from ledger.errors import RakkanError, RefusedError
from ledger.service.events.source import Page, Source

_SHARED = 8
_SLOWER = 1.25


@dataclass(frozen=True, slots=True)
class EventSettings:
    """``[events]``: streams of what happens in a log."""

    listeners: Annotated[int, "open streams of one worker; beyond it the answer is 503"] = 1_000
    listeners_per_viewer: Annotated[int, "of these, how many one viewer may have"] = 20
    heartbeat: Annotated[timedelta, "a stream without events says that it is alive after this"] = timedelta(
        seconds=15
    )
    stalled: Annotated[timedelta, "a listener that takes in nothing for so long is dropped"] = timedelta(
        seconds=30
    )
    recheck: Annotated[timedelta, "how often it is asked whether a listener may still listen"] = timedelta(
        seconds=30
    )
    reconnect: Annotated[timedelta, "after which clients are to come back"] = timedelta(seconds=3)
    busy_poll: Annotated[timedelta, "how often a log that grows is looked at"] = timedelta(milliseconds=200)
    idle_poll: Annotated[timedelta, "how often one that rests is"] = timedelta(seconds=1)


class Seats:
    """Who listens in this process: a bounded number in all, and of each viewer."""

    def __init__(self, settings: EventSettings) -> None:
        self._settings = settings
        self._taken: Counter[str] = Counter()

    @contextmanager
    def seat(self, viewer: str) -> Iterator[None]:
        """Hold a seat for as long as the block runs. Raises ``RefusedError("events.full")``."""
        limit = self._settings.listeners_per_viewer
        if self._taken[viewer] >= limit or self._taken.total() >= self._settings.listeners:
            raise RefusedError(
                "events.full", "There are as many listeners as there may be.", retry_after=10, limit=limit
            )
        self._taken[viewer] += 1
        try:
            yield
        finally:
            self._taken[viewer] -= 1
            self._taken += Counter()  # forgets whoever has none


class Hub:
    """One production's listeners. Belongs to one event loop; ``threads`` read the database."""

    def __init__(self, source: Source, settings: EventSettings, threads: ThreadPoolExecutor) -> None:
        self.source = source
        self._settings = settings
        self._threads = threads
        self._size = -1
        self._waiting = 0
        self._changed = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None
        self._pages: dict[tuple[Sequence[str], int, int], asyncio.Future[Page]] = {}
        self.closed = False

    async def size(self) -> int:
        """Return how many entries there are now. Raises the database's errors."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, self.source.size)
        self._grown(found)
        return found

    async def next(self, predicate_types: Sequence[str], start: int) -> Page:
        """Return events from ``start`` on as soon as there are any, or none after a heartbeat's time.

        Raises the database's errors where a page cannot be read.
        """
        self._waiting += 1
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._watching())
        try:
            async with asyncio.timeout(self._settings.heartbeat.total_seconds()):
                while not self.closed:
                    if start >= self._size:
                        await self._changed.wait()
                        continue
                    page = await self._page(predicate_types, start)
                    if page.events:
                        return page
                    start = page.next
        except TimeoutError:
            pass
        finally:
            self._waiting -= 1
        return Page((), start)

    def close(self) -> None:
        """End every wait: listeners see ``closed`` and leave."""
        self.closed = True
        self._changed.set()

    async def _watching(self) -> None:
        busy, idle = self._settings.busy_poll.total_seconds(), self._settings.idle_poll.total_seconds()
        pause = busy
        while self._waiting and not self.closed:
            with suppress(RakkanError):
                before = self._size
                pause = busy if await self.size() > before else min(pause * _SLOWER, idle)
            await asyncio.sleep(pause)

    def _grown(self, size: int) -> None:
        if size > self._size:
            self._size = size
            self._changed.set()
            self._changed = asyncio.Event()

    async def _page(self, predicate_types: Sequence[str], start: int) -> Page:
        key = (predicate_types, start, self._size)
        found = self._pages.get(key)
        if found is None:
            while len(self._pages) >= _SHARED:
                del self._pages[next(iter(self._pages))]
            loop = asyncio.get_running_loop()
            found = loop.run_in_executor(self._threads, self.source.page, *key)
            self._pages[key] = found
            # A failure is for those who wait for it now; the next one asks again.
            found.add_done_callback(lambda done: self._forget(key, done))
        # Shielded: who leaves takes the page from nobody else.
        return await asyncio.shield(found)

    def _forget(self, key: tuple[Sequence[str], int, int], done: asyncio.Future[Page]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._pages.pop(key, None)
