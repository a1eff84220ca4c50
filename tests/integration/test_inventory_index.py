"""The index on disk: built in bounded memory, found in, proven from, and never content with damage."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
from itertools import chain
from pathlib import Path

import numpy as np
import pymerkle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.predicates.curation import Curation, Filter
from ledger.core.rights.inventory import Commitment, sample
from ledger.core.rights.inventory_proof import Kind, verify
from ledger.errors import (
    IntegrityError,
    MalformedError,
    RakkanError,
    RefusedError,
    UndecidedError,
    UsageError,
)
from ledger.service.inventory import sorted_rows
from ledger.service.inventory.build import build
from ledger.service.inventory.check import check_curation, check_tree
from ledger.service.inventory.index import HEADER_SIZE, LEAF_SIZE, Header, Index, key_of, open_index
from ledger.service.inventory.rows import HOLDER
from ledger.service.inventory.sorted_rows import SortedRows
from ledger.wiring.inventory import read_list
from tests.support.inventory import Work, key, works, write_csv, write_ndjson


def silent(what: str, done: int, of: int) -> None:
    """Nobody watches."""


def made(folder: Path, rows: list[Work], name: str = "plates") -> Path:
    """Return the index of these works."""
    source, target = write_csv(folder / f"{name}.csv", rows), folder / f"{name}.inventory"
    build(read_list(source), source, name, target, silent)
    return target


@pytest.fixture(scope="module")
def plates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of 70,000 works: two levels of stored hashes, and a part of a tile. Never written to."""
    return made(tmp_path_factory.mktemp("plates"), works(70_000))


@pytest.mark.parametrize("count", [1, 2, 3, 255, 256, 257, 511, 600])
def test_pymerkle_builds_the_same_root(tmp_path: Path, count: int) -> None:
    """Another tree, over the entries that the file holds, sorted by this test."""
    path = made(tmp_path, works(count))
    with open_index(path) as index:
        entries = list(index.entries(0, count))
        assert [entry[:32] for entry in entries] == sorted(key(number) for number in range(count))
        tree = pymerkle.InmemoryTree(algorithm="sha256")
        tree.append_entries(entries)
        assert tree.get_root() == index.header.commitment.root
        check_tree(index, silent)
        for number in range(count):
            shown = verify(index.prove(key(number)), index.header.commitment)
            assert shown.index is not None
            assert index.record(shown.proof).work == f"plate-{number}.png"
            assert verify(index.prove(key(count + number))).proof.kind is Kind.ABSENT


def test_a_large_one_answers_for_every_kind_of_work(plates: Path) -> None:
    with open_index(plates) as index:
        check_tree(index, silent)
        assert index.header.rights_holders == 7
        for number in range(0, 140_000, 611):
            shown = verify(index.prove(key(number)))
            assert (shown.proof.kind is Kind.MEMBER) == (number < 70_000)
        assert verify(index.prove(bytes(32))).above == 0
        assert verify(index.prove(b"\xff" * 32)).below == 69_999


def test_the_same_list_gives_the_same_index_and_another_order_other_salts(tmp_path: Path) -> None:
    first = made(tmp_path, works(300)).read_bytes()
    assert made(tmp_path, works(300)).read_bytes() == first
    assert made(tmp_path, works(300)[::-1]).read_bytes()[:HEADER_SIZE] != first[:HEADER_SIZE]


def test_a_list_in_runs_gives_the_same_index_as_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_memory = made(tmp_path, works(5000)).read_bytes()
    for name, value in (("RUN", 700), ("PIECE", 128), ("BLOCK", 16)):
        monkeypatch.setattr(sorted_rows, name, value)
    assert made(tmp_path, works(5000)).read_bytes() == in_memory


NEAR = [bytes([7]) * 8 + bytes([number]) + bytes(23) for number in range(200)]
KEYS = st.lists(st.sampled_from([bytes(32), b"\xff" * 32, *NEAR]))


@given(batches=st.lists(KEYS, max_size=12))
def test_rows_come_back_in_order_however_alike_their_keys(batches: list[list[bytes]]) -> None:
    """Keys with a common beginning, zeros at their end, and doubles, in runs that are much too small."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("RUN", 20), ("PIECE", 8), ("BLOCK", 4)):
            patch.setattr(sorted_rows, name, value)
        rows = SortedRows(HOLDER, BytesIO())
        for batch in batches:
            rows.add(np.frombuffer(b"".join(batch), HOLDER))
        pieces = [piece.tobytes() for piece in rows.pieces()]
    data = b"".join(pieces)
    assert [data[at : at + 32] for at in range(0, len(data), 32)] == sorted(chain.from_iterable(batches))
    edges = zip((piece[-32:] for piece in pieces), (piece[:32] for piece in pieces[1:]), strict=False)
    assert all(before != after for before, after in edges)


def test_rights_holders_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        (name, sha, f"Holder {number % 1000}", "") for number, (name, sha, _, _) in enumerate(works(3000))
    ]
    monkeypatch.setattr("ledger.service.inventory.rows._KNOWN", 100)
    with open_index(made(tmp_path, rows)) as index:
        assert index.header.rights_holders == 1000


def test_progress_is_told_to_the_end(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    source = write_ndjson(tmp_path / "a.ndjson", works(2000))
    build(read_list(source), source, "a", tmp_path / "a.inventory", lambda *said: told.append(said))
    assert told[0] == ("Reading", 512, 0)
    assert told[-1] == ("Building", 2000, 2000)


# --- building that fails -----------------------------------------------------------------------------------


def test_a_list_that_changes_meanwhile_is_refused(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "a.csv", works(10))

    def told(what: str, done: int, of: int) -> None:
        source.write_text(source.read_text() + "\n")

    with pytest.raises(RefusedError) as error:
        build(read_list(source), source, "a", tmp_path / "a.inventory", told)
    assert error.value.code == "file.changed"
    assert list(tmp_path.iterdir()) == [source]


def test_a_list_is_not_replaced_by_its_index(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "a.csv", works(10))
    (tmp_path / "folder").mkdir()
    before = source.read_bytes()
    for target in (source, tmp_path / "folder"):
        with pytest.raises(RefusedError) as error:
            build(read_list(source), source, "a", target, silent)
        assert error.value.code == "target.exists"
    assert source.read_bytes() == before


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 1025])
def test_a_dataset_has_a_name(tmp_path: Path, name: str) -> None:
    source = write_csv(tmp_path / "a.csv", works(10))
    with pytest.raises(MalformedError):
        build(read_list(source), source, name, tmp_path / "a.inventory", silent)
    assert list(tmp_path.iterdir()) == [source]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "rakkan-test", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system may be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("run", [1000, 1 << 19], ids=["in a run", "in the records"])
def test_a_full_disk_is_named_and_leaves_nothing(
    tmp_path: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch, run: int
) -> None:
    monkeypatch.setattr(sorted_rows, "RUN", run)
    source = write_csv(tmp_path / "a.csv", works(20_000))
    with pytest.raises(RefusedError) as error:
        build(read_list(source), source, "a", small_disk / "a.inventory", silent)
    assert error.value.code == "target.no-space"
    assert list(small_disk.iterdir()) == []
    assert shutil.disk_usage(small_disk).used == 0


# --- damage ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("left", [0, 5, 100, HEADER_SIZE, HEADER_SIZE + 1000, -1])
def test_a_truncated_index_is_refused(tmp_path: Path, left: int) -> None:
    path = made(tmp_path, works(300))
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(RakkanError) as error, open_index(path):
        pass
    assert error.value.code in {"inventory.malformed", "inventory.damaged"}


@pytest.mark.parametrize("data", [b"", b"work,sha256\n", bytes(9000), b"PAR1" * 3000])
def test_what_is_no_index_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(MalformedError) as error, open_index(tmp_path / "a"):
        pass
    assert error.value.code == "inventory.malformed"


def test_a_folder_and_nothing_are_refused(tmp_path: Path) -> None:
    for path, code in ((tmp_path, "file.not-a-file"), (tmp_path / "no", "file.missing")):
        with pytest.raises(UsageError) as error, open_index(path):
            pass
        assert error.value.code == code


def test_a_damaged_index_answers_rightly_or_not_at_all(tmp_path: Path) -> None:
    """Every byte of a small index is turned, and every question asked: a wrong answer never verifies."""
    path = made(tmp_path, works(5))
    whole = path.read_bytes()
    with open_index(path) as index:
        root = index.header.commitment
        keys = [leaf for number in range(5) for leaf in (key(number), key(number + 5))]
        right = {sought: verify(index.prove(sought)).index for sought in keys}
    header_end = whole.index(b"}\n") + 2
    for at in [*range(header_end), *range(HEADER_SIZE, len(whole))]:
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        for sought in keys:
            assert answer(path, sought, root) in {"inventory", right[sought]}


def answer(path: Path, sought: bytes, root: Commitment) -> int | str | None:
    """Return the work's index, or `None` if it is proven absent; or what kind of error there was."""
    try:
        with open_index(path) as index:
            shown = verify(index.prove(sought), root)
            if shown.index is not None:
                index.record(shown.proof)
            return shown.index
    except RakkanError as error:
        return error.code.split(".")[0]


def test_damage_is_found_by_a_pass_over_everything(plates: Path, tmp_path: Path) -> None:
    with open_index(plates) as index:
        header: Header = index.header
    whole = plates.read_bytes()
    leaf = header.leaves_at + 30_000 * LEAF_SIZE
    swapped = whole[leaf + LEAF_SIZE : leaf + 2 * LEAF_SIZE] + whole[leaf : leaf + LEAF_SIZE]
    damaged = {
        "not in order": whole[:leaf] + swapped + whole[leaf + 2 * LEAF_SIZE :],
        "do not lead to its root": flipped(whole, header.leaves_at + 69_999 * LEAF_SIZE + 40),
        "stored hashes": flipped(whole, header.nodes_at(1) + 99),
        "hashes are not": flipped(whole, header.nodes_at(2) + 3),
    }
    for said, data in damaged.items():
        (tmp_path / "a").write_bytes(data)
        with pytest.raises(IntegrityError) as error, open_index(tmp_path / "a") as index:
            check_tree(index, silent)
        assert error.value.code == "inventory.damaged"
        assert said in error.value.message


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 128]) + data[at + 1 :]


# --- sample and curation -----------------------------------------------------------------------------------


def test_a_sample_is_drawn_by_the_root(plates: Path) -> None:
    with open_index(plates) as index:
        drawn = list(index.sample(50))
        assert [proof.places[0].index for proof, _ in drawn] == list(sample(index.header.commitment, 50))
        for proof, record in drawn:
            assert verify(proof, index.header.commitment).index is not None
            assert key(int(record.work[6:-4])) == proof.key


def test_a_curation_record_is_held_against_the_inventory(tmp_path: Path) -> None:
    exclusions = "".join(f"{key(number).hex()}\n" for number in range(100, 110)).encode()
    record = Curation(110, (Filter("exclusions", "1", 10),), 100, 0, 0, sha256(exclusions).hexdigest())
    with open_index(made(tmp_path, works(100))) as index:
        check_curation(index, record, exclusions)
        with pytest.raises(UndecidedError):
            check_curation(index, record, None)
        with pytest.raises(UndecidedError):
            check_curation(index, record, exclusions + b"\n")
    with open_index(made(tmp_path, works(101))) as index:
        assert "100 works were kept; the inventory holds 101" in contradiction(index, record, exclusions)
    with open_index(made(tmp_path, works(100, start=1))) as index:
        assert "excludes" in contradiction(index, record, exclusions)


def contradiction(index: Index, record: Curation, exclusions: bytes) -> str:
    with pytest.raises(IntegrityError) as error:
        check_curation(index, record, exclusions)
    assert error.value.code == "inventory.curation"
    return error.value.message


@pytest.mark.parametrize("exclusions", [b"\xff", b"no digest", b"A" * 64, b"\n"])
def test_a_list_of_exclusions_in_another_form(tmp_path: Path, exclusions: bytes) -> None:
    record = Curation(5, (), 5, 0, 0, sha256(exclusions).hexdigest())
    with open_index(made(tmp_path, works(5))) as index, pytest.raises(MalformedError) as error:
        check_curation(index, record, exclusions)
    assert error.value.code == "digest.malformed"


def test_a_work_is_a_file_or_a_digest(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"work 7")
    assert key_of(str(tmp_path / "a")) == key_of(key(7).hex()) == key(7)
    for name in (str(tmp_path), "A" * 64, "a" * 63):
        with pytest.raises(UsageError):
            key_of(name)
