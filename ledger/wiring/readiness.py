"""Whether a service can do its work now: `/ready`, `rakkan config check` and the metrics ask here.

* ``log``: the database answers, is of this schema and can be written, and the log's guard would let an entry
  in: no rollback, not frozen, not fenced off.
* ``disk``: the home's disk has room.
* ``key``: the log's key signs.
* Whoever adds something that the service cannot do without adds a look: a function that yields findings.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ledger.adapters.home import Home
from ledger.errors import RakkanError, RefusedError
from ledger.service.studio import Studio
from ledger.wiring.doctor import LITTLE

FRESH = 1.0
"""Seconds for which a finding is taken for true."""
SIGNS = 30.0
"""Seconds for which a key that signed is taken for usable: one in a token is slow."""
_PROBE = b"rakkan asks whether this key signs; never published\n"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of one production: its name, whether all is well, else the code and what is wrong."""

    check: str
    production: str
    code: str = ""
    words: str = ""

    @property
    def well(self) -> bool:
        """Whether nothing is wrong."""
        return not self.code

    def to_json(self) -> dict[str, Any]:
        """Return the members of the JSON answer."""
        found = {"check": self.check, "production": self.production, "well": self.well}
        return found if self.well else {**found, "code": self.code, "words": self.words}


Look = Callable[[], Iterator[Finding]]


class Readiness:
    """Looks when it is asked, at most once in ``FRESH`` seconds; for several threads."""

    def __init__(self) -> None:
        self.looks: list[Look] = []
        self._lock = threading.Lock()
        self._found: tuple[float, list[Finding]] = (float("-inf"), [])

    def findings(self) -> list[Finding]:
        """Return what was found. Raises nothing."""
        with self._lock:
            if time.monotonic() - self._found[0] > FRESH:
                self._found = (time.monotonic(), [one for look in self.looks for one in look()])
            return self._found[1]


def looks_at(home: Home, studio: Studio) -> Look:
    """Return the look at one production."""
    signed, opened = [float("-inf")], _file(home)

    def log() -> None:
        if _file(home) != opened:
            words = "The database file was replaced under the service: restart it."
            raise RefusedError("log.storage", words)
        studio.log.check()

    def disk() -> None:
        free = shutil.disk_usage(home.folder).free
        if free < LITTLE:
            words = f"The home's disk has {free >> 20} MiB left."
            raise RefusedError("log.disk-full", words, free=free)

    def key() -> None:
        if time.monotonic() - signed[0] > SIGNS:
            studio.log.signer.key.sign(_PROBE)
            signed[0] = time.monotonic()

    def look() -> Iterator[Finding]:
        for name, check in (("log", log), ("disk", disk), ("key", key)):
            yield _finding(name, studio.production, check)

    return look


def _file(home: Home) -> tuple[int, int] | None:
    """Return which file the SQLite database is; ``None`` where it is none."""
    try:
        found = home.database.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _finding(name: str, production: str, check: Callable[[], object]) -> Finding:
    try:
        check()
    except RakkanError as error:
        if error.code != "log.busy":  # somebody else has the turn: that is no illness
            return Finding(name, production, error.code, error.message)
    except OSError as error:
        return Finding(name, production, "log.storage", f"The disk cannot be asked: {error.strerror}.")
    return Finding(name, production)
