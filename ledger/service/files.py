"""Reading a user's files, and replacing them, so that nothing is lost.

* A file is identified while it is read once: if its size or times changed meanwhile, the digest is of
  nothing that ever lay on disk, and ``file.changed`` says so.
* A pipe, a device or a folder is never waited for: it is refused.
* A file is replaced by writing beside it, forcing it to disk, and renaming: a failure at any moment leaves
  the original.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from ledger.core.containers.formats import sniff
from ledger.errors import RefusedError, UsageError

SIDECAR = ".c2pa"
_READ_BYTES = 1 << 20


_FAMILIES = (
    frozenset({"video/mp4", "video/quicktime", "audio/mp4"}),
    frozenset({"image/heic", "image/heif", "image/avif"}),
)
"""Formats that share one container, and that tools name as they like."""
_PROMISED = ("image/", "audio/", "video/", "application/pdf")
"""What a name promises: of a text or an archive, the name says too little."""


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """A file's SHA-256 (hex) and its size in bytes, as read at one moment.

    ``stamp`` is what the file system said of it at that moment: device, inode, size, time of change.
    """

    sha256: str
    size_bytes: int
    stamp: tuple[int, int, int, int] = field(default=(0, 0, 0, 0), compare=False)


def identify(path: Path) -> FileIdentity:
    """Return the identity of a regular, non-empty file.

    Raises ``UsageError`` with ``file.missing``, ``file.not-a-file``, ``file.empty`` or ``file.unreadable``,
    and ``RefusedError("file.changed")``.
    """
    digest = hashlib.sha256()
    with reading_errors(path), _opened(path) as handle:
        before = os.fstat(handle.fileno())
        _check_regular(path, before)
        if not before.st_size:
            raise UsageError("file.empty", f"{path} is empty.", path=path)
        buffer = memoryview(bytearray(min(_READ_BYTES, before.st_size)))
        while count := handle.readinto(buffer):
            digest.update(buffer[:count])
        after = os.fstat(handle.fileno())
    if _stamp(before) != _stamp(after):
        raise _changed(path)
    return FileIdentity(digest.hexdigest(), before.st_size, _stamp(before))


def check_unchanged(path: Path, identity: FileIdentity) -> None:
    """Return if nobody wrote to the file, or put another in its place, since it was identified.

    Raises ``RefusedError("file.changed")``.
    """
    with reading_errors(path):
        now = path.stat()
    if _stamp(now) != identity.stamp:
        raise _changed(path)


def read_whole(path: Path, limit: int | None = None) -> bytes:
    """Return a regular file's bytes, at most ``limit`` of them: for a trust root, a sidecar, an inventory.

    Raises ``UsageError`` with ``file.missing``, ``file.not-a-file`` or ``file.unreadable``.
    """
    with reading_errors(path), _opened(path) as handle:
        _check_regular(path, os.fstat(handle.fileno()))
        if limit is None:
            return handle.readall()
        data = b""
        while len(data) < limit and (piece := handle.read(limit - len(data))):
            data += piece
        return data


def check_name(path: Path, media_type: str) -> None:
    """Return if the file's name does not contradict what its bytes are. Raises ``file.wrong-extension``."""
    promised = sniff(b"", path.name)
    kin = next((family for family in _FAMILIES if promised in family), {promised})
    if promised.startswith(_PROMISED) and media_type not in kin:
        raise UsageError(
            "file.wrong-extension",
            f"{path} is named {path.suffix}, but its bytes are {media_type}.",
            path=path,
            media_type=media_type,
        )


@contextmanager
def reading_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's errors on reading ``path`` into ours."""
    try:
        yield
    except FileNotFoundError as error:
        raise UsageError("file.missing", f"{path} does not exist.", path=path) from error
    except IsADirectoryError as error:
        raise UsageError("file.not-a-file", f"{path} is a folder.", path=path) from error
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise UsageError("file.not-a-file", f"{path} is not a regular file.", path=path) from error
        raise UsageError("file.unreadable", f"{path} cannot be read: {error.strerror}.", path=path) from error


@contextmanager
def writing_errors(target: Path) -> Iterator[None]:
    """Turn the operating system's errors on writing ``target`` into ours."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise RefusedError("target.no-space", f"No space left for {target}.", path=target) from error
        raise RefusedError(
            "target.not-writable", f"{target} cannot be written: {error.strerror}.", path=target
        ) from error


def sidecar_of(path: Path) -> Path:
    """Return where the sidecar of a file lies, or would."""
    return path.with_name(path.name + SIDECAR)


def beside(path: Path) -> Path | None:
    """Return the sidecar that lies beside a file, or beside the file that a link leads to."""
    for place in (path, Path(os.path.realpath(path))):
        with suppress(
            OSError
        ):  # a name that its suffix makes too long for the file system is nobody's sidecar
            if sidecar_of(place).is_file():
                return sidecar_of(place)
    return None


def scratch_beside(target: Path) -> Path:
    """Return a name in the target's folder that nobody uses: a rename never crosses a file system."""
    return target.with_name(f".{os.urandom(8).hex()}.rakkan")


def write_beside(target: Path, data: bytes) -> Path:
    """Write ``data`` to a scratch file beside ``target``, durably, and return its path.

    Raises ``RefusedError`` with ``target.no-space`` or ``target.not-writable``; nothing is left behind then.
    """
    scratch = scratch_beside(target)
    try:
        with writing_errors(target), scratch.open("xb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
    except BaseException:
        discard(scratch)
        raise
    return scratch


def copy_beside(source: Path, target: Path, sha256: str) -> Path:
    """Copy ``source`` to a scratch file beside ``target``, durably, and return its path.

    Raises as ``write_beside``, and ``RefusedError("file.changed")`` when the copy is not of these bytes.
    """
    scratch = scratch_beside(target)
    try:
        with writing_errors(target):
            shutil.copyfile(source, scratch)
        force_to_disk(scratch)
        if identify(scratch).sha256 != sha256:
            raise _changed(source)
    except BaseException:
        discard(scratch)
        raise
    return scratch


def replace(scratch: Path, target: Path) -> None:
    """Give ``scratch`` the target's name, durably. The target's permission bits are kept.

    Raises ``RefusedError("target.not-writable")``; the target is then untouched.
    """
    with writing_errors(target):
        if target.exists():
            scratch.chmod(stat.S_IMODE(target.stat().st_mode))
        scratch.replace(target)
        sync_folder(target.parent)


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a path to write to, which takes the target's name when the block ends: not if it fails.

    Two that replace one target at the same time do not meet; the later one stays. Raises ``OSError``.
    """
    scratch = scratch_beside(target)
    try:
        yield scratch
        scratch.replace(target)
        sync_folder(target.parent)
    finally:
        discard(scratch)


def sync_folder(folder: Path) -> None:
    """Return when the names in a folder are durable. Raises ``OSError``."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def force_to_disk(path: Path) -> None:
    """Return when the file's bytes are durable. Raises as ``write_beside``."""
    with writing_errors(path), path.open("rb") as handle:
        os.fsync(handle.fileno())


def make_folder(folder: Path) -> None:
    """Make the folder and its parents, if they are missing. Raises ``RefusedError("target.…")``."""
    with writing_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)


def write_new(target: Path, data: bytes) -> None:
    """Write a file whole or not at all; one that is there is replaced. Raises as ``write_beside``."""
    replace(write_beside(target, data), target)


def discard(scratch: Path) -> None:
    """Remove a scratch file if it is there."""
    with suppress(OSError):
        scratch.unlink()


def _opened(path: Path) -> io.FileIO:
    # Non-blocking: opening a named pipe would otherwise wait for a writer for ever.
    return io.FileIO(path, opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))


def _check_regular(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise UsageError("file.not-a-file", f"{path} is not a regular file.", path=path)


def _stamp(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _changed(path: Path) -> RefusedError:
    return RefusedError("file.changed", f"{path} changed while it was being read.", path=path)
