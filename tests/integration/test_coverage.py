"""Coverage on a real log and real files: which statement explains a file, and what is said of the rest."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import Engine, event

from ledger.adapters.hash_cache import SqliteHashCache
from ledger.adapters.images import Pixels
from ledger.adapters.sql.basis import SqlBasisStore
from ledger.adapters.sql.store import SqlEntryStore
from ledger.core.artifact import Artifact, Role
from ledger.core.predicates.seal import Form, SealedManifest
from ledger.core.predicates.step import Evidence, Place
from ledger.core.statement import Statement
from ledger.errors import UsageError
from ledger.service import hashing
from ledger.service.coverage.coverage import Asked, Axis, Class, Count, Coverage, How, coverage
from ledger.service.places import place_pattern
from ledger.service.studio import Studio
from ledger.service.walk import Apart, Found, Undecided, walk
from tests.support.bare_studio import opened, say, studio_on
from tests.support.builders import dataset, digest, seal, step
from tests.support.log import ORIGIN, database
from tests.support.media import noise


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    (tmp_path / "log").mkdir()
    with database(tmp_path / "log") as engine:
        yield engine


@pytest.fixture
def studio(engine: Engine) -> Studio:
    bare = studio_on(SqlEntryStore(engine, ORIGIN), SqlBasisStore(engine, ORIGIN))
    return opened(replace(bare, pixels=Pixels()))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


@pytest.fixture
def look(studio: Studio, root: Path, tmp_path: Path) -> Callable[..., Coverage]:
    def look(**asked: Any) -> Coverage:
        cache = SqliteHashCache(tmp_path / "hashes.sqlite", pytest.fail)
        try:
            return coverage(studio, Asked(str(root), **asked), cache)
        finally:
            cache.close()

    return look


def write(root: Path, name: str, data: bytes) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def made(path: Path) -> Artifact:
    data = path.read_bytes()
    return Artifact(path.name, sha256(data).hexdigest(), pixels=Pixels().digest(path))


def record(studio: Studio, *paths: Path, **changes: Any) -> int:
    return say(studio, Statement(tuple(map(made, paths)), step(**changes)))


def classes(found: Coverage) -> dict[Class, int]:
    return {what: count.files for what, count in found.whole.counts.items() if count.files}


def apart(found: Coverage) -> dict[Apart, int]:
    return {what: count.files for what, count in found.apart.items() if count.files}


def names(files: list[Any]) -> list[str]:
    return [told.path for told in files]


def test_a_file_is_explained_wherever_it_lies_and_whatever_its_name(
    studio: Studio, root: Path, look: Callable[..., Coverage]
) -> None:
    frame = write(root, "sh010/comp.1001.exr", b"the frame")
    record(studio, frame)
    write(root, "sh020/other name", b"the frame")
    os.link(frame, root / "link")
    edited = write(root, "sh010/edited.exr", b"the frame")
    edited.write_bytes(b"the fram3")
    found = look()
    assert classes(found) == {Class.BYTES: 3, Class.UNATTRIBUTED: 1}
    assert names(found.unattributed) == ["sh010/edited.exr"]
    assert found.whole.total == Count(4, 36)
    assert not found.reaches(Fraction(100))
    assert found.reaches(Fraction(75))
    assert not found.reaches(Fraction("75.1"))


def test_a_step_says_shot_device_day_and_how_and_the_rest_says_its_path_and_time(
    studio: Studio, root: Path, look: Callable[..., Coverage]
) -> None:
    frame = write(root, "elsewhere/comp.exr", b"the frame")
    finished = datetime(2026, 2, 3, 4, tzinfo=UTC)
    place = Place("nightfall", "sq010", "sh020")
    record(studio, frame, started=finished, finished=finished, evidence=Evidence.INFERRED, place=place)
    other = write(root, "sq030/sh040/roto/deep/mask.exr", b"nobody's")
    os.utime(other, (0, 86_400 * 2))
    write(root, "sq030/notes.txt", b"no shot")
    found = look(place=place_pattern("{sequence}/{shot}/*"))
    by = {axis: {key: tally.total.files for key, tally in found.by[axis].items()} for axis in Axis}
    assert by[Axis.SHOT] == {"sq010/sh020": 1, "sq030/sh040": 1, None: 1}
    assert by[Axis.DEVICE] == {"ws-01": 1, None: 2}
    assert by[Axis.HOW] == {How("step", "inferred", None): 1, None: 2}
    assert by[Axis.FOLDER] == {"elsewhere": 1, "sq030/sh040/roto/deep": 1, "sq030": 1}
    assert {"2026-02-03", "1970-01-03"} < set(by[Axis.DAY])
    assert [(told.shot, told.day) for told in found.unattributed][1] == ("sq030/sh040", "1970-01-03")


def test_the_strongest_evidence_counts_then_the_oldest_entry(
    studio: Studio, root: Path, look: Callable[..., Coverage]
) -> None:
    frame = write(root, "frame", b"the frame")
    for shot, evidence in enumerate((Evidence.DECLARED, Evidence.OBSERVED, Evidence.OBSERVED)):
        record(studio, frame, evidence=evidence, place=Place("nightfall", "sq", f"sh{shot}"))
    assert set(look().by[Axis.SHOT]) == {"sq/sh1"}


def test_a_picture_is_known_without_its_metadata_and_in_another_format(
    studio: Studio, root: Path, look: Callable[..., Coverage]
) -> None:
    frame = root / "frame.png"
    noise().save(frame, pnginfo=_text("prompt", "a lantern"))
    record(studio, frame)
    Image.open(frame).save(root / "stripped.png")
    Image.open(frame).save(root / "other.tif")
    Image.open(frame).save(root / "lossy.jpg")
    for _ in range(2):  # the second time from the cache
        found = look()
        assert classes(found) == {Class.BYTES: 1, Class.PIXELS: 2, Class.UNATTRIBUTED: 1}
        assert names(found.unattributed) == ["lossy.jpg"]


def _text(name: str, value: str) -> Any:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text(name, value)
    return info


def test_a_seal_explains_by_what_stood_before_it_and_nothing_by_itself(
    studio: Studio, root: Path, look: Callable[..., Coverage]
) -> None:
    frame = write(root, "work/frame", b"the frame")
    record(studio, frame)
    once, twice = write(root, "once", b"sealed"), write(root, "twice", b"sealed again")
    orphan = write(root, "orphan", b"sealed, of a file that nobody recorded")
    for path, source in ((once, made(frame).sha256), (twice, made(once).sha256), (orphan, digest("x"))):
        manifest = SealedManifest(digest(path.name), source, Form.EMBEDDED)
        say(studio, Statement((made(path),), seal(manifests=(manifest,))))
    found = look()
    assert classes(found) == {Class.BYTES: 3, Class.UNATTRIBUTED: 1}
    assert names(found.unattributed) == ["orphan"]


def test_what_was_only_read_is_used_and_its_origin_unknown(
    studio: Studio, root: Path, look: Callable[..., Coverage]
) -> None:
    plate, picture = write(root, "plate", b"a plate"), root / "ref.png"
    noise(seed=5).save(picture)
    materials = (replace(made(plate), role=Role.PARENT), replace(made(picture), role=Role.REFERENCE))
    index = say(studio, Statement((Artifact("out", digest("out")),), step(materials=materials)))
    Image.open(picture).save(root / "ref.bmp")
    found = look()
    assert classes(found) == {Class.USED: 3}
    assert {told.path: told.use for told in found.used} == {
        "plate": (index, "parent"),
        "ref.png": (index, "reference"),
        "ref.bmp": (index, "reference"),
    }
    assert not found.reaches(Fraction(1))


def test_a_registered_thing_is_explained_by_its_registration(
    studio: Studio, root: Path, look: Callable[..., Coverage]
) -> None:
    inventory = write(root, "plates.csv", b"a list")
    say(studio, Statement((made(inventory),), dataset()))
    found = look()
    assert {how and how[0] for how in found.by[Axis.HOW]} == {"registered"}
    assert found.reaches(Fraction(100))


def test_what_is_no_work_is_counted_apart_and_nothing_is_dropped(
    root: Path, look: Callable[..., Coverage]
) -> None:
    for name in ("a.png.c2pa", ".DS_Store", "Thumbs.db", "scene.blend1", "x.bak", ".git/HEAD", "cache/a.tmp"):
        write(root, name, b"x")
    write(root, "empty.exr", b"")
    write(root, "sh010/comp.exr", b"nobody's")
    (root / "loop").symlink_to(".")
    (root / "broken").symlink_to("nowhere")
    (root / "sh010" / "up").symlink_to("..")
    os.mkfifo(root / "pipe")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(os.path.relpath(root / "socket"))
    found = look(ignore=["*.tmp", "sh010/nothing"])
    listening.close()
    assert apart(found) == {
        Apart.SIDECAR: 1,
        Apart.IGNORED: 6,  # a folder of such a name is one
        Apart.EMPTY: 1,
        Apart.LINK: 3,
        Apart.SPECIAL: 2,
    }
    assert names(found.unattributed) == ["sh010/comp.exr"]
    assert names(found.reported) == ["broken", "loop", "pipe", "socket", "sh010/up"]


def test_names_that_are_not_utf_8_are_read_and_reported(root: Path, look: Callable[..., Coverage]) -> None:
    write(root, os.fsdecode(b"caf\xe9/\xff\n.exr"), b"nobody's")
    (told,) = look().unattributed
    assert os.fsencode(told.path) == b"caf\xe9/\xff\n.exr"
    assert told.sha256 == sha256(b"nobody's").hexdigest()


def test_a_huge_sparse_file_is_read_in_pieces(root: Path, look: Callable[..., Coverage]) -> None:
    with (root / "sim.vdb").open("wb") as file:
        file.truncate(300 << 20)
    (told,) = look().unattributed
    expected = sha256()
    for _ in range(300):
        expected.update(bytes(1 << 20))
    assert (told.sha256, told.bytes) == (expected.hexdigest(), 300 << 20)


def test_of_nothing_at_all_nothing_is_explained(look: Callable[..., Coverage]) -> None:
    assert not look().reaches(Fraction(0))


@pytest.mark.parametrize("what", ["missing", "file", "pipe"])
def test_a_root_that_is_no_folder_is_refused(studio: Studio, tmp_path: Path, what: str) -> None:
    path = tmp_path / what
    if what == "file":
        path.write_text("x")
    if what == "pipe":
        os.mkfifo(path)
    cache = SqliteHashCache(tmp_path / "hashes.sqlite", pytest.fail)
    with pytest.raises(UsageError) as error:
        coverage(studio, Asked(str(path)), cache)
    cache.close()
    assert error.value.code == "coverage.root"


# --- files that cannot be read, or not now ------------------------------------------------------------------


@contextmanager
def nobody() -> Iterator[None]:
    """Be somebody who may read only what is everybody's: root may read everything."""
    before = os.geteuid()
    os.seteuid(before or 65_534)
    try:
        yield
    finally:
        os.seteuid(before)


def open_to_all(path: Path) -> None:
    for folder in (path, *path.parents):
        if folder.stat().st_uid == os.getuid():
            folder.chmod(folder.stat().st_mode | 0o055)


def test_what_may_not_be_read_is_listed_and_a_folder_spoils_every_share(root: Path) -> None:
    secret = write(root, "secret.exr", b"x")
    secret.chmod(0)
    write(root, "closed/inside.exr", b"x")
    (root / "closed").chmod(0)
    open_to_all(root)
    with nobody():
        found = {file.path: file.what for file in walk(str(root))}
        result = hashing.read(str(secret))
    (root / "closed").chmod(0o755)
    assert found == {"closed": Undecided.UNSEEN, "secret.exr": None}
    assert isinstance(result, hashing.Unread)
    assert (result.what, result.why) == (Undecided.UNREADABLE, "Permission denied")


def test_a_folder_that_cannot_be_listed_is_never_enough(
    root: Path, look: Callable[..., Coverage], studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(studio, write(root, "frame", b"the frame"))
    write(root, "closed/inside.exr", b"x")
    real = os.scandir

    def refuse(path: str) -> Any:
        if str(path).endswith("/closed"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = look()
    assert classes(found) == {Class.BYTES: 1, Class.UNDECIDED: 1}
    assert [(told.path, told.what) for told in found.undecided] == [("closed", Undecided.UNSEEN)]
    assert not found.reaches(Fraction(0))


def test_a_file_that_is_being_written_is_changing(root: Path, look: Callable[..., Coverage]) -> None:
    path = write(root, "render.exr", bytes(64 << 20))
    stop = threading.Event()

    def go_on() -> None:
        with path.open("ab") as file:
            while not stop.is_set():
                file.write(b"more")
                file.flush()

    writer = threading.Thread(target=go_on)
    writer.start()
    try:
        found = look()
    finally:
        stop.set()
        writer.join()
    assert [(told.path, told.what) for told in found.undecided] == [("render.exr", Undecided.CHANGING)]


def test_files_that_are_swapped_while_they_are_looked_at_are_never_waited_for(root: Path) -> None:
    os.mkfifo(root / "pipe")
    (root / "link").symlink_to("pipe")
    found = [hashing.read(str(root / name)) for name in ("pipe", "link", "gone")]
    assert [item.what for item in found if isinstance(item, hashing.Unread)] == [
        Undecided.CHANGING,
        Undecided.UNREADABLE,
        Apart.VANISHED,
    ]


def test_a_file_that_vanishes_is_set_apart(
    root: Path, look: Callable[..., Coverage], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(root, "temp.exr", b"x")

    def vanishing(*arguments: Any) -> Iterator[Found]:
        for file in walk(*arguments):
            path.unlink()
            yield file

    monkeypatch.setattr("ledger.service.coverage.coverage.walk", vanishing)
    found = look()
    assert apart(found) == {Apart.VANISHED: 1}
    assert names(found.reported) == ["temp.exr"]


# --- how often the log is asked -----------------------------------------------------------------------------


def test_the_log_is_asked_a_few_times_for_thousands_of_files(
    studio: Studio, root: Path, look: Callable[..., Coverage], engine: Engine
) -> None:
    paths = [write(root, f"sh/{number}", b"%d" % number) for number in range(1500)]
    for at in range(0, 300, 100):
        record(studio, *paths[at : at + 100])
    asked: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def _note(_connection: Any, _cursor: Any, sql: str, *_: Any) -> None:
        asked.append(sql)

    found = look()
    assert classes(found) == {Class.BYTES: 300, Class.UNATTRIBUTED: 1200}
    assert len(asked) < 40
