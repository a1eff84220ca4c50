"""Following a log that is honest, late, broken or lying; over HTTP, with the state on disk."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core import canonical
from ledger.core.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint, sign_checkpoint
from ledger.core.encoding import decode_base64
from ledger.core.merkle import leaf_hash, verify_consistency
from ledger.core.note import NoteSigner
from ledger.core.tiles import tiles_of
from ledger.errors import IntegrityError, RakkanError, UsageError
from ledger.service.log.monitor import MAX_UNPROVEN, Finding, Monitor
from ledger.service.log.monitor_proofs import contradicts
from ledger.service.log.publish import publish
from ledger.testing import MemoryPublication, SeedSigner
from tests.support.log import KEY, ORIGIN, entries, new_log, tree_hash
from tests.support.site import Site, forked, honest, log_of, new_site
from tests.support.web import Misbehaving


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with new_site(tmp_path / "site") as found:
        yield found


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def refused(call: Callable[[], object]) -> RakkanError:
    with pytest.raises(RakkanError) as error:
        call()
    return error.value


def kept(state: Path) -> bytes:
    return (state / "checkpoint").read_bytes()


# --- a log that keeps its word -----------------------------------------------------------------------------


def test_a_log_is_followed_as_it_grows(site: Site, state: Path) -> None:
    log, sizes = new_log(), [1, 2, 255, 256, 257, 600, 600]
    found = []
    for size in sizes:
        log.append(entries(size))
        note = site.publish(log)
        found.append(site.monitor(state).look())
        assert kept(state) == note
    findings = ["first", "grown", "grown", "grown", "grown", "grown", "same"]
    assert [sighting.finding for sighting in found] == findings
    assert [sighting.newest.size for sighting in found] == sizes
    assert [sighting.kept.size for sighting in found[1:] if sighting.kept] == sizes[:-1]
    assert {sighting.unproven for sighting in found} == {0}


def test_an_empty_log_is_where_it_begins(site: Site, state: Path) -> None:
    empty = sign_checkpoint(ORIGIN, 0, tree_hash([]), [NoteSigner(ORIGIN, KEY)])
    (site.folder / "checkpoint").write_bytes(empty)
    assert site.monitor(state).look().finding is Finding.FIRST
    site.replace(honest(5))
    assert site.monitor(state).look().finding is Finding.GROWN


def test_an_older_checkpoint_of_the_same_tree_is_not_a_fork(site: Site, state: Path) -> None:
    log = honest(300)
    older = site.publish(log)
    log.append(entries(700))
    newer = site.publish(log)
    watch = site.monitor(state)
    watch.look()
    (site.folder / "checkpoint").write_bytes(older)
    sighting = watch.look()
    assert (sighting.finding, sighting.seen.size, sighting.newest.size) == (Finding.OLDER, 300, 700)
    assert kept(state) == newer


def test_a_full_tile_stands_in_for_a_partial_one_that_was_dropped(site: Site, state: Path) -> None:
    log = honest(300)
    older = site.publish(log)
    log.append(entries(600))
    site.publish(log)
    (site.folder / "checkpoint").write_bytes(older)
    (site.folder / "tile/0/001.p/44").unlink()
    assert site.monitor(state).look().finding is Finding.FIRST


# --- a log that does not -----------------------------------------------------------------------------------

FORKS = [(0, 9, 9), (0, 9, 13), (8, 9, 13), (255, 256, 257), (299, 300, 300), (299, 300, 301), (0, 300, 700)]


@pytest.mark.parametrize(("common", "old", "new"), FORKS)
def test_a_split_view_is_proven_and_kept(site: Site, state: Path, common: int, old: int, new: int) -> None:
    first = site.publish(honest(old))
    site.monitor(state).look()
    second = site.replace(forked(common, new))
    for _ in range(2):
        error = refused(site.monitor(state).look)
        assert isinstance(error, IntegrityError)
        assert error.code == "log.conflict"
        assert kept(state) == first
    (folder,) = (state / "evidence").iterdir()
    assert error.evidence["evidence"] == f"evidence/{folder.name}"
    assert (folder / "older.checkpoint").read_bytes() == first
    assert (folder / "newer.checkpoint").read_bytes() == second
    check_evidence(folder)


def check_evidence(folder: Path) -> None:
    """Judge the evidence as a stranger would, with the log's key and the RFC alone."""
    verifiers = [new_log().verifier]
    older = open_checkpoint((folder / "older.checkpoint").read_bytes(), verifiers)
    newer = open_checkpoint((folder / "newer.checkpoint").read_bytes(), verifiers)
    shown = canonical.decode((folder / "proof.json").read_bytes())
    begins = decode_base64(shown["root"])
    proof = [decode_base64(item) for item in shown["consistencyProof"]]
    assert begins is not None
    assert shown["size"] == older.size
    verify_consistency(older.size, newer.size, [item for item in proof if item], begins, newer.root)
    assert begins != older.root


def test_a_fork_that_is_smaller_is_proven_by_what_was_kept_on_the_way(site: Site, state: Path) -> None:
    log = new_log()
    for size in (3, 200, 600):
        log.append(entries(size))
        site.publish(log)
        site.monitor(state).look()
    site.replace(forked(100, 300))
    error = refused(site.monitor(state).look)
    assert (error.code, error.evidence["older_size"]) == ("log.conflict", 200)
    assert parse_checkpoint(kept(state)).size == 600


def test_a_fork_that_is_smaller_with_the_tiles_of_the_larger_is_proven(site: Site, state: Path) -> None:
    site.publish(honest(600))
    site.monitor(state).look()
    (site.folder / "checkpoint").write_bytes(forked(0, 300).head().checkpoint)
    assert refused(site.monitor(state).look).code == "log.conflict"


def test_a_log_that_went_back_cannot_be_judged_until_it_grows_again(site: Site, state: Path) -> None:
    """The same first entries again, but the tiles of the larger tree are gone."""
    note = site.publish(honest(600))
    site.monitor(state).look()
    site.replace(honest(200))
    assert refused(site.monitor(state).look).code == "monitor.incomplete"
    assert kept(state) == note
    site.replace(log_of(entries(200), entries(601)))
    sighting = site.monitor(state).look()
    assert (sighting.finding, sighting.unproven) == (Finding.GROWN, 0)


def test_a_log_that_went_back_and_took_another_turn_is_found_out(site: Site, state: Path) -> None:
    site.publish(honest(600))
    site.monitor(state).look()
    site.replace(honest(200))
    refused(site.monitor(state).look)
    site.replace(log_of(entries(200), entries(500, "other")))
    assert refused(site.monitor(state).look).code == "log.conflict"


def test_a_view_shown_for_a_moment_without_its_tiles_is_not_forgotten(site: Site, state: Path) -> None:
    site.publish(honest(9))
    site.monitor(state).look()
    lie = forked(3, 12).head().checkpoint
    (site.folder / "checkpoint").write_bytes(lie)
    assert refused(site.monitor(state).look).code == "monitor.incomplete"
    site.replace(honest(20))
    for _ in range(2):
        assert refused(site.monitor(state).look).code == "log.conflict"
    (folder,) = (state / "evidence").iterdir()
    assert (folder / "older.checkpoint").read_bytes() == lie
    check_evidence(folder)


def test_what_is_not_proven_yet_is_counted_and_bounded() -> None:
    log, public = honest(5), MemoryPublication()
    publish(log, public)
    watch = Monitor(public, MemoryPublication(), [log.verifier])
    watch.look()
    shown = public.files["checkpoint"]
    for size in range(6, 6 + MAX_UNPROVEN + 5):
        log.append(entries(size))
        public.files["checkpoint"] = log.head().checkpoint
        assert refused(watch.look).code == "monitor.incomplete"
    public.files["checkpoint"] = shown
    assert watch.look().unproven == MAX_UNPROVEN
    publish(log, public)
    assert watch.look().unproven == 0


# --- files that are wrong ----------------------------------------------------------------------------------


def tiles(size: int) -> list[str]:
    return [tile.path for tile in tiles_of(0, size)]


@pytest.mark.parametrize("path", tiles(600))
@pytest.mark.parametrize("damage", ["flip", "cut", "lose", "grow"])
def test_a_damaged_tile_is_never_called_a_fork(site: Site, state: Path, path: str, damage: str) -> None:
    log = honest(300)
    first = site.publish(log)
    site.monitor(state).look()
    log.append(entries(600))
    site.publish(log)
    target = site.folder / path
    data = target.read_bytes()
    changed = {"flip": bytes([data[0] ^ 1]) + data[1:], "cut": data[:-1], "grow": data + bytes(32)}
    target.unlink() if damage == "lose" else target.write_bytes(changed[damage])
    expected = "monitor.tiles" if damage == "flip" else "monitor.incomplete"
    if damage == "grow" and len(data) == 8192:
        expected = "tile.malformed"
    if path == "tile/0/000":  # a full tile below a full tile: its fold is what is read
        assert site.monitor(state).look().finding is Finding.GROWN
        return
    assert refused(site.monitor(state).look).code == expected
    assert kept(state) == first
    assert not (state / "evidence").exists()
    target.write_bytes(data)
    assert site.monitor(state).look().finding is Finding.GROWN


@pytest.mark.parametrize("path", ["tile/0/001.p/44", "tile/1/000.p/1"])
def test_the_first_sight_needs_a_tree_that_leads_to_the_root(site: Site, state: Path, path: str) -> None:
    site.publish(honest(300))
    target = site.folder / path
    data = target.read_bytes()
    target.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    assert refused(site.monitor(state).look).code == "monitor.tiles"
    assert not (state / "checkpoint").exists()


@pytest.mark.parametrize("answered", range(4))
def test_a_server_that_dies_in_the_middle_changes_nothing(site: Site, state: Path, answered: int) -> None:
    log = honest(300)
    first = site.publish(log)
    site.monitor(state).look()
    log.append(entries(600))
    site.publish(log)
    left = iter([True] * answered)

    def talk(connection: socket.socket, request: bytes) -> bool:
        body = (site.folder / request.split()[1].decode().strip("/")).read_bytes()
        whole = next(left, False)
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        connection.sendall(body if whole else body[: len(body) // 2])
        return whole

    with Misbehaving(talk) as server:
        site.url = server.url
        assert refused(site.monitor(state).look).code == "http.unavailable"
    assert kept(state) == first


OTHER = SeedSigner("other")
HEAD = honest(3).head().checkpoint
NOTES = {
    "garbage": (b"garbage", "note.malformed"),
    "empty": (b"", "note.malformed"),
    "changed": (HEAD.replace(b"\n3\n", b"\n4\n"), "note.signature"),
    "other-key": (sign_checkpoint(ORIGIN, 3, bytes(32), [NoteSigner(ORIGIN, OTHER)]), "key.unknown"),
    "other-log": (sign_checkpoint("other", 3, bytes(32), [NoteSigner("other", KEY)]), "checkpoint.origin"),
}


@pytest.mark.parametrize("name", NOTES)
def test_another_note_changes_nothing(site: Site, state: Path, name: str) -> None:
    site.publish(honest(3))
    site.monitor(state).look()
    note, code = NOTES[name]
    (site.folder / "checkpoint").write_bytes(note)
    assert refused(site.monitor(state).look).code == code
    assert kept(state) == HEAD
    assert sorted(path.name for path in state.iterdir() if path.name[0] != ".") == [
        "checkpoint",
        "history.json",
    ]


def test_no_checkpoint_is_no_answer(site: Site, state: Path) -> None:
    assert refused(site.monitor(state).look).code == "monitor.incomplete"


# --- the state ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("checkpoint", b"garbage"),
        ("checkpoint", NOTES["other-log"][0]),
        ("checkpoint", NOTES["other-key"][0]),
        ("history.json", b"garbage"),
        ("history.json", b'["garbage"]'),
        ("history.json", b"[1]"),
        ("history.json", b"7"),
        ("unproven.json", b"{}x"),
    ],
)
def test_a_damaged_state_is_said_and_kept(site: Site, state: Path, name: str, data: bytes) -> None:
    log = honest(3)
    site.publish(log)
    site.monitor(state).look()
    (state / name).write_bytes(data)
    log.append(entries(9))
    site.publish(log)
    error = refused(site.monitor(state).look)
    assert isinstance(error, UsageError)
    assert (error.code, error.evidence["name"]) == ("monitor.state", name)
    assert (state / name).read_bytes() == data
    assert name in {"checkpoint", "unproven.json"} or kept(state) == HEAD


def test_one_state_is_of_one_log(site: Site, state: Path) -> None:
    site.publish(honest(3))
    watch = site.monitor(state)
    watch._keys.append(NoteSigner("other", KEY).verifier)
    watch.look()
    note = sign_checkpoint("other", 3, parse_checkpoint(HEAD).root, [NoteSigner("other", KEY)])
    (site.folder / "checkpoint").write_bytes(note)
    assert refused(watch.look).code == "monitor.state"


def test_monitors_at_the_same_time_share_a_state(site: Site, state: Path) -> None:
    log, ends = new_log(), list[str]()
    log.append(entries(1))
    site.publish(log)
    stop = threading.Event()

    def watch() -> None:
        mine = site.monitor(state)
        while not stop.is_set():
            try:
                mine.look()
                ends.append("ok")
            except RakkanError as error:
                ends.append(error.code)

    threads = [threading.Thread(target=watch) for _ in range(3)]
    for thread in threads:
        thread.start()
    for size in range(2, 40):
        log.append(entries(size))
        site.publish(log)
    stop.set()
    for thread in threads:
        thread.join()
    assert set(ends) == {"ok"}
    site.monitor(state).look()
    assert parse_checkpoint(kept(state)).size == 39


# --- the comparison ----------------------------------------------------------------------------------------


@given(st.integers(1, 40), st.integers(0, 40), st.integers(0, 40))
def test_trees_contradict_each_other_exactly_when_their_entries_do(new: int, old: int, common: int) -> None:
    old, public = min(old, new), MemoryPublication()
    publish(honest(new), public)
    leaves = [
        leaf_hash(entry) for entry in [*entries(min(common, old)), *entries(old - min(common, old), "x")]
    ]
    newer = parse_checkpoint(public.files["checkpoint"])
    contradiction = contradicts(public, Checkpoint(ORIGIN, old, tree_hash(leaves)), newer)
    assert (contradiction is None) == (common >= old)
