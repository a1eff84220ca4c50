"""Tiles (c2sp.org/tlog-tiles): the tree and its entries cut into static files of at most 256 items.

* Tile ``n`` of level ``L`` holds the roots of the perfect subtrees of 256^L leaves with the numbers
  ``256 n`` up to ``256 n + 255``: 32 bytes each, at most 8,192 bytes. A tile of level 0 holds leaf hashes.
* A partial tile holds fewer, and is a prefix of the tile that replaces it. Only a full tile is hashed upward.
  Empty tiles do not exist.
* An entry bundle holds the entries under one tile of level 0: a big-endian uint16 length, then the bytes.
* A path is ``tile/<L>/<N>`` or ``tile/entries/<N>``, with ``.p/<W>`` behind it for a partial one of W items;
  N is written in groups of three digits, all but the last behind an ``x``: 1234067 is ``x001/x234/067``.
* Tiles are the only store of tree nodes. Every other node is folded from within one tile.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from ledger.core.merkle import HASH_SIZE
from ledger.errors import MalformedError

HEIGHT = 8
"""Levels of the tree in one tile; fixed by the specification."""

WIDTH = 256
"""Items in a full tile or entry bundle."""

MAX_ENTRY = 65_535
"""Bytes. What the length before an entry can say."""

MAX_LEVEL = 63
_MAX_INDEX = 2**63 - 1
_PUBLISHED = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True)
class Tile:
    """The name of a tile: level, number within the level, and how many hashes (1 to 256) it holds."""

    level: int
    index: int
    width: int

    @property
    def path(self) -> str:
        """The path below the log's prefix."""
        return f"tile/{self.level}/{_format_index(self.index, self.width)}"

    @property
    def bundle_path(self) -> str:
        """The path of the entry bundle under this tile of level 0."""
        return f"tile/entries/{_format_index(self.index, self.width)}"


@dataclass(frozen=True, slots=True)
class TilePath:
    """A parsed path: the tile it names, and whether it names that tile's entry bundle instead."""

    tile: Tile
    entries: bool


TileReader = Callable[[Tile], bytes]
"""Returns the hashes of a tile: at least ``tile.width`` of them, or ``b""`` when it is missing."""


def parse_path(path: str) -> TilePath:
    """Return what a path names; only the one spelling of each is taken.

    Raises ``MalformedError("tile.malformed")``.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        raise MalformedError("tile.malformed", "This is not the path of a tile.", path=path[:200])
    entries = match["level"] == "entries"
    index = int(match["index"].replace("x", "").replace("/", ""))
    tile = Tile(0 if entries else int(match["level"]), index, int(match["width"] or WIDTH))
    same = (tile.bundle_path if entries else tile.path) == path
    if not same or tile.level > MAX_LEVEL or tile.width > WIDTH or index > _MAX_INDEX:
        raise MalformedError("tile.malformed", "This is not the path of a tile.", path=path[:200])
    return TilePath(tile, entries)


def check_published_path(path: str) -> None:
    """Return if a file may be published under this path; else ``MalformedError("tile.malformed")``.

    Plain words of letters, digits, ``.``, ``_`` and ``-``, joined by ``/``. None begins with a dot, so a path
    neither leads out of a publication nor meets the files that a store keeps for itself there.
    """
    if _PUBLISHED.fullmatch(path) is None:
        raise MalformedError("tile.malformed", "Nothing is published under such a path.", path=path[:200])


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Return the entry bundle of 1 to 256 entries. Raises ``MalformedError("envelope.too-large")``."""
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY:
            raise MalformedError("envelope.too-large", "An entry is too large.", size=len(entry))
        parts += (struct.pack(">H", len(entry)), entry)
    return b"".join(parts)


def decode_bundle(data: bytes) -> tuple[bytes, ...]:
    """Return the entries of a bundle in order. Raises ``MalformedError("tile.malformed")``."""
    entries: list[bytes] = []
    at = 0
    while at < len(data) and len(entries) < WIDTH:
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if end > len(data) or at + 2 > len(data):
            break
        entries.append(data[at + 2 : end])
        at = end
    if at != len(data) or not entries:
        raise MalformedError("tile.malformed", "The entry bundle is cut short, empty or too long.", at=at)
    return tuple(entries)


def fold(hashes: bytes) -> bytes:
    """Return the root of a full tile (8,192 bytes): its item in the level above."""
    return _Pyramid(hashes).node(HEIGHT, 0)


def tiles_of(old_size: int, size: int) -> Iterator[Tile]:
    """Yield the tiles that a log of ``size`` entries has and one of ``old_size`` did not, leaf level first.

    Within a level they are ordered by number; the last one is partial unless it happens to be full.
    """
    level = 0
    before, after = old_size, size
    while after:
        if after != before:
            for index in range(before // WIDTH, after // WIDTH):
                yield Tile(level, index, WIDTH)
            if after % WIDTH:
                yield Tile(level, after // WIDTH, after % WIDTH)
        level, before, after = level + 1, before // WIDTH, after // WIDTH


def grow(size: int, read: TileReader, leaf_hashes: Sequence[bytes]) -> dict[tuple[int, int], bytes]:
    """Return the tiles that change when ``leaf_hashes`` are added to a tree of ``size`` leaves.

    The result maps ``(level, index)`` to all hashes of the tile. ``read`` is asked for the partial tiles at
    the right edge of the old tree. Raises ``MalformedError("tile.malformed")`` when one is too short.
    """
    changed: dict[tuple[int, int], bytes] = {}
    level, hashes = 0, b"".join(leaf_hashes)
    while hashes:
        first, kept = divmod(size, WIDTH)
        data = (_load(Tile(level, first, kept), read) if kept else b"") + hashes
        cut = [data[at : at + WIDTH * HASH_SIZE] for at in range(0, len(data), WIDTH * HASH_SIZE)]
        changed.update({(level, first + number): tile for number, tile in enumerate(cut)})
        hashes = b"".join(fold(tile) for tile in cut if len(tile) == WIDTH * HASH_SIZE)
        level, size = level + 1, first
    return changed


class TileNodes:
    """A node source (see ``merkle``) over the tiles of a log of ``size`` entries.

    Each tile is read once and folded as far as needed. ``read`` is asked for the tiles and widths of that
    size. A tile that is shorter raises ``MalformedError("tile.malformed")``.
    """

    def __init__(self, size: int, read: TileReader) -> None:
        self._size = size
        self._read = read
        self._pyramids: dict[tuple[int, int], _Pyramid] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """Return the root of the perfect subtree ``index`` of ``2**level`` leaves, 32 bytes."""
        tile_level, height = divmod(level, HEIGHT)
        tile_index, offset = divmod(index << height, WIDTH)
        pyramid = self._pyramids.get((tile_level, tile_index))
        if pyramid is None:
            pyramid = self._pyramids[tile_level, tile_index] = self._load(tile_level, tile_index)
        return pyramid.node(height, offset >> height)

    def _load(self, level: int, index: int) -> _Pyramid:
        width = min((self._size >> HEIGHT * level) - index * WIDTH, WIDTH)
        return _Pyramid(_load(Tile(level, index, width), self._read))


class _Pyramid:
    """The hashes of one tile and the levels folded from them, as far as asked for."""

    __slots__ = ("_levels",)

    def __init__(self, hashes: bytes) -> None:
        self._levels = [[hashes[at : at + HASH_SIZE] for at in range(0, len(hashes), HASH_SIZE)]]

    def node(self, height: int, index: int) -> bytes:
        levels = self._levels
        while len(levels) <= height:
            below = levels[-1]
            # node_hash, written out: this is where a batch of receipts spends its time.
            levels.append(
                [sha256(b"\x01" + below[at] + below[at + 1]).digest() for at in range(0, len(below) - 1, 2)]
            )
        return levels[height][index]


def _load(tile: Tile, read: TileReader) -> bytes:
    """Return exactly the hashes of the tile, which may have grown since."""
    hashes = read(tile)
    if len(hashes) < tile.width * HASH_SIZE or len(hashes) % HASH_SIZE:
        raise MalformedError(
            "tile.malformed", "A tile is missing or too short.", tile=tile.path, bytes=len(hashes)
        )
    return hashes[: tile.width * HASH_SIZE]


def _format_index(index: int, width: int) -> str:
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03}")
    suffix = "" if width == WIDTH else f".p/{width}"
    return "/".join(reversed(groups)) + suffix
