"""Between the event loop and the log's thread: everybody is answered, and nobody wakes the other up twice."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from api.bodies import Room
from api.intake import SLICE, Intake, slices
from ledger.errors import RakkanError, RefusedError
from ledger.service.capture.upload import Pace
from ledger.service.log.sequence import Appended, Log, Offer
from ledger.service.log.sequencer import Sequencer
from tests.support.log import entries, new_log


def intake(log: Log, max_waiting: int = 1_000) -> Intake:
    return Intake(Sequencer(log, max_waiting=max_waiting), Room(1_000), Pace())


def test_what_one_turn_of_the_loop_reads_is_one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    log, sizes = new_log(), []
    commit = log.commit

    def counting(offers: Sequence[Offer], *, together: bool = False) -> list[Appended | RakkanError]:
        sizes.append(len(offers))
        return commit(offers, together=together)

    monkeypatch.setattr(log, "commit", counting)

    async def run() -> list[Appended]:
        taking = intake(log)
        found = await asyncio.gather(*(taking.one(entry) for entry in entries(50)))
        taking.sequencer.close()
        return found

    assert sorted(item.index for item in asyncio.run(run())) == list(range(50))
    assert sizes == [50]


def test_every_way_to_fail_is_an_answer() -> None:
    """A rule's refusal, what nobody foresaw, a queue that is full, a log that is closed."""

    async def run() -> list[str]:
        taking = intake(new_log(), max_waiting=3)
        found = await asyncio.gather(
            *(taking.one(entry) for entry in (b"a", bytes(70_000), b"invalid", b"b")), return_exceptions=True
        )
        flood = [taking.one(entry) for entry in entries(8)]
        refused = await asyncio.gather(*flood, return_exceptions=True)
        assert [type(item) for item in refused] == [Appended] * 3 + [RefusedError] * 5
        taking.sequencer.close()
        late = await asyncio.gather(taking.one(b"late"), return_exceptions=True)
        return [getattr(item, "code", "") for item in [*found, *refused[-1:], *late]]

    assert asyncio.run(run()) == [
        "",
        "envelope.too-large",
        "server.fault",
        "",
        "log.overloaded",
        "log.closed",
    ]


def test_bulk_waits_for_room_and_is_all_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    log, gate = new_log(), threading.Event()
    commit = log.commit

    def slow(offers: Sequence[Offer], *, together: bool = False) -> list[Appended | RakkanError]:
        assert gate.wait(20)
        return commit(offers, together=together)

    monkeypatch.setattr(log, "commit", slow)

    async def run() -> tuple[int, int]:
        taking = intake(log, max_waiting=2 * SLICE)
        pieces = list(slices(entries(10 * SLICE)))
        putting = [asyncio.create_task(taking.put(piece)) for piece in pieces]
        await asyncio.sleep(0.1)
        before = sum(task.done() for task in putting)
        gate.set()
        outcomes = [await waiter for task in putting for waiter in await task]
        taking.sequencer.close()
        return before, len([item for item in outcomes if isinstance(item, Appended)])

    before, after = asyncio.run(run())
    assert before < 4
    assert after == 10 * SLICE


def test_slices_are_small_in_number_and_in_bytes() -> None:
    assert [len(piece) for piece in slices(entries(40))] == [16, 16, 8]
    assert [len(piece) for piece in slices([bytes(40_000)] * 3)] == [1, 1, 1]
    assert list(slices([])) == []


def test_room_is_given_back_whatever_happens() -> None:
    room = Room(10)
    for _ in range(3):
        with room.part() as take:
            take(10)
            with pytest.raises(RefusedError):
                take(1)
    with room.part() as take, room.part() as other:
        take(5)
        other(5)
