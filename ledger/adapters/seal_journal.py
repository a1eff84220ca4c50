"""Seals that a device began, one small file each; see ``service.begun.Journal``."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ledger.core.digest import sha256_hex
from ledger.core.encoding import decode_base64, encode_base64
from ledger.errors import MalformedError
from ledger.service.begun import Begun, BegunFile
from ledger.service.files import read_whole, write_new, writing_errors

MAX_FILE = 1 << 20


class DirectoryJournal:
    """The folder, which is made when it is needed. Raises ``target.…`` for a bad disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until nobody else seals with this journal, and keep others out while the block runs."""
        with writing_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = (self._folder / "lock").open("a")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def begin(self, begun: Begun) -> None:
        """Keep it, durable on return."""
        document = {
            "envelope": encode_base64(begun.envelope),
            "files": [
                {
                    "target": str(item.target.absolute()),
                    "source": item.source,
                    "sealed": item.sealed,
                    "embedded": item.embedded,
                    "moves": [[str(place.absolute()) for place in move] for move in item.moves],
                }
                for item in begun.files
            ],
        }
        write_new(self._at(begun), json.dumps(document).encode())

    def begun(self) -> Sequence[Begun]:
        """Return what was begun and not ended. Raises ``MalformedError("home.malformed")``."""
        return [_read(path) for path in sorted(self._folder.glob("*.json"))]

    def end(self, begun: Begun) -> None:
        """Forget it."""
        with writing_errors(self._folder):
            self._at(begun).unlink(missing_ok=True)

    def _at(self, begun: Begun) -> Path:
        return self._folder / f"{sha256_hex(begun.envelope)}.json"


def _read(path: Path) -> Begun:
    try:
        document = json.loads(read_whole(path, MAX_FILE))
        envelope = decode_base64(document["envelope"])
        found = tuple(map(_file, document["files"]))
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedError("home.malformed", f"{path} is damaged: {error}.", path=path) from error
    if envelope is None:
        raise MalformedError("home.malformed", f"{path} is damaged.", path=path)
    return Begun(envelope, found)


def _file(value: Any) -> BegunFile:
    moves = tuple((Path(scratch), Path(final)) for scratch, final in value["moves"])
    return BegunFile(Path(value["target"]), value["source"], value["sealed"], bool(value["embedded"]), moves)
