"""Whatever a Kitsu server answers, the listener's record can be read: it never holds up the agent."""

import importlib.util
import json
import sys
import threading
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.spooled import read_spooled
from tests.architecture.project import ROOT

HOOKS = ROOT / "ledger/hooks"
NAMES = st.text(min_size=1)
FRAMES = st.none() | st.integers() | st.text() | st.floats(allow_nan=False) | st.lists(st.integers())


@pytest.fixture(scope="module")
def kitsu() -> ModuleType:
    """Return the listener as it runs: beside its own files, and not as a part of the ledger."""
    spec = importlib.util.spec_from_file_location("rakkan_kitsu", HOOKS / "kitsu.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(HOOKS))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(HOOKS))
    return module


@given(
    names=st.tuples(NAMES, NAMES, NAMES, NAMES),
    episode=st.none() | st.fixed_dictionaries({"name": NAMES}),
    kind=st.sampled_from(["Shot", "Scene", "Props", "Sequence"]),
    data=st.none() | st.fixed_dictionaries({}, optional={"frame_in": FRAMES, "frame_out": FRAMES}),
    revision=st.integers(0, 10_000),
)
def test_a_task_gives_a_place_that_can_be_read(
    kitsu: ModuleType, names: tuple[str, ...], episode: Any, kind: str, data: Any, revision: int
) -> None:
    task = {
        "id": "t",
        "project": {"name": names[0], "code": None},
        "episode": episode,
        "sequence": {"name": names[1]},
        "entity": {"name": names[2], "data": data},
        "entity_type": {"name": kind},
        "task_type": {"name": names[3]},
        "task_status": {"short_name": "wfa"},
    }
    preview = {"id": "p", "revision": revision}
    record = {
        "rakkan": 1,
        "id": "r",
        "captured": "2026-11-22T12:00:00Z",
        "hook": {"name": "kitsu", "version": "1"},
        "layer": "share",
        "action": "convert",
        "tool": {"name": "Kitsu", "version": "1"},
        "place": kitsu.place_of(task, preview),
        "parameters": kitsu.parameters_of(task, [preview]),
    }
    found = read_spooled(json.dumps(record).encode("ascii"))
    assert ("episode" in found.place) == (episode is not None)
    assert ("shot" in found.place) == (kind in ("Shot", "Scene"))
    assert all(abs(frame) < 1 << 31 for frame in found.place.get("frames", ()))


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), max_size=20))
def test_the_last_revision_comes_whole_and_in_order(kitsu: ModuleType, found: list[tuple[int, int]]) -> None:
    previews = [{"revision": revision, "position": position} for revision, position in found]
    last = kitsu.latest(previews)
    newest = max((revision for revision, _ in found), default=0)
    assert [each["position"] for each in last] == sorted(place for which, place in found if which == newest)


class LateStore:
    """A listener whose server stores an event some looks after it announced it."""

    def __init__(self, wake: threading.Event, late: int) -> None:
        self.options = SimpleNamespace(every=3600, policy=None, once=False)
        self._wake, self._late, self._looks = wake, late, 0

    def catch_up(self) -> int:
        if self._looks == 0:
            self._wake.set()
        if self._looks == self._late:
            raise EOFError
        self._looks += 1
        return 0

    def tidy(self) -> None:
        pass


@pytest.mark.parametrize("late", range(1, 6))
def test_an_event_that_a_busy_server_stores_late_is_looked_for_again(
    kitsu: ModuleType, monkeypatch: pytest.MonkeyPatch, late: int
) -> None:
    monkeypatch.setattr(kitsu, "SETTLE", tuple(0.001 for _ in kitsu.SETTLE))
    wake = threading.Event()
    with pytest.raises(EOFError):  # otherwise it would look in an hour
        kitsu.follow(LateStore(wake, late), wake)
