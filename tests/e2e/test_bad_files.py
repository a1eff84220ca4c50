"""What is no file, or cannot be read: its own code and sentence, and nothing changed."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Studio
from tests.support.media import make
from tests.support.mishaps import RECORD, Made


def _missing(folder: Path) -> Path:
    return folder / "missing.png"


def _folder(folder: Path) -> Path:
    path = folder / "folder.png"
    path.mkdir()
    return path


def _loop(folder: Path) -> Path:
    path = folder / "loop.png"
    path.symlink_to("loop2.png")
    (folder / "loop2.png").symlink_to("loop.png")
    return path


def _dangling(folder: Path) -> Path:
    path = folder / "dangling.png"
    path.symlink_to("gone.png")
    return path


def _pipe(folder: Path) -> Path:
    path = folder / "pipe.png"
    os.mkfifo(path)
    return path


def _device(folder: Path) -> Path:
    path = folder / "zero.png"
    path.symlink_to("/dev/zero")
    return path


def _empty(folder: Path) -> Path:
    path = folder / "empty.png"
    path.touch()
    return path


def _under_a_file(folder: Path) -> Path:
    (folder / "file.png").write_bytes(b"x")
    return folder / "file.png" / "below.png"


def _long_name(folder: Path) -> Path:
    return folder / ("n" * 300 + ".png")


NOT_FILES: dict[str, tuple[Made, str]] = {
    "missing": (_missing, "file.missing"),
    "folder": (_folder, "file.not-a-file"),
    "symlink loop": (_loop, "file.not-a-file"),
    "dangling symlink": (_dangling, "file.missing"),
    "pipe": (_pipe, "file.not-a-file"),
    "device": (_device, "file.not-a-file"),
    "empty": (_empty, "file.empty"),
    "under a file": (_under_a_file, "file.unreadable"),
    "name too long": (_long_name, "file.unreadable"),
}


USES: dict[str, tuple[str, ...]] = {
    "record": ("record", "{}", *RECORD),
    "seal": ("seal", "{}"),
    "verify": ("verify", "{}"),
    "verify offline": ("verify", "{}", "--offline"),
    "parent": ("record", "good.png", *RECORD, "--parent", "{}"),
    "sidecar": ("verify", "good.png", "--sidecar", "{}"),
    "trust root": ("verify", "good.png", "--trust", "{}"),
    "dataset": ("dataset", "add", "plates", "{}"),
    "model": ("model", "add", "sky", "{}"),
    "contract": (
        *("grant", "add", "G", "--covers", "x", "--use", "output-final", "--from", "2026-01-01"),
        *("--licensor", "L", "--contract", "{}"),
    ),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("kind", NOT_FILES)
@pytest.mark.timeout(20)
def test_what_is_no_file(founded: Studio, tmp_path: Path, kind: str, use: str) -> None:
    maker, code = NOT_FILES[kind]
    # One studio for all of them: each must leave it as it was.
    studio = Studio(founded.home, tmp_path)
    good = studio.png("good.png")
    path = maker(tmp_path)
    if kind == "empty" and use in {"sidecar", "trust root", "dataset"}:
        code = {"sidecar": "", "trust root": "trust.malformed", "dataset": "file.empty"}[use]
    arguments = [
        str(path) if item == "{}" else str(good) if item == "good.png" else item for item in USES[use]
    ]
    if not code:
        result = studio(*arguments)
        assert (result.code, result.err) == (3, "")
        return
    result = studio.fails(code, *arguments)
    assert path.name in result.err


@contextmanager
def unreadable(path: Path) -> Iterator[None]:
    """Make a file that nobody may read; for root, who may read everything, by refusing the system call."""
    if os.geteuid() != 0:
        path.chmod(0)
        yield
        path.chmod(0o644)
        return
    real = os.open

    def refuse(name: Any, *arguments: Any, **options: Any) -> int:
        if os.fspath(name) == str(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(name, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", refuse)
        yield


@pytest.mark.parametrize("use", ["record", "seal", "verify", "verify offline", "parent"])
def test_unreadable(studio: Studio, use: str) -> None:
    studio.png("good.png")
    path = studio.png("secret.png", 2)
    names = {"{}": str(path), "good.png": str(studio.work / "good.png")}
    before = studio.state()
    with unreadable(path):
        result = studio(*(names.get(item, item) for item in USES[use]))
    assert (result.code, result.error) == (2, "file.unreadable"), result
    assert "Permission denied" in result.err
    assert studio.state() == before


def test_a_file_that_changes_while_it_is_read(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    path = studio.png()
    reads = 0
    real = os.fstat

    def touched(handle: int) -> os.stat_result:
        nonlocal reads
        found = real(handle)
        if found.st_ino == path.stat().st_ino:
            reads += 1
            os.utime(path, ns=(reads, reads))
            found = real(handle)
        return found

    monkeypatch.setattr(os, "fstat", touched)
    result = studio("record", path, *RECORD)
    assert (result.code, result.error) == (2, "file.changed")
    assert studio.size() == 2


@pytest.mark.parametrize("kind", ["png", "jpg", "tif", "mp4", "exr"])
def test_a_file_that_changes_while_it_is_sealed(
    studio: Studio, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program renames a new version into place between the reading and the signing."""
    from ledger.adapters.c2pa_codec import C2paCodec

    path = studio.record(make(kind, studio.work))
    newer = studio.work / "newer"
    newer.write_bytes(path.read_bytes() + b"newer")
    size = studio.size()
    for name in ("seal_file", "seal_digest"):
        monkeypatch.setattr(C2paCodec, name, _first(getattr(C2paCodec, name), path, newer))
    result = studio("seal", path)
    assert (result.code, result.error) == (2, "file.changed"), result
    assert studio.size() == size
    assert [item.name for item in studio.work.iterdir()] == [path.name]
    assert path.read_bytes().endswith(b"newer")


def _first(real: Callable[..., Any], path: Path, newer: Path) -> Callable[..., Any]:
    def swapped(*arguments: Any, **options: Any) -> Any:
        newer.replace(path)
        return real(*arguments, **options)

    return swapped
