"""What each tile must be, given the signed root and several sources that may each be damaged.

* The tree is resolved from the root downwards. The peaks must lead to the signed root; a partial tile must
  lead to its peaks; a full tile must fold to its item in the tile above.
* For each tile the sources are asked in turn: as it is stored, as the tiles under it fold, as the entries
  fold, and as two of these three say, hash by hash. The first that leads to what is already known is the
  truth, and says what must lie below it.
* So one damaged source never makes a sound one look damaged, and what nothing explains stays unknown.
* Memory is 32 bytes for each 256 entries and source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ledger.core.merkle import HASH_SIZE, extend, root
from ledger.core.tiles import HEIGHT, WIDTH, fold

TILE_BYTES = WIDTH * HASH_SIZE
UNKNOWN = bytes(HASH_SIZE)
"""Stands for the fold of a tile that is not there: no hash is all zeros."""

Tiles = Mapping[tuple[int, int], bytes]


def tops(hashes: bytes) -> bytes:
    """Return the peaks over a tile's items, joined, largest first: for a full tile, its fold."""
    if len(hashes) == TILE_BYTES:
        return fold(hashes)
    return b"".join(extend(0, (), split(hashes)))


def split(hashes: bytes) -> list[bytes]:
    """Return the 32-byte hashes one by one."""
    return [hashes[at : at + HASH_SIZE] for at in range(0, len(hashes), HASH_SIZE)]


def width_of(size: int, level: int, index: int) -> int:
    """Return how many hashes this tile has in a log of ``size`` entries: 0 to 256."""
    return max(0, min((size >> HEIGHT * level) - index * WIDTH, WIDTH))


def fold_up(size: int, bottom: Sequence[bytes]) -> dict[tuple[int, int], bytes]:
    """Return the tiles above level 0, folded from the tops of level 0."""
    tiles: dict[tuple[int, int], bytes] = {}
    level, below, count = 1, bottom, size // WIDTH
    while count:
        items = b"".join(below[:count])
        cut = [items[at : at + TILE_BYTES] for at in range(0, len(items), TILE_BYTES)]
        tiles.update({(level, index): hashes for index, hashes in enumerate(cut)})
        level, below, count = level + 1, [tops(hashes) for hashes in cut], count // WIDTH
    return tiles


class Tree:
    """The tree of ``size`` entries under ``signed_root``, as far as the sources explain it.

    ``computed`` and ``kept`` are the tops of each tile of level 0, by the entries and by the stored tiles
    (``UNKNOWN`` or ``b""`` where there are none); ``stored`` the stored tiles above level 0; ``peaks`` those
    of the stored head.
    """

    def __init__(
        self,
        size: int,
        signed_root: bytes,
        peaks: Sequence[bytes],
        computed: Sequence[bytes],
        kept: Sequence[bytes],
        stored: Tiles,
    ) -> None:
        self._size = size
        self._bottoms = (computed, kept)
        three = (stored, _refolded(size, kept, stored), fold_up(size, computed))
        self._sources: tuple[Tiles, ...] = (*three, _majority(*three))
        found = (self._edge(source, bottom) for source in self._sources for bottom in self._bottoms)
        offered = (tuple(peaks), *found)
        self.peaks = next((some for some in offered if _lead(some, size, signed_root)), None)
        self._edges = _by_level(size, self.peaks)
        self._truth: dict[tuple[int, int], bytes | None] = {}

    def expected(self, level: int, index: int) -> bytes | None:
        """Return the tops that this tile must have, or ``None`` when nothing explains the tile above it."""
        if width_of(self._size, level, index) < WIDTH:
            return self._edges.get(level)
        if width_of(self._size, level + 1, index // WIDTH) == 0:
            return None
        above = self.tile(level + 1, index // WIDTH)
        at = index % WIDTH * HASH_SIZE
        return None if above is None else above[at : at + HASH_SIZE]

    def tile(self, level: int, index: int) -> bytes | None:
        """Return all hashes of a tile above level 0, or ``None`` when no source has what it must be."""
        key = (level, index)
        if key not in self._truth:
            expected = self.expected(level, index)
            length = width_of(self._size, level, index) * HASH_SIZE
            offered = (source.get(key, b"")[:length] for source in self._sources)
            self._truth[key] = next(
                (some for some in offered if len(some) == length and tops(some) == expected), None
            )
        return self._truth[key]

    def _edge(self, source: Tiles, bottom: Sequence[bytes]) -> tuple[bytes, ...]:
        """Return the peaks that the partial tiles of a source lead to."""
        found: list[bytes] = []
        for level in range(_levels(self._size) - 1, -1, -1):
            items = self._size >> HEIGHT * level
            if width := items % WIDTH:
                hashes = source.get((level, items // WIDTH), b"")[: width * HASH_SIZE]
                found += split(tops(hashes) if level else bottom[-1])
        return tuple(found)


def _refolded(size: int, kept: Sequence[bytes], stored: Tiles) -> dict[tuple[int, int], bytes]:
    """Return the tiles above level 0, each folded from the stored tiles right under it."""
    tiles: dict[tuple[int, int], bytes] = {}
    below: Sequence[bytes] = kept
    for level in range(1, _levels(size)):
        count = size >> HEIGHT * level
        items = b"".join(top or UNKNOWN for top in below[:count])
        cut = range(0, len(items), TILE_BYTES)
        tiles.update({(level, at // TILE_BYTES): items[at : at + TILE_BYTES] for at in cut})
        below = [tops(stored.get((level, index), b"")[:TILE_BYTES]) for index in range(len(cut))]
    return tiles


def _majority(stored: Tiles, refolded: Tiles, computed: Tiles) -> dict[tuple[int, int], bytes]:
    """Return the tiles above level 0, each hash as two of the three say; the last one where all differ."""
    tiles: dict[tuple[int, int], bytes] = {}
    for key, third in computed.items():
        hashes = [
            source.get(key, b"").ljust(len(third), b"\0")[: len(third)] for source in (stored, refolded)
        ]
        votes = zip(*map(split, (*hashes, third)), strict=True)
        tiles[key] = b"".join(one if one in (two, three) else three for one, two, three in votes)
    return tiles


def _levels(size: int) -> int:
    return -(-size.bit_length() // HEIGHT)


def _lead(peaks: tuple[bytes, ...], size: int, signed_root: bytes) -> bool:
    return len(peaks) == size.bit_count() and root(peaks) == signed_root


def _by_level(size: int, peaks: Sequence[bytes] | None) -> dict[int, bytes]:
    """Return the peaks that the partial tile of each level leads to, joined."""
    found: dict[int, bytes] = {}
    left = list(peaks or ())
    for level in range(_levels(size) - 1, -1, -1) if peaks else ():
        count = ((size >> HEIGHT * level) % WIDTH).bit_count()
        found[level], left = b"".join(left[:count]), left[count:]
    return found
