"""Files and folders: a publication, the manifest stores, and the log key's record of what it signed.

* A file appears whole or not at all, and is on disk when its call returns: written under another name,
  synchronised, given its name, and the folder synchronised.
* A published file that never changes is given its name by a link, which fails where a name is taken. So two
  publishers cannot overwrite each other.
* What is there already may be a killed process's, in memory and not yet on disk. So it is synchronised before
  anything is built on it: the folders of a store once in each process, a record whenever another wrote it.
* The last-signed record is overwritten in place, because it is written once for each batch of entries: two
  slots in turn, each with its own checksum. A write that is cut short spoils one slot, and the other one
  still holds the checkpoint before it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from ledger.core.checkpoint import parse_checkpoint
from ledger.core.digest import parse_sha256, sha256_hex
from ledger.core.tiles import check_published_path
from ledger.errors import IntegrityError, MalformedError, RefusedError

_SLOT = 4096
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# macOS has no fdatasync; there fsync does the same and a little more.
_sync = getattr(os, "fdatasync", os.fsync)


class DirectoryPublication:
    """A folder of published files; see ``ports.Publication``. Serve it as it is.

    Raises ``RefusedError`` with ``log.disk-full`` or ``log.storage`` when the disk does not take a file.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folders = _Folders(folder)

    def get(self, path: str) -> bytes | None:
        """Return the published file, or ``None``. Its name is on disk when this returns."""
        target = self._at(path)
        with _disk(target):
            self._folders.settle(target.parent)
        return _read(target)

    def put_immutable(self, path: str, data: bytes) -> None:
        """Publish a file that never changes.

        Raises ``IntegrityError("log.conflict")`` when other bytes are there already.
        """
        target = self._at(path)
        with _disk(target):
            self._folders.make(target.parent)
            _write(target, data, replace=False)
        found = _read(target)
        if found != data:
            raise IntegrityError("log.conflict", "Other bytes are published under this name.", path=target)

    def swap(self, path: str, old: bytes | None, new: bytes) -> None:
        """Publish a file that does change, atomically, if it still is ``old``."""
        target = self._at(path)
        with _disk(target):
            self._folders.make(target.parent)
            lock = os.open(
                target.with_name(f".{target.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666
            )
            with _locked(lock, fcntl.LOCK_EX):
                if _read(target) != old:
                    raise RefusedError("log.fenced", "Another publisher was faster.", path=target)
                with self._folders.changing(target.parent):
                    _write(target, new, replace=True)

    def _at(self, path: str) -> Path:
        check_published_path(path)
        return self._folder / path


class DirectoryManifestStore:
    """Manifest stores in ``<first two digits>/<sha256>.c2pa``; see ``ports.ManifestStore``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folders = _Folders(folder)

    def put(self, sha256: str, store: bytes) -> None:
        """Keep the store, durable on return; the same asset's newer store replaces the older."""
        target = self._at(sha256)
        with _disk(target):
            self._folders.make(target.parent)
            _write(target, store, replace=True)

    def get(self, sha256: str) -> bytes | None:
        """Return the store, or ``None``."""
        return _read(self._at(sha256))

    def _at(self, sha256: str) -> Path:
        return self._folder / parse_sha256(sha256)[:2] / f"{sha256}.c2pa"


class FileLastSigned:
    """The last checkpoint that a log key signed, in a file beside the key; see ``guard.LastSigned``.

    Keep it out of the database's backup: a restored database must not bring its own, older record along.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # What is known to be on disk. No checkpoint is empty: at first nothing is known.
        self._durable: bytes | None = b""

    def read(self) -> bytes | None:
        """Return the newest checkpoint recorded, or ``None``. It is on disk when this returns.

        Raises ``IntegrityError("log.corrupt")`` when both slots are damaged.
        """
        with _disk(self._path):
            try:
                file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return None
            with _locked(file, fcntl.LOCK_SH):
                newest = self._newest(_slots(file))
                self._settle(file, newest)
                return newest

    def damaged(self) -> bool:
        """Whether a slot is damaged. The next ``write`` takes that slot."""
        with _disk(self._path):
            try:
                file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return False
            with _locked(file, fcntl.LOCK_SH):
                return None in _slots(file)

    def write(self, checkpoint: bytes) -> None:
        """Record a signed checkpoint, on disk when this returns. One of a larger tree stays in its place."""
        slot = f"{sha256_hex(checkpoint)}\n".encode() + checkpoint
        if len(slot) > _SLOT:
            raise MalformedError("checkpoint.malformed", "The checkpoint is too long.", size=len(checkpoint))
        with _disk(self._path):
            if not self._path.exists():
                _Folders(self._path.parent).make(self._path.parent)
                _write(self._path, bytes(2 * _SLOT), replace=False)
            file = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
            with _locked(file, fcntl.LOCK_EX):
                slots = _slots(file)
                newest = self._newest(slots)
                self._settle(file, newest)
                # Another process may have committed and recorded more since this one committed.
                place = _place(slots, newest, checkpoint)
                if place is not None:
                    _overwrite(file, slot.ljust(_SLOT, b"\0"), place * _SLOT)
                    self._durable = checkpoint

    def _settle(self, file: int, newest: bytes | None) -> None:
        """Bring to disk what another process may have written and not synchronised."""
        if newest != self._durable:
            _sync(file)
            _sync_path(self._path.parent)
            self._durable = newest

    def _newest(self, slots: list[bytes | None]) -> bytes | None:
        whole = [slot for slot in slots if slot]
        if not whole and slots.count(None) == len(slots):
            raise IntegrityError("log.corrupt", "The last-signed record is damaged.", path=self._path)
        return max(whole, key=_size, default=None)


@lru_cache(maxsize=8)
def _size(checkpoint: bytes) -> int:
    """Return the tree size that a checkpoint states; the same few are asked for over and over."""
    return parse_checkpoint(checkpoint).size


def _place(slots: list[bytes | None], newest: bytes | None, checkpoint: bytes) -> int | None:
    """Return the slot for a checkpoint: the older one, or the same tree's; ``None`` for an older tree."""
    if newest is None:
        return 0
    ahead = _size(checkpoint) - _size(newest)
    if ahead < 0 or checkpoint == newest:
        return None
    at = slots.index(newest)
    return 1 - at if ahead else at


def _slots(file: int) -> list[bytes | None]:
    """Return what each slot holds: ``b""`` when never written, ``None`` when damaged."""
    found: list[bytes | None] = []
    for number in range(2):
        raw = os.pread(file, _SLOT, number * _SLOT)
        digest, _, content = raw.rstrip(b"\0").partition(b"\n")
        if not digest and len(raw) == _SLOT:
            found.append(b"")
        else:
            found.append(content if sha256_hex(content).encode() == digest else None)
    return found


def _overwrite(file: int, data: bytes, offset: int) -> None:
    """Write the bytes durably, or none of them."""
    try:
        os.pwrite(file, data, offset)
        _sync(file)
    except OSError:
        # The system counts what it failed to write as written: the next reader would take it for a record,
        # and synchronising again would succeed.
        with suppress(OSError):
            os.pwrite(file, bytes(len(data)), offset)
        raise


@contextmanager
def _locked(file: int, operation: int) -> Iterator[None]:
    """Hold the lock while the block runs, then close the file, which releases it."""
    try:
        fcntl.flock(file, operation)
        yield
    finally:
        os.close(file)


class _Folders:
    """The folders in ``root``, made durably. One that is there already was perhaps never synchronised."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._made: set[Path] = set()
        self._settled: set[Path] = set()

    def make(self, folder: Path) -> None:
        """Create the folder and its missing parents; on return each has its name on disk."""
        if folder in self._made and folder.is_dir():
            return
        # Above the root, what is there was made by somebody else, who may not let us open it.
        if folder == self._root:
            folder.parent.mkdir(parents=True, exist_ok=True)
        else:
            self.make(folder.parent)
        with suppress(FileExistsError):
            folder.mkdir()
        with suppress(PermissionError):
            _sync_path(folder.parent)
        self._made.add(folder)

    @contextmanager
    def changing(self, folder: Path) -> Iterator[None]:
        """Run the block, which gives a name in this folder to another file and synchronises it."""
        self._settled.discard(folder)
        yield
        self._settled.add(folder)

    def settle(self, folder: Path) -> None:
        """Bring the names in a folder to disk, once: the last process may have died before it did."""
        if folder not in self._settled and folder.is_dir():
            _sync_path(folder)
            self._settled.add(folder)


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    """Run the block; what the file system raises in it leaves as a ``RefusedError``."""
    try:
        yield
    except OSError as error:
        code = "log.disk-full" if error.errno in _FULL else "log.storage"
        raise RefusedError(
            code, f"A file could not be written or read: {error.strerror}.", path=path
        ) from error


def _read(path: Path) -> bytes | None:
    with _disk(path):
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None


def _write(target: Path, data: bytes, *, replace: bool) -> None:
    """Give ``target`` these bytes, durably; without ``replace``, what is there already stays."""
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        with os.fdopen(file, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if replace:
            temporary.replace(target)
        else:
            _link(temporary, target)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
    _sync_path(target.parent)


def _link(temporary: Path, target: Path) -> None:
    try:
        target.hardlink_to(temporary)
    except FileExistsError:
        # Whoever wrote it may have died before it reached the disk.
        _sync_path(target)


def _sync_path(path: Path) -> None:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
