"""Our zip: other programs read it, and no byte of it can be another."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.adapters.bundles import stored
from ledger.core.zipped import END_SIZE, MAX_SIZE, Member, directory, header
from ledger.errors import MalformedError, RakkanError
from ledger.verifier.archive import Archive

NAMES = st.from_regex(
    r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,9}(/[A-Za-z0-9_-][A-Za-z0-9._-]{0,9}){0,2}", fullmatch=True
)
EMPTY = stored(())
FILES = st.dictionaries(NAMES, st.binary(max_size=200), max_size=6)


def opened(data: bytes) -> dict[str, bytes]:
    archive = Archive(io.BytesIO(data))
    for name in archive.members:
        archive.digest(name)
    return {name: archive.read(name) for name in archive.members}


@given(FILES)
def test_what_was_written_is_read(files: dict[str, bytes]) -> None:
    assert opened(stored(files.items())) == files


@given(FILES)
def test_python_s_own_reader_reads_the_same(files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(stored(files.items()))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files


@given(FILES, st.data())
def test_no_byte_can_be_another(files: dict[str, bytes], data: st.DataObject) -> None:
    good = stored(files.items())
    at = data.draw(st.integers(0, len(good) - 1))
    bit = data.draw(st.integers(0, 7))
    bad = good[:at] + bytes([good[at] ^ 1 << bit]) + good[at + 1 :]
    with pytest.raises(RakkanError) as caught:
        opened(bad)
    assert caught.value.code in {"bundle.malformed", "bundle.altered"}


@given(FILES, st.integers(1, 300), st.binary(min_size=1, max_size=80))
def test_neither_cut_short_nor_longer(files: dict[str, bytes], cut: int, more: bytes) -> None:
    good = stored(files.items())
    for bad in (good[:-cut], good + more, more + good):
        with pytest.raises(MalformedError, match="evidence bundle"):
            opened(bad)


@given(st.binary(max_size=400))
@example(EMPTY)
def test_other_bytes_are_no_bundle(data: bytes) -> None:
    with pytest.raises(MalformedError) if data != EMPTY else nullcontext():
        opened(data)


@pytest.mark.parametrize(
    "name",
    ["../up", "/etc/passwd", "a/../b", "a//b", "C:\\x", "a\\b", ".hidden", "a/.b", "", "ü", "a/", "x" * 256],
)
def test_a_name_leads_nowhere(name: str) -> None:
    with pytest.raises(MalformedError, match="name"):
        header(Member(name, 0, 0, 0))


def other_writer(*names: str, mode: int = 0o100644, method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, b"x" * 5000, method)
    return buffer.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("names", "more"),
    [
        (["a"], {"mode": 0o120777}),
        (["a", "a"], {}),
        (["../a"], {}),
        (["a"], {"method": zipfile.ZIP_DEFLATED}),
        (["a/"], {}),
        (["a"], {"mode": 0o100755}),
    ],
    ids=["a link", "a name twice", "a way out", "a bomb", "a folder", "another mode"],
)
def test_what_another_program_may_write_is_refused(names: list[str], more: dict[str, int]) -> None:
    with pytest.raises(MalformedError):
        opened(other_writer(*names, **more))


def test_two_files_over_the_same_bytes_are_refused() -> None:
    first = Member("a", 3, zlib.crc32(b"abc"), 0)
    body = header(first) + b"abc"
    data = body + directory([first, Member("b", 3, first.crc, 0)], len(body))
    with pytest.raises(MalformedError, match="between"):
        opened(data)


def test_more_files_than_a_plain_zip_holds() -> None:
    files = {f"f{number:06}": b"" for number in range(70_000)}
    data = stored(files.items())
    assert data[-END_SIZE - 20 :].startswith(b"PK\6\7")
    assert len(Archive(io.BytesIO(data)).members) == 70_000
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert len(archive.namelist()) == 70_000


def test_a_file_behind_four_gibibytes_is_found(tmp_path: Path) -> None:
    first = Member("first", MAX_SIZE, 0, 0)
    second = Member("second", 3, zlib.crc32(b"far"), first.stop)
    place = tmp_path / "far.zip"
    with place.open("wb") as file:
        file.write(header(first))
        file.seek(second.offset)
        file.write(header(second) + b"far" + directory([first, second], second.stop))
    with place.open("rb") as file:
        archive = Archive(file)
        assert (archive.digest("second"), archive.read("second")) == (
            hashlib.sha256(b"far").hexdigest(),
            b"far",
        )
    with zipfile.ZipFile(place) as other:
        assert other.read("second") == b"far"


def test_a_file_of_more_is_refused() -> None:
    with pytest.raises(MalformedError, match="too large"):
        header(Member("a", MAX_SIZE + 1, 0, 0))
