"""Publishing while a service runs: what is new, once a second, by one process, whatever goes wrong."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ledger.adapters.alarms import DirectoryAlarms
from ledger.adapters.sql.engine import dialect_of
from ledger.core.checkpoint import parse_checkpoint
from ledger.errors import UndecidedError
from ledger.ports import Lease
from ledger.service.log.publish import CHECKPOINT, Published, publish
from ledger.service.log.publishing import Publishing, PublishSettings, PublishState
from ledger.service.log.sequence import Log
from ledger.service.log.witnessing import Witnessing
from ledger.testing import FixedClock, MemoryCheckpointStore
from tests.architecture.project import ROOT
from tests.support.engines import engine_on
from tests.support.log import engine_of, entries, opened, publication, sqlite_log
from tests.support.witness import Direct, cosigner_key, new_witness, policy_of

FAST = PublishSettings(every=0.05, slowest=0.2, farewell=2.0)
HOLDER = """
import sys, time
from ledger.adapters.sql.engine import dialect_of, open_database
lease = dialect_of(engine := open_database(sys.argv[1])).lease(engine, "publisher")
print(lease.take(), flush=True)
time.sleep(60)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with engine_on(request, tmp_path) as found:
        yield found


def lease_of(engine: Engine, name: str = "publisher") -> Lease:
    return dialect_of(engine).lease(engine, name)


def until(true: Callable[[], object], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.01)


def test_one_holds_a_lease_until_it_gives_it_up(engine: Engine) -> None:
    one, other, another_thing = lease_of(engine), lease_of(engine), lease_of(engine, "sweeper")
    assert one.take()
    assert one.take()
    assert not other.take()
    assert another_thing.take()
    one.release()
    assert other.take()
    assert not one.take()
    other.release()
    other.release()
    another_thing.release()


def test_a_lease_ends_with_its_holder_however_it_dies(engine: Engine) -> None:
    address = engine.url.render_as_string(hide_password=False)
    address = address.replace("postgresql+psycopg", "postgresql")
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, address], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        mine = lease_of(engine)
        assert not mine.take()
        holder.kill()
    until(mine.take)
    mine.release()


def test_a_server_that_went_away_took_the_lease_along(postgres_url: str) -> None:
    """Whoever thinks that it holds the lock finds out."""
    with opened(postgres_url) as engine:
        mine, other = lease_of(engine), lease_of(engine)
        assert mine.take()
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            )
        until(other.take)
        assert not mine.take()
        assert not mine.take()
        other.release()


class Watched:
    """Publishes a log into its folder, and remembers when."""

    def __init__(self, folder: Path, log: Log, **given: object) -> None:
        self.folder, self.log, self.given = folder, log, given
        self.times: list[float] = []
        self.alarms = DirectoryAlarms(folder / "alarms", FixedClock())

    def __call__(self) -> Published:
        self.times.append(time.monotonic())
        witnessing = self.given.get("witnessing")
        assert witnessing is None or isinstance(witnessing, Witnessing)
        return publish(self.log, publication(self.folder), alarms=self.alarms, witnessing=witnessing)

    def size(self) -> int:
        note = publication(self.folder).get(CHECKPOINT)
        return parse_checkpoint(note).size if note else 0

    def is_at(self, size: int) -> bool:
        return self.size() == size

    def publishing(self, settings: PublishSettings = FAST, lease: Lease | None = None) -> Publishing:
        lease = lease or lease_of(engine_of(self.log))
        return Publishing(self, lambda: self.log.store.head().size, self.size, lease, settings)


@contextmanager
def watched(folder: Path, **given: object) -> Iterator[Watched]:
    with sqlite_log(folder) as log:
        log.append(entries(3))
        yield Watched(folder, log, **given)


def test_what_is_new_is_published_and_what_is_not_is_left_alone(tmp_path: Path) -> None:
    with watched(tmp_path) as seen:
        running = seen.publishing()
        running.start()
        until(lambda: seen.size() == 3)
        time.sleep(0.3)
        assert len(seen.times) == 1
        seen.log.append(entries(300))
        until(lambda: running.state == PublishState(holder=True, size=300))
        assert seen.size() == 300
        running.close()
        assert len(seen.times) == 2


def test_at_most_once_in_an_interval_however_fast_the_log_grows(tmp_path: Path) -> None:
    with watched(tmp_path) as seen:
        running = seen.publishing(PublishSettings(every=0.3))
        running.start()
        made = entries(400)
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            seen.log.append(made[: min(400, seen.log.store.head().size + 1)])
            time.sleep(0.01)
        running.close()
        # The last one is the farewell, which waits for nobody.
        gaps = [later - earlier for earlier, later in zip(seen.times[:-1], seen.times[1:-1], strict=False)]
        assert len(gaps) >= 2
        assert min(gaps) >= 0.3
        assert seen.size() == seen.log.store.head().size


def test_an_open_alarm_holds_it_up_and_recording_goes_on(tmp_path: Path) -> None:
    with watched(tmp_path) as seen:
        name = seen.alarms.sound("witness.fork", "somebody must look", {"theirs": b"x"})
        running = seen.publishing()
        running.start()
        until(lambda: running.state.error == "log.alarm")
        seen.log.append(entries(10))
        assert seen.size() == 0
        time.sleep(1.0)
        assert len(seen.times) < 8  # 20 intervals: it tries less and less often
        seen.alarms.close(name, "we looked")
        until(lambda: seen.size() == 10)
        until(lambda: running.state.error is None)
        running.close()


def test_a_contradiction_sounds_the_alarm_that_the_command_sounds(tmp_path: Path) -> None:
    with watched(tmp_path) as seen:
        (tmp_path / "other").mkdir()
        with sqlite_log(tmp_path / "other") as other:
            other.append(entries(5, "another history"))
            publish(other, publication(tmp_path))
        seen.log.append(entries(9))
        running = seen.publishing()
        running.start()
        until(lambda: running.state.error in {"log.conflict", "log.alarm"})
        running.close()
        (kept,) = seen.alarms.open()
        assert (Path(kept) / "theirs.checkpoint").read_bytes() == publication(tmp_path).get(CHECKPOINT)


@pytest.mark.parametrize(
    ("every", "slowest", "farewell"), [(0.0, 60.0, 5.0), (2.0, 1.0, 5.0), (1.0, 60.0, -1.0)]
)
def test_settings_that_would_never_rest_are_refused(every: float, slowest: float, farewell: float) -> None:
    with pytest.raises(ValueError, match="has times"):
        PublishSettings(every=every, slowest=slowest, farewell=farewell)


class Away:
    """A witness that cannot be reached until it is."""

    name = "a"

    def __init__(self) -> None:
        self.real: Direct | None = None

    def add_checkpoint(self, old_size: int, proof: Sequence[bytes], checkpoint: bytes) -> bytes:
        if self.real is None:
            raise UndecidedError("witness.unavailable", "Nobody answers.", witness=self.name)
        return self.real.add_checkpoint(old_size, proof, checkpoint)

    def checkpoint(self, origin: str) -> bytes | None:
        return None if self.real is None else self.real.checkpoint(origin)


def test_a_missing_witness_is_asked_again_and_delays_nothing(tmp_path: Path) -> None:
    away = Away()
    asked = Witnessing(
        policy_of("all", cosigner_key("a")), [away], MemoryCheckpointStore(), fail_closed=False
    )
    with watched(tmp_path, witnessing=asked) as seen:
        running = seen.publishing()
        running.start()
        for size in (4, 5, 6):
            seen.log.append(entries(size))
            until(partial(seen.is_at, size))
        until(lambda: running.state.error == "witness.unavailable")
        away.real = Direct("a", new_witness("a"))
        until(lambda: running.state.error is None)
        assert b"witness.example/a" in (publication(tmp_path).get(CHECKPOINT) or b"")
        running.close()


def test_a_defect_is_waited_out_too(tmp_path: Path) -> None:
    with watched(tmp_path) as seen:
        broken = [ZeroDivisionError("a defect")]

        def sometimes() -> Published:
            if broken:
                raise broken.pop()
            return seen()

        lease = lease_of(engine_of(seen.log))
        running = Publishing(sometimes, lambda: seen.log.store.head().size, seen.size, lease, FAST)
        running.start()
        until(lambda: seen.size() == 3)
        running.close()


def test_of_two_publishers_one_works_and_the_other_takes_over(tmp_path: Path) -> None:
    with watched(tmp_path) as one, sqlite_log(tmp_path) as log:
        two = Watched(tmp_path, log)
        lease = lease_of(engine_of(one.log))
        first, second = one.publishing(lease=lease), two.publishing()
        first.start()
        until(lambda: first.state.holder)
        second.start()
        one.log.append(entries(20))
        until(lambda: one.size() == 20)
        assert two.times == []
        first.close()
        lease.release()  # as the wiring does
        one.log.append(entries(30))
        until(lambda: one.size() == 30)
        assert len(two.times) >= 1
        second.close()


def test_who_stops_without_the_lease_leaves_nothing_unpublished(tmp_path: Path) -> None:
    """Its last entries are published by the holder, or by itself when the holder is gone."""
    slow = PublishSettings(every=0.8, farewell=5.0)
    with watched(tmp_path) as one, sqlite_log(tmp_path) as log:
        two = Watched(tmp_path, log)
        first, second = one.publishing(slow), two.publishing(slow)
        first.start()
        until(lambda: one.size() == 3)
        second.start()
        log.append(entries(40))
        second.close()
        assert one.size() == 40
        assert two.times == []
        first.close()


def test_the_last_entries_are_published_at_the_end(tmp_path: Path) -> None:
    with watched(tmp_path) as seen:
        running = seen.publishing(PublishSettings(every=60))
        running.start()
        until(lambda: seen.size() == 3)
        seen.log.append(entries(9))
        running.close()
        assert seen.size() == 9
