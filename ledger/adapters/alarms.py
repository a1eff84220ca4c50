"""Alarms as a folder of folders, readable without us: see ``ports.Alarms``.

    alarms/0001-witness.fork-5b1e77c0/
        alarm.json            code, sentence, when, and the SHA-256 of each file of evidence
        ours.checkpoint       the evidence, byte for byte
        witness.checkpoint
        closed.json           who looked at it says why it may rest; its absence keeps the alarm open

* An alarm appears whole or not at all, and is on disk when ``sound`` returns.
* The same evidence again, while its alarm is open, is that alarm. Nothing is ever deleted.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from ledger.core.digest import sha256_hex
from ledger.core.fields import format_time
from ledger.errors import RefusedError, UsageError
from ledger.ports import Clock

_NAME = re.compile(r"[0-9]{4,}-[a-z.-]+-[0-9a-f]{16}")
_FILE = re.compile(r"[a-z0-9][a-z0-9._-]*")


class DirectoryAlarms:
    """A folder of alarms, made when the first one sounds. Raises ``RefusedError("log.storage")``."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock

    def sound(self, code: str, message: str, evidence: Mapping[str, bytes]) -> str:
        """Keep the evidence (plain file name to bytes), durable on return, and return the alarm's folder."""
        if not all(map(_FILE.fullmatch, evidence)):
            raise ValueError(f"evidence needs plain file names: {list(evidence)}")
        digests = {name: sha256_hex(data) for name, data in sorted(evidence.items())}
        digest = sha256(json.dumps([code, digests]).encode()).hexdigest()[:16]
        for path in self._open():
            if path.name.endswith(digest):
                return str(path)
        about = {
            "code": code,
            "message": message,
            "at": format_time(self._clock.now().replace(microsecond=0)),
            "evidence": digests,
        }
        with _disk(self._folder):
            return str(self._keep(f"{code}-{digest}", {**evidence, "alarm.json": _document(about)}))

    def open(self) -> Sequence[str]:
        """Return the folders of the alarms nobody has closed yet, oldest first."""
        return [str(path) for path in self._open()]

    def close(self, name: str, why: str) -> None:
        """Close the alarm of this name, durable on return. Raises ``UsageError("alarm.unknown")``."""
        path = next((path for path in self._open() if name in {path.name, str(path)}), None)
        if path is None:
            raise UsageError("alarm.unknown", f"No open alarm is called {name}.", name=name)
        closed = {"why": why, "at": format_time(self._clock.now().replace(microsecond=0))}
        scratch = path / ".closed.json"
        with _disk(path):
            _write(scratch, _document(closed))
            scratch.replace(path / "closed.json")
            _sync(path)

    def _open(self) -> list[Path]:
        return [path for path in self._all() if not (path / "closed.json").exists()]

    def _all(self) -> list[Path]:
        with _disk(self._folder), suppress(FileNotFoundError):
            found = [path for path in self._folder.iterdir() if _NAME.fullmatch(path.name)]
            return sorted(found, key=lambda path: (_number(path), path.name))
        return []

    def _keep(self, label: str, files: Mapping[str, bytes]) -> Path:
        """Write the files into a new folder and give it the next number."""
        if not self._folder.is_dir():
            self._folder.mkdir(parents=True, exist_ok=True)
            _sync(self._folder.parent)
        scratch = self._folder / f".{label}.{os.getpid()}"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        for name, data in files.items():
            _write(scratch / name, data)
        _sync(scratch)
        target = self._folder / f"{max(map(_number, self._all()), default=0) + 1:04}-{label}"
        scratch.rename(target)
        _sync(self._folder)
        return target


def _number(path: Path) -> int:
    return int(path.name.partition("-")[0])


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    """Run the block; what the file system raises in it leaves as ``RefusedError("log.storage")``."""
    try:
        yield
    except OSError as error:
        raise RefusedError(
            "log.storage", f"An alarm could not be kept or read: {error.strerror}.", path=path
        ) from error


def _document(value: Mapping[str, object]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
