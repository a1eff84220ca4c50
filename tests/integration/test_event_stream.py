"""A stream to a reader that is slow, gone, or told to leave; and what a hub shares among many."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

from starlette.types import Message

from api.event_stream import EventStream
from ledger.core.artifact import Artifact
from ledger.core.predicates import StepV2
from ledger.errors import RefusedError
from ledger.service.events.hub import EventSettings, Hub
from ledger.service.events.source import Source
from ledger.service.events.store import EventRow
from ledger.testing import MemoryEntryStore
from ledger.testing.events import MemoryEventStore

QUICK = EventSettings(
    heartbeat=timedelta(milliseconds=300),
    busy_poll=timedelta(milliseconds=10),
    idle_poll=timedelta(milliseconds=20),
)
TYPES = (StepV2.TYPE,)


class Counting(MemoryEventStore):
    """Counts what it is asked, and is away while it is told so."""

    def __init__(self) -> None:
        super().__init__()
        self.pages = self.sizes = 0
        self.away = False

    def size(self) -> int:
        self.sizes += 1
        if self.away:
            raise RefusedError("log.storage", "The database is away.")
        return super().size()

    def rows(self, predicate_types: Sequence[str], start: int, stop: int, limit: int, subjects: int) -> Any:
        self.pages += 1
        return super().rows(predicate_types, start, stop, limit, subjects)

    def grow(self, count: int) -> None:
        for index in range(len(self.entries), len(self.entries) + count):
            subjects = (Artifact(f"f{index}", "0" * 64),)
            self.entries.append(EventRow(index, StepV2.TYPE, "2026-11-22T00:00:00Z", subjects, more=False))


def hub_on(store: MemoryEventStore, threads: ThreadPoolExecutor) -> Hub:
    return Hub(Source("nightfall", MemoryEntryStore(), store), QUICK, threads)


async def no_end(_: object = None) -> AsyncGenerator[bytes, None]:
    while True:
        yield b"id: 1\n\n"


async def here() -> Message:
    await asyncio.sleep(3600)
    return {"type": "http.disconnect"}


def test_a_reader_that_takes_nothing_in_is_dropped() -> None:
    made: list[bytes] = []

    async def counted() -> AsyncGenerator[bytes, None]:
        async for piece in no_end():
            made.append(piece)
            yield piece

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            await asyncio.sleep(3600)

    held, ended = ExitStack(), list[bool]()
    held.callback(ended.append, True)
    asyncio.run(EventStream(counted(), 0.1, held)({}, here, send))
    assert (len(made), ended) == (1, [True])


def test_a_reader_that_leaves_ends_the_work_at_once() -> None:
    closed = []

    async def quiet() -> AsyncGenerator[bytes, None]:
        try:
            yield b"retry: 1\n\n"
            await asyncio.sleep(3600)
        finally:
            closed.append(True)

    async def leaves() -> Message:
        await asyncio.sleep(0.05)
        return {"type": "http.disconnect"}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(EventStream(quiet(), 1, ExitStack())({}, leaves, send))
    assert closed == [True]
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]


def test_many_listeners_at_one_place_cost_one_reading() -> None:
    store = Counting()

    async def listen() -> list[int]:
        with ThreadPoolExecutor(2) as threads:
            hub = hub_on(store, threads)
            size = await hub.size()
            waiting = [asyncio.create_task(hub.next(TYPES, size)) for _ in range(200)]
            await asyncio.sleep(0.05)
            before = store.sizes
            store.grow(3)
            pages = await asyncio.gather(*waiting)
            assert store.sizes - before < 10
            hub.close()
            return [len(page.events) for page in pages]

    assert asyncio.run(listen()) == [3] * 200
    assert store.pages == 1


def test_who_is_a_week_behind_reads_pages() -> None:
    store = Counting()
    store.grow(2_345)

    async def read() -> list[int]:
        found: list[int] = []
        with ThreadPoolExecutor(2) as threads:
            hub, start = hub_on(store, threads), 0
            await hub.size()
            while start < 2_345:
                page = await hub.next(TYPES, start)
                assert len(page.events) <= 100
                found += [event.index for event in page.events]
                start = page.next
            hub.close()
        return found

    assert asyncio.run(read()) == list(range(2_345))


def test_a_database_that_is_away_for_a_while_ends_no_wait() -> None:
    store = Counting()

    async def wait() -> int:
        with ThreadPoolExecutor(2) as threads:
            hub = hub_on(store, threads)
            size = await hub.size()
            store.away = True
            waiting = asyncio.create_task(hub.next(TYPES, size))
            await asyncio.sleep(0.1)
            store.away = False
            store.grow(1)
            page = await waiting
            hub.close()
            return len(page.events)

    assert asyncio.run(wait()) == 1


def test_a_process_that_stops_ends_every_wait() -> None:
    store = Counting()

    async def wait() -> bool:
        with ThreadPoolExecutor(2) as threads:
            hub = hub_on(store, threads)
            waiting = asyncio.create_task(hub.next(TYPES, await hub.size()))
            await asyncio.sleep(0.05)
            hub.close()
            async with asyncio.timeout(0.2):  # before the heartbeat
                await waiting
            return hub.closed

    assert asyncio.run(wait())
