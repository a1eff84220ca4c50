"""Publication: complete, checked before the checkpoint, repeatable at any point, and never backwards."""

from pathlib import Path

import pytest

from ledger.core.checkpoint import open_checkpoint, sign_checkpoint
from ledger.core.merkle import leaf_hash, peaks_of, root
from ledger.core.note import NoteSigner
from ledger.core.tiles import TileNodes, decode_bundle, parse_path, tiles_of
from ledger.errors import IntegrityError, RefusedError, UsageError
from ledger.ports import Publication
from ledger.service.log.publish import publish
from ledger.testing import MemoryPublication, SeedSigner
from tests.support.log import ORIGIN, entries, new_log, publication, sqlite_log, tree_hash

SIZES = [1, 2, 255, 256, 257, 511, 512, 600]


def names(size: int) -> set[str]:
    tiles = list(tiles_of(0, size))
    return {tile.path for tile in tiles} | {tile.bundle_path for tile in tiles if tile.level == 0}


def check(public: Publication, expected: list[bytes]) -> None:
    """Read the whole log from its files, as a stranger would."""
    note = public.get("checkpoint")
    assert note is not None
    checkpoint = open_checkpoint(note, [new_log().verifier])
    assert checkpoint.size == len(expected)
    assert checkpoint.root == tree_hash([leaf_hash(entry) for entry in expected])
    nodes = TileNodes(checkpoint.size, lambda tile: public.get(tile.path) or b"")
    assert root(peaks_of(0, checkpoint.size, nodes)) == checkpoint.root
    found: list[bytes] = []
    for tile in tiles_of(0, checkpoint.size):
        if tile.level == 0:
            found += decode_bundle(public.get(tile.bundle_path) or b"")
    assert found == expected


@pytest.mark.parametrize("size", SIZES)
def test_a_published_log_can_be_read_without_us(size: int) -> None:
    log, public = new_log(), MemoryPublication()
    log.append(entries(size))
    result = publish(log, public)
    check(public, entries(size))
    assert set(public.files) == names(size) | {"checkpoint"}
    assert (result.size, result.files) == (size, len(public.files))
    assert result.checkpoint == public.files["checkpoint"]


def test_growing_publications_write_only_what_is_new() -> None:
    log, public = new_log(), MemoryPublication()
    expected: set[str] = {"checkpoint"}
    for size in SIZES:
        log.append(entries(size))
        before = dict(public.files)
        result = publish(log, public)
        check(public, entries(size))
        expected |= names(size)
        assert set(public.files) == expected
        changed = [name for name, data in public.files.items() if before.get(name) != data]
        assert len(changed) == result.files
        assert all(name == "checkpoint" or parse_path(name) for name in changed)


def test_the_same_head_again_writes_nothing() -> None:
    log, public = new_log(), MemoryPublication()
    log.append(entries(3))
    publish(log, public)
    before = dict(public.files)
    assert publish(log, public).files == 0
    assert public.files == before


def test_an_empty_log_is_not_published() -> None:
    with pytest.raises(UsageError) as error:
        publish(new_log(), MemoryPublication())
    assert error.value.code == "log.empty"


class Stopping(MemoryPublication):
    """A publication that dies after so many files."""

    def __init__(self, files: dict[str, bytes], left: int) -> None:
        super().__init__()
        self.files, self.left, self.order = files, left, list[str]()

    def _count(self, path: str) -> None:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        self.order.append(path)

    def put_immutable(self, path: str, data: bytes) -> None:
        self._count(path)
        super().put_immutable(path, data)

    def swap(self, path: str, old: bytes | None, new: bytes) -> None:
        self._count(path)
        super().swap(path, old, new)


def test_it_can_die_after_any_file_and_be_repeated() -> None:
    """The published checkpoint's files are all there at every moment."""
    log = new_log()
    log.append(entries(200))
    files: dict[str, bytes] = {}
    publish(log, Stopping(files, 99))
    log.append(entries(600))
    whole = MemoryPublication()
    publish(log, whole)
    steps = publish(log, Stopping(dict(files), 99)).files
    for left in range(steps):
        public = Stopping(dict(files), left)
        with pytest.raises(KeyboardInterrupt):
            publish(log, public)
        check(public, entries(200))
        publish(log, Stopping(public.files, 99))
        check(public, entries(600))
        assert public.files.items() >= whole.files.items()


def test_the_checkpoint_comes_last_and_entries_before_their_hashes() -> None:
    log = new_log()
    log.append(entries(600))
    public = Stopping({}, 99)
    publish(log, public)
    assert public.order[-1] == "checkpoint"
    levels = [
        0 if path.startswith("tile/entries") else 1 + int(path.split("/")[1]) for path in public.order[:-1]
    ]
    assert levels == [0, 1, 0, 1, 0, 1, 2]


def test_a_directory_holds_the_same_files(tmp_path: Path) -> None:
    with sqlite_log(tmp_path) as log:
        memory, folder = MemoryPublication(), publication(tmp_path)
        for size in (200, 300):
            log.append(entries(size))
            publish(log, memory)
            publish(log, folder)
    found = {
        str(path.relative_to(tmp_path / "public")): path.read_bytes()
        for path in (tmp_path / "public").rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }
    assert found == memory.files


def test_a_database_behind_the_publication_publishes_nothing() -> None:
    newer, older, public = new_log(), new_log(), MemoryPublication()
    newer.append(entries(9))
    older.append(entries(5))
    publish(newer, public)
    before = dict(public.files)
    with pytest.raises(RefusedError) as error:
        publish(older, public)
    assert (error.value.code, error.value.evidence["published"]) == ("log.rollback", 9)
    assert public.files == before


@pytest.mark.parametrize("extra", [0, 4])
def test_a_log_that_took_another_turn_publishes_nothing(extra: int) -> None:
    one, two, public = new_log(), new_log(), MemoryPublication()
    one.append(entries(9))
    two.append(entries(9 + extra, "other"))
    publish(one, public)
    before = dict(public.files)
    with pytest.raises(IntegrityError) as error:
        publish(two, public)
    assert error.value.code == "log.conflict"
    assert public.files == before


@pytest.mark.parametrize(
    "note",
    [
        b"garbage",
        sign_checkpoint(ORIGIN, 1, bytes(32), [NoteSigner(ORIGIN, SeedSigner("other"))]),
        sign_checkpoint("other.example", 1, bytes(32), [NoteSigner("other.example", SeedSigner("log"))]),
    ],
    ids=["garbage", "other-key", "other-log"],
)
def test_a_place_that_holds_something_else_is_left_alone(note: bytes) -> None:
    log, public = new_log(), MemoryPublication()
    log.append(entries(3))
    public.files["checkpoint"] = note
    with pytest.raises(IntegrityError) as error:
        publish(log, public)
    assert error.value.code == "log.conflict"
    assert public.files == {"checkpoint": note}


class Flipping(MemoryPublication):
    """A disk that keeps one file wrongly."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def get(self, path: str) -> bytes | None:
        data = super().get(path)
        return bytes([data[0] ^ 1]) + data[1:] if data is not None and path == self._path else data


@pytest.mark.parametrize("path", sorted(names(600)))
def test_a_file_that_does_not_read_back_stops_the_checkpoint(path: str) -> None:
    log, public = new_log(), Flipping(path)
    log.append(entries(600))
    with pytest.raises(IntegrityError) as error:
        publish(log, public)
    assert error.value.code == "log.corrupt"
    assert "checkpoint" not in public.files


def test_a_file_that_vanished_stops_the_checkpoint() -> None:
    class Losing(MemoryPublication):
        def put_immutable(self, path: str, data: bytes) -> None:
            if path != "tile/1/000.p/2":
                super().put_immutable(path, data)

    log, public = new_log(), Losing()
    log.append(entries(600))
    with pytest.raises(IntegrityError) as error:
        publish(log, public)
    assert error.value.code == "log.corrupt"
    assert "checkpoint" not in public.files
