"""What files are, read as seldom as can be: from the cache where it knows the stamp, else once, by threads.

* A file that changes while it is read has no digest: what was read may never have lain on disk.
* A file is read in pieces, and files are handed to the threads in portions, so memory is bounded whatever
  their size and number. Pictures are decoded by few threads: each holds one whole.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, Self

from ledger.core.containers import formats
from ledger.errors import RakkanError
from ledger.ports import PixelReader
from ledger.service.stamps import HashCache, Known, Stamp
from ledger.service.walk import Apart, Undecided, stamp_of

_CPUS = os.cpu_count() or 1
READERS = min(8, _CPUS + 2)
"""More than processors: on a file server a thread mostly waits."""
DECODERS = min(4, _CPUS)
_PIECE = 1 << 20
_PORTION_FILES, _PORTION_BYTES = 256, 64 << 20
_PICTURES = ("image/", "video/", "application/mxf")
"""Media types that a decoder is asked about. Of all others none has pixels."""


class Read(NamedTuple):
    """A file's stamp when it was read, and what it is."""

    stamp: Stamp
    known: Known


class Unread(NamedTuple):
    """Why nobody knows what a file is, or why there is none."""

    what: Apart | Undecided
    why: str


Files = Sequence[tuple[str, Stamp]]
"""Paths on disk, each with its stamp as last seen."""


def read(path: str) -> Read | Unread:
    """Read a regular file once, and return its stamp and what it is. Never waits for a pipe."""
    try:
        # A link in the place of the file is refused: it may lead anywhere.
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return _unread(error)
    try:
        return _digest(file, path)
    except OSError as error:
        return _unread(error)
    finally:
        os.close(file)


class Hasher:
    """Reads many files by threads, for as long as the block runs. Its methods belong to one thread."""

    def __init__(self, cache: HashCache, pixels: PixelReader) -> None:
        self._cache = cache
        self._pixels = pixels
        self._readers = ThreadPoolExecutor(READERS)
        self._decoders = ThreadPoolExecutor(DECODERS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pool in (self._readers, self._decoders):
            pool.shutdown(cancel_futures=True)

    def identify(self, files: Files) -> list[Read | Unread]:
        """Return for each file, in order, what it is, or why nobody knows."""
        known = self._cache.get_many({stamp for _, stamp in files})
        began = time.time_ns()
        unknown = self._each((path, stamp) for path, stamp in files if stamp not in known)
        found = [Read(stamp, known[stamp]) if stamp in known else next(unknown) for _, stamp in files]
        fresh = {item.stamp: item.known for item in found if isinstance(item, Read)}
        self._cache.put_many({stamp: item for stamp, item in fresh.items() if stamp not in known}, began)
        return found

    def remembered(self, stamps: Collection[Stamp]) -> Mapping[Stamp, Known]:
        """Return what the cache knows of states that files were in."""
        return self._cache.get_many(stamps)

    def see(self, files: Sequence[tuple[str, Read]]) -> list[Read | Unread]:
        """Return the same files, in order, with their pixel digests where something here decodes them."""
        began = time.time_ns()
        looked = self._decoders.map(self._look, [file for file in files if _is_unseen(file[1].known)])
        found = [next(looked) if _is_unseen(item.known) else item for _, item in files]
        fresh = {item.stamp: item.known for item in found if isinstance(item, Read) and item.known.pixels}
        for _, item in files:
            if item.known.pixels:
                fresh.pop(item.stamp, None)
        self._cache.put_many(fresh, began)
        return found

    def _look(self, file: tuple[str, Read]) -> Read | Unread:
        path, (stamp, known) = file
        try:
            pixels = self._pixels.digest(Path(path))
        except RakkanError:
            pixels = None  # damaged, or gone: the stamp says which
        try:
            now = stamp_of(os.lstat(path))
        except OSError as error:
            return _unread(error)
        if now != stamp:
            return Unread(Undecided.CHANGING, "It changed while it was being decoded.")
        return Read(stamp, known._replace(pixels=pixels))

    def _each(self, files: Iterable[tuple[str, Stamp]]) -> Iterator[Read | Unread]:
        for results in self._readers.map(_read_all, _portions(files)):
            yield from results


def _digest(file: int, path: str) -> Read | Unread:
    before = os.fstat(file)
    if not stat.S_ISREG(before.st_mode):
        return Unread(Undecided.CHANGING, "It is no regular file any more.")
    piece = os.read(file, min(before.st_size + 1, _PIECE))
    media_type = formats.sniff(piece[: formats.HEAD], path)
    state, length = hashlib.sha256(piece), len(piece)
    while piece and length <= before.st_size:
        piece = os.read(file, _PIECE)
        state.update(piece)
        length += len(piece)
    stamp = stamp_of(before)
    if length != before.st_size or stamp_of(os.fstat(file)) != stamp:
        return Unread(Undecided.CHANGING, "It changed while it was being read.")
    return Read(stamp, Known(state.hexdigest(), None, media_type))


def _is_unseen(known: Known) -> bool:
    """Whether a decoder has to be asked: what it could not decode before, a newer one may."""
    return known.pixels is None and (known.media_type or "").startswith(_PICTURES)


def _read_all(paths: list[str]) -> list[Read | Unread]:
    return [read(path) for path in paths]


def _portions(files: Iterable[tuple[str, Stamp]]) -> Iterator[list[str]]:
    portion: list[str] = []
    size = 0
    for path, stamp in files:
        portion.append(path)
        size += stamp.size
        if len(portion) == _PORTION_FILES or size >= _PORTION_BYTES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


def _unread(error: OSError) -> Unread:
    what = Apart.VANISHED if isinstance(error, FileNotFoundError) else Undecided.UNREADABLE
    return Unread(what, error.strerror or type(error).__name__)
