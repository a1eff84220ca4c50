"""Files by their bytes and their pixels, each read once. Implements ``store.Identities``.

What a batch of records names is read together, by threads; what is asked for after that is looked up.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from ledger.service.hashing import Hasher, Read, Unread
from ledger.service.stamps import Known, Stamp
from ledger.service.walk import stamp_of

Found = tuple[Known, Stamp]


class Identifier:
    """Reads files through a hasher and its cache."""

    def __init__(self, hasher: Hasher) -> None:
        self._hasher = hasher
        self._found: dict[str, Found | None] = {}
        self._earlier: Mapping[Stamp, Known] = {}

    def read(self, read: Iterable[str], shown: Iterable[str], states: Collection[Stamp]) -> None:
        """Read all of these files now; those that were ``shown`` are decoded, too.

        First it is looked up what is known of the ``states``: reading a file that was saved over replaces it.
        """
        self._found, self._earlier = {}, self._hasher.remembered(states)
        shown = set(shown)
        files = [(path, *item) for path in {*read, *shown} if (item := _stamped(path)) is not None]
        results = self._hasher.identify([(real, stamp) for _, real, stamp in files])
        self._keep((path, real, item) for (path, real, _), item in zip(files, results, strict=True))
        pictures = [
            (path, real, Read(found[1], found[0]))
            for path, real, _ in files
            if path in shown and (found := self._found.get(path)) is not None
        ]
        seen = self._hasher.see([(real, item) for _, real, item in pictures])
        self._keep((path, real, item) for (path, real, _), item in zip(pictures, seen, strict=True))

    def identify(self, path: str) -> Found | None:
        """Return what the file is and the state of it that was read, or ``None`` when nobody can say."""
        if path not in self._found:
            self.read_one(path)
        return self._found[path]

    def remembered(self, stamp: Stamp) -> Known | None:
        """Return what a file was in an earlier state, if somebody read it then."""
        return self._earlier.get(stamp)

    def read_one(self, path: str) -> None:
        """Read one more file."""
        self._found[path] = None
        stamped = _stamped(path)
        if stamped is not None:
            self._keep([(path, stamped[0], self._hasher.identify([stamped])[0])])

    def _keep(self, results: Iterable[tuple[str, str, Read | Unread]]) -> None:
        for path, _, item in results:
            self._found[path] = (item.known, item.stamp) if isinstance(item, Read) else None


def _stamped(path: str) -> tuple[str, Stamp] | None:
    """Return the file that a path leads to, and its stamp; ``None`` for no regular file with bytes in it."""
    real = os.path.realpath(path)
    try:
        status = Path(real).stat()
    except (OSError, ValueError):
        return None
    return (real, stamp_of(status)) if status.st_size and stat.S_ISREG(status.st_mode) else None
