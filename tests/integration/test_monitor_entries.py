"""Reading every entry of a published log: complete, resumable, and never content with less."""

from collections.abc import Callable
from typing import Any

import pytest

from ledger.core import canonical
from ledger.core.checkpoint import Checkpoint, parse_checkpoint
from ledger.core.merkle import leaf_hash
from ledger.core.tiles import encode_bundle, tiles_of
from ledger.errors import RakkanError
from ledger.service.log.monitor_entries import PROGRESS, read_entries
from ledger.service.log.publish import publish
from ledger.testing import MemoryPublication
from tests.support.log import entries
from tests.support.site import honest


class Counting(MemoryPublication):
    """A published log that remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def get(self, path: str) -> bytes | None:
        self.asked.append(path)
        return super().get(path)


@pytest.fixture
def public() -> Counting:
    public = Counting()
    publish(honest(600), public)
    return public


def read(public: MemoryPublication, state: MemoryPublication, bundles: int = 99) -> int:
    """Read at most so many full bundles."""
    left = iter(range(bundles))
    return read_entries(public, state, signed(public), lambda: next(left, None) is None)


def signed(public: MemoryPublication) -> Checkpoint:
    return parse_checkpoint(public.files["checkpoint"])


def refused(call: Callable[[], object]) -> RakkanError:
    with pytest.raises(RakkanError) as error:
        call()
    return error.value


def progress(state: MemoryPublication) -> Any:
    return canonical.decode(state.files[PROGRESS])


@pytest.mark.parametrize("size", [1, 255, 256, 257, 512, 600])
def test_every_entry_is_read_once(size: int) -> None:
    public, state = Counting(), MemoryPublication()
    publish(honest(size), public)
    public.asked.clear()
    assert read(public, state) == size
    expected = [
        path for tile in tiles_of(0, size) if tile.level == 0 for path in (tile.bundle_path, tile.path)
    ]
    assert public.asked == expected
    assert progress(state)["entries"] == size // 256 * 256


def test_a_reading_that_was_stopped_goes_on(public: Counting) -> None:
    state = MemoryPublication()
    assert [read(public, state, 1), read(public, state, 0)] == [256, 256]
    public.asked.clear()
    assert read(public, state) == 600
    assert public.asked[0] == "tile/entries/001"


def test_only_what_is_new_is_read_when_the_log_has_grown(public: Counting) -> None:
    state = MemoryPublication()
    read(public, state)
    log = honest(600)
    log.append(entries(1000))
    publish(log, public)
    public.asked.clear()
    assert read(public, state) == 1000
    assert public.asked[0] == "tile/entries/002"


def test_a_full_bundle_stands_in_for_a_partial_one(public: Counting) -> None:
    older = signed(public)
    log = honest(600)
    log.append(entries(1000))
    publish(log, public)
    for path in ("tile/entries/002.p/88", "tile/0/002.p/88"):
        del public.files[path]
    assert read_entries(public, MemoryPublication(), older, lambda: False) == 600


BUNDLES = ["tile/entries/000", "tile/entries/001", "tile/entries/002.p/88"]


@pytest.mark.parametrize("path", BUNDLES)
def test_a_changed_entry_is_named(public: Counting, path: str) -> None:
    data = public.files[path]
    public.files[path] = data[:-1] + bytes([data[-1] ^ 1])
    error = refused(lambda: read(public, MemoryPublication()))
    assert (error.code, error.evidence["bundle"]) == ("monitor.tiles", path)


@pytest.mark.parametrize("path", BUNDLES)
@pytest.mark.parametrize("damage", ["cut", "grown", "lost", "empty", "entry-less"])
def test_a_bundle_that_is_not_whole_decides_nothing(public: Counting, path: str, damage: str) -> None:
    data, state = public.files[path], MemoryPublication()
    less = encode_bundle(entries(600)[:3])
    changed = {"cut": data[:-1], "grown": data + b"\0", "empty": b"", "entry-less": less}
    if damage == "lost":
        del public.files[path]
    else:
        public.files[path] = changed[damage]
    error = refused(lambda: read(public, state))
    assert (error.code, error.evidence["bundle"]) == ("monitor.incomplete", path)
    public.files[path] = data
    assert read(public, state) == 600


@pytest.mark.parametrize("number", [0, 1, 2])
def test_entries_and_tile_that_lie_together_are_found_at_the_end(public: Counting, number: int) -> None:
    tile = [tile for tile in tiles_of(0, 600) if tile.level == 0][number]
    false = [f"false {index}".encode() for index in range(tile.width)]
    before = dict(public.files)
    public.files[tile.bundle_path] = encode_bundle(false)
    public.files[tile.path] = b"".join(leaf_hash(entry) for entry in false)
    state = MemoryPublication()
    error = refused(lambda: read(public, state))
    assert (error.code, error.evidence["size"]) == ("monitor.tiles", 600)
    assert progress(state)["entries"] == 0
    public.files.update(before)
    assert read(public, state) == 600


@pytest.mark.parametrize(
    "data",
    [
        b"garbage",
        b"{}",
        b"[]",
        b'{"entries":256,"peaks":""}',
        b'{"entries":255,"peaks":""}',
        b'{"entries":-256,"peaks":""}',
        b'{"entries":1024,"peaks":"' + b"A" * 43 + b'="}',
        b'{"entries":0,"more":1,"peaks":""}',
    ],
)
def test_a_damaged_progress_is_said(public: Counting, data: bytes) -> None:
    state = MemoryPublication()
    state.files[PROGRESS] = data
    assert refused(lambda: read(public, state)).code == "monitor.state"
    assert state.files[PROGRESS] == data


def test_a_false_progress_is_found_at_the_end(public: Counting) -> None:
    state = MemoryPublication()
    state.files[PROGRESS] = b'{"entries":256,"peaks":"' + b"A" * 43 + b'="}'
    assert refused(lambda: read(public, state)).code == "monitor.tiles"
    assert read(public, state) == 600


def test_two_readers_of_one_state_do_not_disturb_each_other(public: Counting) -> None:
    class Overtaken(MemoryPublication):
        def get(self, path: str) -> bytes | None:
            found = super().get(path)
            self.files[PROGRESS] = b'{"entries":0,"peaks":""}'
            return found

    assert read(public, Overtaken()) == 600
