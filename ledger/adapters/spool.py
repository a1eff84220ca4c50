"""The spool on disk (docs/spec/capture.md): the agent's side of it. Implements ``capture.store.Spool``."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

from ledger.errors import RakkanError, RefusedError
from ledger.service.capture.store import Waiting
from ledger.service.files import reading_errors, write_new, writing_errors

MAX_RECORD = 4 << 20
BEAT = 5.0
"""Seconds between two heartbeats."""
MOST_BYTES = 32 << 20
"""Of records that are held in memory at once."""
RESERVE = 64
"""Files of ``PIECE`` bytes that hooks may delete when the disk is full: room for some thousand records."""
PIECE = 256 << 10
_NAME = re.compile(r"(?P<number>[0-9]{1,16})-(?P<id>.+)\.json")


class DirectorySpool:
    """The spool in a folder, which is made when it is not there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._new, self._held = folder / "new", folder / "held"
        self._names: list[str] = []  # of one look into the folder, which may hold a hundred thousand

    def prepare(self) -> None:
        """Make the folders, for this user alone. Raises ``RefusedError("target.…")``."""
        with writing_errors(self.folder):
            for name in ("tmp", "new", "held", "reserve", "lists"):
                (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)

    def waiting(self, limit: int) -> Sequence[Waiting]:
        """Return the records that wait, in the order of their names, at most ``limit``."""
        if not self._names:
            with suppress(FileNotFoundError):
                self._names = sorted(
                    entry.name for entry in os.scandir(self._new) if _NAME.fullmatch(entry.name)
                )
        found: list[Waiting] = []
        room = MOST_BYTES
        for name in self._names[:limit]:
            with suppress(FileNotFoundError), (self._new / name).open("rb") as file:
                found.append(Waiting(name, int(name.partition("-")[0]), file.read(MAX_RECORD + 1)))
                room -= len(found[-1].data)
            if room < 0:
                break
        if not found:  # all of them have gone since
            self._names = []
        return found

    def listed(self, path: str) -> Sequence[bytes] | None:
        """Return the lines of a list that a hook left in the spool, or ``None`` for any other path."""
        file = Path(os.path.realpath(path))
        if file.parent != Path(os.path.realpath(self.folder / "lists")):
            return None
        with reading_errors(file):
            return file.read_bytes().splitlines()

    def count(self) -> int:
        """Return how many records wait."""
        return _count(self._new)

    def remove(self, names: Sequence[str], lists: Sequence[str]) -> None:
        """Remove records that the chain holds, and the lists that they named."""
        for name in names:
            (self._new / name).unlink(missing_ok=True)
        for path in lists:
            Path(path).unlink(missing_ok=True)
        gone = frozenset(names)
        self._names = [name for name in self._names if name not in gone]

    def hold(self, name: str, error: RakkanError) -> None:
        """Put a record aside, unchanged, with the reason beside it."""
        with writing_errors(self._held / name):
            write_new(self._held / f"{name}.why", json.dumps(error.to_json(), ensure_ascii=False).encode())
            (self._new / name).replace(self._held / name)

    def held(self) -> list[tuple[str, str]]:
        """Return the records that were put aside, each with the code of the reason."""
        found = []
        for path in sorted(self._held.glob("*.why")) if self._held.is_dir() else ():
            with suppress(OSError, ValueError):
                found.append((path.name.removesuffix(".why"), json.loads(path.read_bytes())["code"]))
        return found

    def release(self) -> int:
        """Put what was put aside back to the records that wait; return how many there were.

        Without its number: that one has been passed, and would look like a spool that began anew.
        """
        names = [name for name, _ in self.held() if (self._held / name).exists()]
        for name in names:
            (self._held / name).replace(self._new / f"{0:016d}-{name.partition('-')[2]}")
            (self._held / f"{name}.why").unlink(missing_ok=True)
        return len(names)

    def keep_reserve(self) -> bool:
        """Fill the reserve as far as there is room; whether it is full."""
        reserve = self.folder / "reserve"
        for number in range(RESERVE):
            path = reserve / f"{number:03d}"
            if not path.exists():
                try:
                    with path.open("xb") as file:
                        os.posix_fallocate(file.fileno(), 0, PIECE)
                except OSError:
                    path.unlink(missing_ok=True)
                    return False
        return True

    def tell_hooks(self, settings: dict[str, Any]) -> None:
        """Write what hooks must know."""
        write_new(self.folder / "settings.json", json.dumps(settings, indent=2).encode() + b"\n")

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Say that the agent is alive for as long as the block runs, also while it reads large files.

        Where the disk is full, the time of change still says it.
        """
        ended = Event()

        def beat() -> None:
            while not ended.is_set():
                with suppress(OSError):  # the folder was taken away: the agent finds that out by itself
                    (self.folder / "heartbeat").touch()
                ended.wait(BEAT)

        thread = Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def faults(self) -> int:
        """Return how many records hooks could not write."""
        try:
            return (self.folder / "faults.log").read_bytes().count(b"\n")
        except OSError:
            return 0


@contextmanager
def only_agent(lock: Path) -> Iterator[None]:
    """Hold the device for one agent. Raises ``RefusedError("agent.running")``."""
    with writing_errors(lock):
        lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RefusedError(
                "agent.running", "Another agent works on this device already.", lock=lock
            ) from error
        yield
    finally:
        os.close(handle)


def _count(folder: Path) -> int:
    try:
        return sum(1 for _ in os.scandir(folder))
    except OSError:
        return 0
