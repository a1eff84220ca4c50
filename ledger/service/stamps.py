"""Files by what the file system says of them, and what they were found to be: nothing is read twice."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple, Protocol


class Stamp(NamedTuple):
    """What a file system says of a file: as long as it says the same, the bytes are the same.

    That holds of a stamp that was old enough when the file was read: see ``HashCache.put_many``.
    """

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


class Known(NamedTuple):
    """What a file was found to be. ``pixels`` may come later; ``None`` says that nobody has looked."""

    sha256: str
    pixels: str | None = None
    media_type: str | None = None


class HashCache(Protocol):
    """What files were found to be when they were last read. An aid, never evidence: it may forget anything.

    No method raises: a cache that cannot be read or written knows nothing and keeps nothing.
    """

    def get_many(self, stamps: Collection[Stamp]) -> Mapping[Stamp, Known]:
        """Return what is known of those of these files that still bear the very stamp."""

    def put_many(self, found: Mapping[Stamp, Known], read_ns: int) -> None:
        """Keep what these files are. All of them were opened at ``read_ns`` (Unix time) or later.

        A stamp that was younger than the clock of a file system may tell apart is not kept: the file may
        be written again and bear the same one.
        """
