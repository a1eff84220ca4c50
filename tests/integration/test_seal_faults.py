"""A failure at every moment of sealing: the original stays, the log never claims what is not there for long.

Each fault is put where the operating system or a part would raise it. Afterwards: every file at work is as it
was, no scratch file is left, the same call succeeds, and the result is proven.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.adapters.c2pa_codec import C2paCodec
from ledger.adapters.files import DirectoryManifestStore
from ledger.adapters.home import Home
from ledger.errors import RakkanError, RefusedError
from ledger.service import files
from ledger.service.log.sequence import Log
from ledger.service.seal import seal
from ledger.wiring import open_device, open_studio
from tests.e2e.conftest import Studio, founded, sidecar, snapshot, studio
from tests.support.media import make

__all__ = ["founded", "studio"]
KINDS = ["png", "tif", "exr"]


def full(*_: object, **__: object) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


def denied(*_: object, **__: object) -> Any:
    raise PermissionError(errno.EACCES, "Permission denied")


def stopped(*_: object, **__: object) -> Any:
    raise KeyboardInterrupt


def busy(*_: object, **__: object) -> Any:
    raise RefusedError("log.busy", "Another process is writing to this log.")


Break = Callable[[pytest.MonkeyPatch], None]


def _patch(owner: object, name: str, fault: Callable[..., Any]) -> Break:
    return lambda patch: patch.setattr(owner, name, fault)


_fsync = os.fsync


def _scratch_is_full(handle: int) -> None:
    """No room for the sealed file; the log lies on another disk."""
    if Path(f"/proc/self/fd/{handle}").readlink().suffix == ".rakkan":
        full()
    _fsync(handle)


def _of_scratch(fault: Callable[..., Any]) -> Callable[..., Any]:
    """The fault, for the renaming of sealed files only."""
    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        return fault() if self.suffix == ".rakkan" else real(self, target)

    return replace


BEFORE_THE_LOG: dict[str, tuple[Break, str | None]] = {
    "the disk is full at fsync": (_patch(os, "fsync", _scratch_is_full), "target.no-space"),
    "the folder takes no file": (_patch(files, "writing_errors", denied), None),
    "stopped while signing": (_patch(C2paCodec, "_prepare", stopped), None),
    "the log is busy": (_patch(Log, "append", busy), "log.busy"),
    "the log's disk is full": (_patch(Log, "append", full), None),
    "stopped before the log": (_patch(Log, "append", stopped), None),
}
AFTER_THE_LOG: dict[str, tuple[Break, str | None]] = {
    "the manifest store is full": (_patch(DirectoryManifestStore, "put", full), None),
    "stopped at the manifest store": (_patch(DirectoryManifestStore, "put", stopped), None),
    "the rename is refused": (_patch(Path, "replace", _of_scratch(denied)), "target.not-writable"),
    "stopped at the rename": (_patch(Path, "replace", _of_scratch(stopped)), None),
}


def attempt(studio: Studio, paths: list[Path]) -> BaseException | None:
    """Seal, and return what was raised."""
    home = Home(studio.home, None)
    with open_studio(home) as opened:
        device = open_device(home, "workstation")
        try:
            seal(opened, device, paths)
        except (RakkanError, OSError, KeyboardInterrupt) as error:
            return error
    return None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", [*BEFORE_THE_LOG, *AFTER_THE_LOG])
def test_a_fault_leaves_the_original_and_a_retry_succeeds(studio: Studio, kind: str, fault: str) -> None:
    path = studio.record(make(kind, studio.work))
    before, size, entries = snapshot(studio.work), studio.size(), studio.rows("entry")
    breaks, code = (BEFORE_THE_LOG | AFTER_THE_LOG)[fault]
    with pytest.MonkeyPatch.context() as patch:
        breaks(patch)
        error = attempt(studio, [path])
    assert error is not None
    if code:
        assert isinstance(error, RakkanError), error
        assert error.code == code
    assert snapshot(studio.work) == before
    logged = fault in AFTER_THE_LOG
    assert studio.size() == size + logged
    if not logged:
        assert studio.rows("entry") == entries
    assert attempt(studio, [path]) is None
    assert studio.verify(path).code == 0
    assert studio("verify", path).code == 0
    assert {item.name for item in studio.work.iterdir()} == {path.name} | (
        {sidecar(path).name} if kind == "exr" else set()
    )


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_fault_in_one_file_of_a_batch_leaves_them_all(studio: Studio, position: int) -> None:
    paths = [studio.record(make(kind, studio.work)) for kind in KINDS]
    before, size = snapshot(studio.work), studio.size()
    real = files.write_beside, C2paCodec.seal_file

    def broken(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **options: Any) -> Any:
            if any(str(item).startswith(str(paths[position])) for item in arguments):
                raise OSError(errno.EIO, name)
            return real(*arguments, **options)

        return wrapped

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "write_beside", broken("write", real[0]))
        patch.setattr(C2paCodec, "seal_file", broken("seal", real[1]))
        error = attempt(studio, paths)
    assert isinstance(error, RakkanError | OSError)
    assert (snapshot(studio.work), studio.size()) == (before, size)
    assert attempt(studio, paths) is None


def test_a_fault_between_two_renames_leaves_each_file_whole(studio: Studio) -> None:
    """The first is sealed, the second is not: both are whole, and sealing the second again completes it."""
    paths = [studio.record(make(kind, studio.work)) for kind in ("png", "tif")]
    original = paths[1].read_bytes()
    real, calls = files.replace, 0

    def second_fails(scratch: Path, target: Path) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise RefusedError("target.not-writable", "Gone.")
        real(scratch, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "replace", second_fails)
        assert attempt(studio, paths) is not None
    assert studio.verify(paths[0]).code == 0
    assert paths[1].read_bytes() == original
    studio.ok("seal", *paths, "--skip-sealed")
    assert studio.verify(paths[1]).code == 0


def test_a_sidecar_and_its_copy_go_to_the_other_folder_together(studio: Studio, tmp_path: Path) -> None:
    path = studio.record(make("exr", studio.work))
    out = tmp_path / "out"
    out.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "identify", _lying(files.identify))
        result = studio("seal", path, "--out", out)
    assert (result.code, result.error) == (2, "file.changed")
    assert list(out.iterdir()) == []


def _lying(real: Callable[[Path], files.FileIdentity]) -> Callable[[Path], files.FileIdentity]:
    """A disk that gives back other bytes than were written to it."""

    def identify(path: Path) -> files.FileIdentity:
        found = real(path)
        return found if not path.name.endswith(".rakkan") else files.FileIdentity("0" * 64, found.size_bytes)

    return identify
