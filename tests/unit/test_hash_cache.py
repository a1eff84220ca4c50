"""The cache of digests: what it keeps, what it must not believe, and that it never stands in the way."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.adapters.hash_cache import GRANULE, KEPT_DAYS, SqliteHashCache
from ledger.core.digest import sha256_hex
from ledger.service.hashing import Read, read
from ledger.service.stamps import Known, Stamp
from tests.architecture.project import ROOT
from tests.support.builders import digest

NOW = time.time_ns()
OLD = NOW - 10 * GRANULE
FILE = Stamp(66, 1234, 10, OLD, OLD)
KNOWN = Known(digest("bytes"), None, "image/png")
SEEN = KNOWN._replace(pixels=digest("pixels"))


class Warnings(list[str]):
    def __call__(self, message: str) -> None:
        self.append(message)


@pytest.fixture
def warnings() -> Warnings:
    return Warnings()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "hashes.sqlite"


@pytest.fixture
def cache(path: Path, warnings: Warnings) -> Iterator[SqliteHashCache]:
    opened = SqliteHashCache(path, warnings)
    yield opened
    opened.close()


def reopened(path: Path, warn: Callable[[str], None]) -> SqliteHashCache:
    """Another process's view of the same file, so that nothing is answered from memory."""
    return SqliteHashCache(path, warn)


def test_what_was_kept_is_known_to_the_next_process(
    cache: SqliteHashCache, path: Path, warnings: Warnings
) -> None:
    other = FILE._replace(inode=(1 << 64) - 3, device=(1 << 63) + 7)
    cache.put_many({FILE: KNOWN, other: SEEN}, NOW)
    cache.close()
    again = reopened(path, warnings)
    assert again.get_many([FILE, other, FILE._replace(inode=7)]) == {FILE: KNOWN, other: SEEN}
    again.close()
    assert warnings == []
    assert path.stat().st_mode & 0o777 == 0o600


def test_pixels_may_come_later_and_stay(cache: SqliteHashCache) -> None:
    for known in (KNOWN, SEEN, KNOWN):
        cache.put_many({FILE: known}, NOW)
    assert cache.get_many([FILE]) == {FILE: SEEN}


@pytest.mark.parametrize("member", ["size", "mtime_ns", "ctime_ns"])
def test_a_file_that_was_written_again_is_unknown_and_takes_the_place(
    cache: SqliteHashCache, member: str
) -> None:
    cache.put_many({FILE: SEEN}, NOW)
    after = FILE._replace(**{member: getattr(FILE, member) + 1})
    assert cache.get_many([after]) == {}
    cache.put_many({after: Known(digest("other"))}, NOW)
    assert cache.get_many([after]) == {after: Known(digest("other"))}
    assert cache.get_many([FILE]) == {}


@pytest.mark.parametrize("first", [0, 1])
def test_of_two_states_of_one_file_the_one_that_is_kept_is_found(cache: SqliteHashCache, first: int) -> None:
    after = FILE._replace(mtime_ns=FILE.mtime_ns + 1)
    cache.put_many({FILE: KNOWN}, NOW)
    asked = [FILE, after]
    assert cache.get_many([asked[first], asked[1 - first]]) == {FILE: KNOWN}


def test_the_same_number_on_two_devices_is_two_files(cache: SqliteHashCache) -> None:
    other = FILE._replace(device=67)
    cache.put_many({FILE: KNOWN, other: SEEN}, NOW)
    assert cache.get_many([FILE, other]) == {FILE: KNOWN, other: SEEN}


def test_a_file_without_a_number_is_never_kept(cache: SqliteHashCache) -> None:
    nameless = FILE._replace(inode=0)
    cache.put_many({nameless: KNOWN}, NOW)
    assert cache.get_many([nameless]) == {}


@pytest.mark.parametrize("member", ["mtime_ns", "ctime_ns"])
@pytest.mark.parametrize(("age", "kept"), [(GRANULE, True), (GRANULE - 1, False), (-GRANULE, False)])
def test_a_stamp_is_kept_only_when_it_was_settled(
    cache: SqliteHashCache, member: str, age: int, *, kept: bool
) -> None:
    file = FILE._replace(**{member: NOW - age})
    cache.put_many({file: KNOWN}, NOW)
    assert bool(cache.get_many([file])) is kept


def test_no_rewritten_file_is_ever_taken_for_the_one_before(cache: SqliteHashCache, tmp_path: Path) -> None:
    """At the same size, right after it was read: within a tick of the clock, where the kernel's is coarse."""
    path = tmp_path / "frame"
    for number in range(300):
        path.write_bytes(b"%06d" % number)
        began = time.time_ns()
        done = read(str(path))
        assert isinstance(done, Read)
        known = cache.get_many([done.stamp])
        assert known.get(done.stamp, done.known).sha256 == sha256_hex(b"%06d" % number)
        cache.put_many({done.stamp: done.known}, began)


def test_a_fresh_cache_answers_nothing_and_keeps(path: Path, warnings: Warnings) -> None:
    first = SqliteHashCache(path, warnings, fresh=True)
    first.put_many({FILE: KNOWN}, NOW)
    assert first.get_many([FILE]) == {}
    first.close()
    assert SqliteHashCache(path, warnings).get_many([FILE]) == {FILE: KNOWN}


def test_what_nobody_asked_for_is_forgotten_and_what_is_used_stays(
    cache: SqliteHashCache, path: Path, warnings: Warnings
) -> None:
    used = FILE._replace(inode=5)
    cache.put_many({FILE: KNOWN, used: KNOWN}, NOW)
    age(path, KEPT_DAYS - 10)
    assert cache.get_many([used]) == {used: KNOWN}
    age(path, 20)
    again = reopened(path, warnings)
    assert again.get_many([FILE, used]) == {used: KNOWN}
    again.close()


def age(path: Path, days: int) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE file SET used = used - ?", (days,))
    connection.close()


def _garbage(path: Path) -> None:
    path.write_bytes(os.urandom(50_000))


def _cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 5_000)


def _newer(path: Path) -> None:
    _sql(path, "PRAGMA user_version = 9")


def _other_table(path: Path) -> None:
    _sql(path, "DROP TABLE file")


def _text_for_a_digest(path: Path) -> None:
    _sql(path, "PRAGMA ignore_check_constraints = 1; UPDATE file SET sha256 = 'the one I like'")


def _text_that_is_none(path: Path) -> None:
    _sql(path, "UPDATE file SET media_type = CAST(x'ff' AS TEXT)")


def _others_may_write(path: Path) -> None:
    path.chmod(0o666)


def _sql(path: Path, script: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    "damage",
    [_garbage, _cut_off, _newer, _other_table, _text_for_a_digest, _text_that_is_none, _others_may_write],
)
def test_a_cache_that_must_not_be_believed_is_set_aside(
    path: Path, warnings: Warnings, damage: Callable[[Path], None]
) -> None:
    stamps = {FILE._replace(inode=number): KNOWN for number in range(1, 3000)}
    first = SqliteHashCache(path, warnings)
    first.put_many(stamps, NOW)
    first.close()
    damage(path)
    found = SqliteHashCache(path, warnings)
    assert dict(found.get_many(stamps)) == {}
    found.put_many({FILE: SEEN}, NOW)
    assert found.get_many([FILE]) == {FILE: SEEN}
    found.close()
    assert len(warnings) == 1
    assert str(path) in warnings[0]
    assert path.with_name("hashes.sqlite.damaged").exists()


def test_damage_that_comes_while_it_is_open_is_survived(
    cache: SqliteHashCache, path: Path, warnings: Warnings
) -> None:
    stamps = {FILE._replace(inode=number): KNOWN for number in range(1, 60_000)}
    cache.put_many(stamps, NOW)
    _sql(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        for page in range(1, path.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xee" * 4096)
    other = reopened(path, warnings)
    other.get_many(stamps)
    other.put_many({FILE: SEEN}, NOW)
    assert other.get_many([FILE]) == {FILE: SEEN}
    assert warnings
    other.close()


def _under_a_file(folder: Path) -> Path:
    (folder / "file").write_text("")
    return folder / "file" / "hashes.sqlite"


def _a_link(folder: Path) -> Path:
    (folder / "hashes.sqlite").symlink_to(folder / "elsewhere")
    return folder / "hashes.sqlite"


@pytest.mark.parametrize("place", [_under_a_file, _a_link], ids=["under a file", "a link"])
def test_where_there_can_be_no_cache_nothing_is_known_and_nothing_fails(
    tmp_path: Path, warnings: Warnings, place: Callable[[Path], Path]
) -> None:
    cache = SqliteHashCache(place(tmp_path), warnings)
    cache.put_many({FILE: KNOWN}, NOW)
    assert cache.get_many([FILE]) == {}
    cache.close()
    assert len(warnings) == 1
    assert not (tmp_path / "elsewhere").exists()


WRITER = """
import sys, time
from pathlib import Path
from ledger.adapters.hash_cache import SqliteHashCache
from ledger.service.stamps import Known, Stamp
cache = SqliteHashCache(Path(sys.argv[1]), lambda message: sys.exit(message))
first = int(sys.argv[2])
for at in range(first, first + 5000, 50):
    stamps = [Stamp(1, inode, 1, 1, 1) for inode in range(at, at + 50)]
    cache.put_many(dict.fromkeys(stamps, Known("ab" * 32)), time.time_ns())
    assert len(cache.get_many(stamps)) == 50
cache.close()
"""


def test_several_processes_share_one_file(path: Path, warnings: Warnings) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(number * 5000 + 1)], cwd=ROOT)
        for number in range(3)
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    cache = SqliteHashCache(path, warnings)
    assert len(cache.get_many([Stamp(1, inode, 1, 1, 1) for inode in range(1, 15_001)])) == 15_000
    cache.close()
    assert warnings == []
