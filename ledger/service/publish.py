"""Publication of a log as static files (c2sp.org/tlog-tiles), readable without our code.

* The order is: entry bundles and tiles, leaf level first; then everything written is read back and must lead
  to the root; then the checkpoint. So a published checkpoint never promises a file that is not there.
* Every step can be repeated: the same size gives the same files, and a file that is there already with the
  same bytes is fine.
* What is published already binds the log: a smaller or different database publishes nothing.
* Only what is new since the published size is written. Partial tiles are written for the published size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.core.checkpoint import Checkpoint, open_checkpoint
from ledger.core.merkle import EMPTY_ROOT, HASH_SIZE, leaf_hash, peaks_of, root
from ledger.core.tiles import HEIGHT, WIDTH, Tile, TileNodes, decode_bundle, encode_bundle, fold, tiles_of
from ledger.errors import IntegrityError, RakkanError, RefusedError
from ledger.ports import Head, Publication
from ledger.service.sequence import Log, corruption, root_at, stored

CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication now holds: its size, its signed checkpoint, and how many files were new."""

    size: int
    checkpoint: bytes
    files: int


def publish(log: Log, publication: Publication) -> Published:
    """Bring the publication up to the log's head.

    Raises ``UsageError("log.empty")``, ``RefusedError("log.rollback")`` when more is published than the
    database holds, ``IntegrityError("log.conflict")`` when something else is, and what ``Log.head`` and the
    publication raise. After any error the publication is valid at its older size: call again.
    """
    head = log.head()
    nodes = TileNodes(head.size, stored(log.store.tile))
    old = _published(log, publication)
    _check_continues(old, head, nodes)
    if old.size == head.size:
        return Published(head.size, head.checkpoint, 0)
    files = 1
    for tile in tiles_of(old.size, head.size):
        files += _write(log, publication, tile, nodes)
    _read_back(publication, old.size, head)
    publication.put(CHECKPOINT, head.checkpoint)
    return Published(head.size, head.checkpoint, files)


def _published(log: Log, publication: Publication) -> Checkpoint:
    note = publication.get(CHECKPOINT)
    if note is None:
        return Checkpoint(log.origin, 0, EMPTY_ROOT)
    try:
        return open_checkpoint(note, [log.verifier])
    except RakkanError as error:
        raise IntegrityError(
            "log.conflict", "The published checkpoint is not by this log.", cause=error
        ) from error


def _check_continues(old: Checkpoint, head: Head, nodes: TileNodes) -> None:
    if old.size > head.size:
        raise RefusedError(
            "log.rollback", "More is published than the log holds.", published=old.size, held=head.size
        )
    held = root_at(old.size, head, nodes)
    if held != old.root:
        raise IntegrityError(
            "log.conflict",
            "The published checkpoint contradicts the log.",
            size=old.size,
            published=old.root.hex(),
            held=held.hex(),
        )


def _write(log: Log, publication: Publication, tile: Tile, nodes: TileNodes) -> int:
    """Publish a tile, and before it the entries under it; return the number of files.

    What is published stays, so nothing leaves that does not fit the signed root.
    """
    hashes = stored(log.store.tile)(tile)[: tile.width * HASH_SIZE]
    first = tile.index * WIDTH
    entries = list(log.store.envelopes(first, first + tile.width)) if tile.level == 0 else None
    _check_tile(tile, hashes, entries, nodes)
    if entries is not None:
        publication.put_immutable(tile.bundle_path, encode_bundle(entries))
    publication.put_immutable(tile.path, hashes)
    return 1 if entries is None else 2


def _read_back(publication: Publication, old_size: int, head: Head) -> None:
    """Return if the files as published lead to the head's root; else ``IntegrityError("log.corrupt")``.

    Disks and memory do flip bits, and a published checkpoint cannot be taken back.
    """
    nodes = TileNodes(head.size, lambda tile: publication.get(tile.path) or b"")
    with corruption("The published files do not lead to the root."):
        for tile in tiles_of(old_size, head.size):
            entries = None
            if tile.level == 0:
                entries = decode_bundle(publication.get(tile.bundle_path) or b"")
            _check_tile(tile, publication.get(tile.path) or b"", entries, nodes)
        if root(peaks_of(0, head.size, nodes)) != root(head.peaks):
            raise IntegrityError("log.corrupt", "The tiles do not lead to the root.", size=head.size)


def _check_tile(tile: Tile, hashes: bytes, entries: Sequence[bytes] | None, nodes: TileNodes) -> None:
    """Return if a tile has its width, fits the entries under it and, when full, the tile above it."""
    fits = len(hashes) == tile.width * HASH_SIZE
    if entries is not None:
        fits = fits and b"".join(leaf_hash(entry) for entry in entries) == hashes
    if fits and tile.width == WIDTH:
        fits = fold(hashes) == nodes((tile.level + 1) * HEIGHT, tile.index)
    if not fits:
        raise IntegrityError(
            "log.corrupt", "A tile does not fit what lies under and over it.", tile=tile.path
        )
