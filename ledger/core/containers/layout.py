"""Where a manifest store is, and where the next one goes, in one file.

* Everything outside ``removed`` is kept byte for byte and in order, so the digest of a file sealed for the
  first time, with the manifest's range excluded, *is* the digest of the unsealed file;
* the new framing goes in at one place, as one contiguous range.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Layout:
    """One file's manifest framing.

    ``insert_at`` is the offset (in the file as it is) where a new store goes; ``removed`` are the half-open
    ranges of the store that is there now with its framing, ascending and disjoint; ``store`` is that store's
    bytes, ``None`` when there is none; ``frame`` turns a new store into the bytes to insert.
    """

    insert_at: int
    removed: tuple[Range, ...]
    store: bytes | None
    frame: Callable[[bytes], bytes]

    def split(self, data: bytes) -> tuple[list[memoryview], list[memoryview]]:
        """Return what is kept before and after the insertion point, as views on ``data``."""
        view = memoryview(data)
        head: list[memoryview] = []
        tail: list[memoryview] = []
        start = 0
        for stop, resume in (*self.removed, (len(data), len(data))):
            cut = min(max(self.insert_at, start), stop)
            head.append(view[start:cut])
            tail.append(view[cut:stop])
            start = resume
        return [piece for piece in head if piece], [piece for piece in tail if piece]
