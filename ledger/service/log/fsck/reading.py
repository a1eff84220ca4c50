"""One pass over the entries: everything that needs an entry's bytes is compared while they are at hand.

* Each row is read once, 256 entries at a time. What disagrees is only noted here: which side is wrong is
  known when the whole tree is.
* Rows of an entry whose bytes are not those of its leaf hash are not compared: they would only say it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

from ledger.core.merkle import HASH_SIZE, Peaks, extend, root
from ledger.core.tiles import WIDTH, Tile
from ledger.errors import RakkanError
from ledger.ports import StoredEntry
from ledger.service.log.fsck.tree import UNKNOWN, tops, width_of
from ledger.service.log.records import Records

Progress = Callable[[int], None]
"""Told how many entries were read."""


class Files(Protocol):
    """The published files that belong to 256 entries."""

    def compare(self, index: int, hashes: bytes, entries: Sequence[bytes]) -> None:
        """Compare what is published of tile ``index`` of level 0 and of its entry bundle."""


@dataclass
class Reading:
    """What one pass found. Each finding is the first of its kind: an index, or an index and words."""

    computed: list[bytes] = field(default_factory=list)
    kept: list[bytes] = field(default_factory=list)
    roots: dict[int, bytes] = field(default_factory=dict)
    missing: int | None = None
    leaf: int | None = None
    statement: tuple[int, str] | None = None
    artifact: tuple[int, str] | None = None
    read: int = 0


def read(records: Records, size: int, wanted: Sequence[int], files: Files | None, told: Progress) -> Reading:
    """Read the entries below ``size``; ``wanted`` are the smaller sizes at which the root is asked for.

    Raises what the store raises when a row cannot be read at all.
    """
    found = Reading()
    peaks: Peaks = ()
    for index, chunk in enumerate(_chunks(records.store.stored(0, size), size)):
        width = width_of(size, 0, index)
        leaves = [sha256(b"\0" + item.envelope).digest() for item in chunk]
        _note_rows(records, found, chunk, leaves)
        if len(chunk) == width and found.missing is None:
            peaks = _grow(found, index * WIDTH, peaks, leaves, wanted)
        elif found.missing is None:
            places = (item.index for item in chunk)
            found.missing = next(
                (at for at, place in enumerate(places, index * WIDTH) if at != place),
                index * WIDTH + len(chunk),
            )
        hashes = b"".join(leaves) if len(chunk) == width else b""
        _note_tops(records, found, Tile(0, index, width), hashes)
        if files is not None:
            files.compare(index, hashes, [item.envelope for item in chunk])
        found.read += len(chunk)
        told(found.read)
    return found


def _chunks(entries: Iterator[StoredEntry], size: int) -> Iterator[list[StoredEntry]]:
    """Yield the entries under each tile of level 0, without those that are missing."""
    pending = next(entries, None)
    for end in range(WIDTH, size + WIDTH, WIDTH):
        chunk: list[StoredEntry] = []
        while pending is not None and pending.index < end:
            chunk.append(pending)
            pending = next(entries, None)
        yield chunk


def _note_rows(records: Records, found: Reading, chunk: list[StoredEntry], leaves: list[bytes]) -> None:
    for item, leaf in zip(chunk, leaves, strict=True):
        if leaf != item.leaf_hash:
            found.leaf = item.index if found.leaf is None else found.leaf
        elif found.statement is None or found.artifact is None:
            _note_projections(records, found, item)


def _note_projections(records: Records, found: Reading, item: StoredEntry) -> None:
    try:
        statement, artifacts = records.project(item.index, item.envelope)
    except RakkanError as error:
        found.statement = found.statement or (item.index, f"nothing can be computed from it ({error})")
        return
    if item.statements != (statement,):
        found.statement = found.statement or (item.index, _rows(item.statements, 1))
    if item.artifacts != tuple(artifacts):
        found.artifact = found.artifact or (item.index, _rows(item.artifacts, len(artifacts)))


def _rows(stored: Sequence[object], expected: int) -> str:
    if len(stored) == expected:
        return "a row differs from what the entry says"
    return f"{len(stored)} rows are stored where the entry gives {expected}"


def _grow(found: Reading, size: int, peaks: Peaks, leaves: list[bytes], wanted: Sequence[int]) -> Peaks:
    """Return the peaks after these leaves; note the roots that are asked for on the way."""
    at = size
    for stop in (*sorted(s for s in wanted if size < s < size + len(leaves)), size + len(leaves)):
        peaks = extend(at, peaks, leaves[at - size : stop - size])
        at = stop
        if stop in wanted:
            found.roots[stop] = root(peaks)
    return peaks


def _note_tops(records: Records, found: Reading, tile: Tile, hashes: bytes) -> None:
    length = tile.width * HASH_SIZE
    stored = records.store.tile(0, tile.index)[:length]
    computed = tops(hashes) if hashes else UNKNOWN * (tile.width == WIDTH)
    found.computed.append(computed)
    if stored == hashes:
        found.kept.append(computed)
    else:
        found.kept.append(tops(stored) if len(stored) == length else b"")
