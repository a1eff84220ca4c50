"""Whatever happens between a hook and the log, each record comes in once, and what is missing is told."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core.spooled import read_spooled
from ledger.errors import RakkanError, UndecidedError
from ledger.service.capture.agent import record_name
from ledger.service.capture.store import Receipted
from tests.e2e.conftest import Studio, found
from tests.support.capturing import CaptureDevice, statements

HAPPENINGS = ("draw", "turn", "crash before", "crash after", "away", "lost reply", "taken away", "torn")


class KilledError(BaseException):
    """The process is gone: nothing catches this."""


class Broken:
    """A way to the log on which something goes wrong."""

    def __init__(self, log: object, *, after: bool) -> None:
        self._log, self._after = log, after

    def send(self, envelopes: Sequence[bytes]) -> Sequence[Receipted | RakkanError]:
        if self._after:
            self._log.send(envelopes)  # type: ignore[attr-defined] # the log took them, and nobody hears of it
        raise UndecidedError("server.unreachable", "away")

    def share(self, openings: object) -> None:
        raise UndecidedError("server.unreachable", "away")


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return found(tmp_path_factory.mktemp("founded"))


@contextmanager
def a_device(founded: Studio) -> Iterator[tuple[CaptureDevice, Studio]]:
    with TemporaryDirectory() as folder:
        place = Path(folder)
        shutil.copytree(founded.home, place / "home")
        (place / "work").mkdir()
        device = CaptureDevice(place / "device", place / "home", place / "work").install()
        yield device, Studio(place / "home", place / "work")


def killed(*_: object) -> None:
    raise KilledError


def happens(device: CaptureDevice, what: str, number: int) -> bool:
    """Let something happen; whether a record was taken away or torn by it."""
    if what == "draw":
        device.draws(f"{number}.png")
    elif what == "turn":
        device.turn()
    elif what in ("crash before", "crash after"):
        name = "chain.SqliteChain.add" if what == "crash before" else "spool.DirectorySpool.remove"
        with pytest.MonkeyPatch.context() as patch, suppress(KilledError):
            patch.setattr(f"ledger.adapters.{name}", killed)
            device.turn()
    elif what in ("away", "lost reply"):
        with device.agent() as agent:
            (way,) = agent.ways
            way.uplink = Broken(way.uplink, after=what == "lost reply")
            agent.turn()
    elif (waiting := device.spool.waiting(1)) and not past_harming(device, waiting[0].data):
        path = device.spool.folder / "new" / waiting[0].name
        device.spool.remove([path.name], ()) if what == "taken away" else path.write_bytes(b'{"rakkan')
        return True
    return False


def past_harming(device: CaptureDevice, data: bytes) -> bool:
    """Whether the record is past harming: torn already, or left in both places by a crash."""
    with suppress(RakkanError), device.agent() as agent:
        return bool(agent.ways[0].chain.knows([record_name(read_spooled(data))]))
    return True


@settings(max_examples=25)
@given(st.lists(st.sampled_from(HAPPENINGS), max_size=14))
def test_each_record_once_and_each_loss_told(founded: Studio, story: list[str]) -> None:
    with a_device(founded) as (device, studio):
        drawn = harmed = 0
        for number, what in enumerate(story):
            drawn += what == "draw"
            harmed += happens(device, what, number)
        device.draws("last.png")  # a number after the last one that may be missing
        device.turn()
        made = statements(studio, "step/v2")
        names = [item["subject"][0]["name"] for item in made]
        assert len(set(names)) == len(names) == drawn + 1 - harmed
        held = len(device.spool.held())
        lost = statements(studio, "lost-record/v1")
        told = sum(_count(item["subject"][0]["name"]) for item in lost)
        assert told + held == harmed
        chain = studio("devices", "--check", "--json").json[0]
        assert (chain["missing"], chain["forks"], chain["broken"]) == ([], [], [])
        assert device.waiting() == []


def _count(name: str) -> int:
    """How many records a subject stands for: ``record 3``, ``record 3 to 5``."""
    first, _, last = name.removeprefix("record ").partition(" to ")
    return int(last or first) - int(first) + 1
