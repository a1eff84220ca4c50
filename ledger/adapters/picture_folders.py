"""The folders that recorded files lie in: a file is found there by its name, and known by its bytes.

* Regular files below the folders, and nothing else: no link is followed, neither when the folders are looked
  through nor when a file is opened.
* The folders are looked through again when nothing was found, but never all the time.
* What a file's bytes are is remembered by its stamp: one that is not wanted is read once.
"""

from __future__ import annotations

import logging
import os
import stat
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import BinaryIO, NamedTuple

from ledger.adapters.scratch import Sink
from ledger.errors import MalformedError
from ledger.service.stamps import Stamp
from ledger.service.walk import stamp_of

_LOG = logging.getLogger("rakkan.pictures")

MOST = 500_000
"""Files that are known by name."""
LARGEST = 512 << 20
"""Bytes of a file that is read for its picture."""
READ = 8
"""Files of one name that are read for one request. What they are is remembered: the next one gets on."""
STALE = 60.0
"""Seconds before the folders are looked through again, and at least 20 times as long as that takes."""
_PIECE = 1 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class _Place(NamedTuple):
    root: str
    folder: str
    name: str


class PictureFolders:
    """Finds files in these folders, at any depth. Safe to share between threads."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = [str(root.resolve()) for root in roots]
        self._index: dict[str, list[_Place]] = {}
        self._known: dict[_Place, tuple[Stamp, str]] = {}
        self._again = 0.0
        self._looks = 0
        self._lock = Lock()

    def copy(self, names: Collection[str], digests: Collection[str], target: Path) -> bool:
        """Copy the first file with one of these names and these digests (hex); return whether there is one.

        Raises ``RefusedError("request.no-space")``.
        """
        looks = self._looks
        return self._copied(names, digests, target) or (
            self._looked_again(looks) and self._copied(names, digests, target)
        )

    def _copied(self, names: Collection[str], digests: Collection[str], target: Path) -> bool:
        places = (place for name in sorted(names) for place in self._index.get(name, ()))
        unread = READ
        for place in places:
            with suppress(OSError), _opened(place) as file:  # gone, or not for us to read
                status = os.fstat(file.fileno())
                stamp = stamp_of(status)
                before, sha256 = self._known.get(place, (None, ""))
                if not stat.S_ISREG(status.st_mode) or (before == stamp and sha256 not in digests):
                    continue
                if not unread:
                    return False
                unread -= 1
                sha256 = _copy(file, target)
                if stamp_of(os.fstat(file.fileno())) == stamp:
                    self._known[place] = stamp, sha256
                if sha256 in digests:
                    return True
        return False

    def _looked_again(self, looks: int) -> bool:
        """Look through the folders if that is due; return whether there was a look after these ``looks``."""
        with self._lock:
            began = time.monotonic()
            if looks != self._looks or began < self._again:
                return looks != self._looks
            found: dict[str, list[_Place]] = {}
            for place in islice(self._walked(), MOST):
                found.setdefault(place.name, []).append(place)
            count = sum(map(len, found.values()))
            if count == MOST:
                _LOG.warning("The folders of pictures hold more than %s files: the rest have none.", MOST)
            self._index = found
            self._known = {
                place: known
                for place, known in list(self._known.items())
                if place in found.get(place.name, ())
            }
            ended = time.monotonic()
            self._again = ended + max(STALE, 20 * (ended - began))
            self._looks += 1
            return True

    def _walked(self) -> Iterator[_Place]:
        for root in self._roots:
            for folder, under, names in os.walk(root):
                under.sort()
                inner = os.path.relpath(folder, root)
                yield from (_Place(root, inner, name) for name in sorted(names))


@contextmanager
def _opened(place: _Place) -> Iterator[BinaryIO]:
    """Open a file by way of its folders, none of which may be a link. Raises ``OSError``."""
    handle = os.open(place.root, _FOLDER)
    try:
        for part in Path(place.folder).parts:
            inner = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=handle)
            os.close(handle)
            handle = inner
        file = os.open(place.name, _FILE, dir_fd=handle)
    finally:
        os.close(handle)
    with os.fdopen(file, "rb") as opened:
        yield opened


def _copy(file: BinaryIO, target: Path) -> str:
    """Copy an open file and return the SHA-256 of what was copied; of one that is too large, nothing."""
    target.unlink(missing_ok=True)
    sink = Sink(target, LARGEST)
    try:
        while piece := file.read(_PIECE):
            sink.write(piece)
    except MalformedError:
        return ""
    finally:
        sink.close()
    return sink.sha256
