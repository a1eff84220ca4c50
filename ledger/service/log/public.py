"""A log as strangers read it over HTTP (c2sp.org/tlog-tiles): checkpoint, tiles and entry bundles.

* Tiles and bundles come from the store. A tile only grows, and a narrower one is its beginning: so every
  width that any signed checkpoint could need is there, at once and for ever.
* Nothing beyond the head is given, whatever the store holds.
* The checkpoint is the published one, with its cosignatures, where the log is published; else the head's. The
  tree of today was shown to begin with its tree, so whatever it promises can be had.
* A published checkpoint is given for ``KEPT`` seconds before the publication is asked again, which may be far
  away. While it cannot be asked, its last checkpoint goes on being given.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ledger.core.tiles import HEIGHT, WIDTH, Tile, encode_bundle
from ledger.errors import IntegrityError, RakkanError, UsageError
from ledger.service.log.nodes import stored
from ledger.service.log.receipts import held
from ledger.service.log.sequence import Log

KEPT = 1.0
"""Seconds for which a published checkpoint is given without looking for a newer one."""

MOST = 1024
"""Tiles that are kept in memory, of any width: none of them ever changes. At most 8 MB."""

_HASH = 32


class PublicLog:
    """What a log shows of itself. ``published`` returns the published checkpoint, ``None`` without one.

    May be used from several threads.
    """

    def __init__(self, log: Log, published: Callable[[], bytes | None]) -> None:
        self._log = log
        self._published = published
        self._looked = float("-inf")
        self._note: bytes | None = None
        self._tiles: dict[Tile, bytes] = {}
        self._size = 0  # of the head as last seen: a log never has fewer entries

    def checkpoint(self) -> bytes:
        """Return the checkpoint to go by.

        Raises ``RefusedError("log.rollback")`` and ``IntegrityError("log.conflict")`` when the log does not
        hold what is published, and what ``Log.head`` and the publication raise.
        """
        return self.published() or self._log.head().checkpoint

    def published(self) -> bytes | None:
        """Return the published checkpoint, ``None`` without one. Raises as ``checkpoint``."""
        now = time.monotonic()
        self._note = self._newest()
        self._looked = now
        return self._note

    def kept_checkpoint(self) -> bytes | None:
        """Return the published checkpoint while it needs no second look, at once; else ``None``."""
        return self._note if time.monotonic() - self._looked < KEPT else None

    def _newest(self) -> bytes | None:
        try:
            note = self._published()
        except RakkanError:
            if self._note is None:
                raise
            return self._note
        if note is not None and note != self._note:
            self._log.head()  # where a new key took over, that is what there is to say
            held(self._log, note)
        return note

    def tile(self, tile: Tile) -> bytes:
        """Return the tile's hashes, 32 bytes each.

        Raises ``UsageError("log.no-such-file")`` for a tile that the head does not have.
        """
        self._check_exists(tile, tile.path)
        found = stored(self._log.store.tile)(tile)[: tile.width * _HASH]
        if len(self._tiles) >= MOST:
            self._tiles.clear()
        self._tiles[tile] = found
        return found

    def kept_tile(self, tile: Tile) -> bytes | None:
        """Return a tile that was given lately, at once and without asking anything; else ``None``."""
        return self._tiles.get(tile)

    def bundle(self, tile: Tile) -> bytes:
        """Return the bundle of the entries under a tile of level 0. Raises as ``tile``."""
        self._check_exists(tile, tile.bundle_path)
        first = tile.index * WIDTH
        entries = list(self._log.store.envelopes(first, first + tile.width))
        if len(entries) != tile.width:
            raise IntegrityError("log.corrupt", "An entry is missing from the log.", index=first)
        return encode_bundle(entries)

    def _check_exists(self, tile: Tile, path: str) -> None:
        if not _has(self._size, tile):
            self._size = self._log.store.head().size
        if not _has(self._size, tile):
            raise UsageError("log.no-such-file", "The log has no such file, or not yet.", path=path)


def _has(size: int, tile: Tile) -> bool:
    return (size >> HEIGHT * tile.level) - tile.index * WIDTH >= tile.width
