"""Build an inventory's index from a list of works, in one pass over the list and one over its sorted keys.

* Memory is bounded, whatever the size of the list: what must be sorted goes through scratch files beside the
  target, which have no name and vanish with the process.
* The index appears whole or not at all, and is on disk when ``build`` returns.
* The same list gives the same index, byte for byte.
* A work is listed once: the second row of the same SHA-256 is refused, and both rows are named.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from struct import iter_unpack
from tempfile import TemporaryFile
from typing import IO

import numpy as np

from ledger.core import merkle
from ledger.core.rights.inventory import SALT_LABEL, Commitment, Rows, Salts, not_a_list
from ledger.core.tiles import HEIGHT, WIDTH, Tile, TileNodes, TileReader
from ledger.errors import RefusedError
from ledger.service.files import (
    check_unchanged,
    discard,
    identify,
    read_whole,
    reading_errors,
    replace,
    scratch_beside,
    writing_errors,
)
from ledger.service.inventory.index import HEADER_SIZE, LEAF_SIZE, MAGIC, Header, Told, roots_above
from ledger.service.inventory.rows import HOLDER, WORK, Holders, Records
from ledger.service.inventory.sorted_rows import SortedRows

_READ = 1 << 20
_AT_ONCE = 4 * WIDTH * LEAF_SIZE
"""Bytes of leaves hashed at once: few enough to stay in the processor's cache."""


def build(rows: Iterable[Rows], source: Path, dataset: str, target: Path, told: Told) -> Header:
    """Build the index of the works in ``rows``, which were read from the file ``source``.

    Raises ``MalformedError("registry.inventory")`` with the number of the row, ``UsageError`` and
    ``RefusedError`` with ``file.*`` and ``target.*``. The target is then as it was.
    """
    identity = identify(source)
    _check_target(target)
    scratch = scratch_beside(target)
    try:
        with writing_errors(target), ExitStack() as stack:
            out = stack.enter_context(scratch.open("x+b"))
            files = [stack.enter_context(TemporaryFile(dir=target.parent)) for _ in range(2)]
            works, holders = SortedRows(WORK, files[0]), Holders(SortedRows(HOLDER, files[1]))
            out.seek(HEADER_SIZE)
            records = Records(out, Salts(_seed(source)))
            for piece in rows:
                works.add(records.take(piece))
                holders.take(piece.rights_holders)
                told("Reading", records.count, 0)
            if not records.count:
                raise not_a_list("The list names no work.")
            header = _finish(out, dataset, records, _tree(out, works, records, told), holders.count())
            out.flush()
            os.fsync(out.fileno())
        check_unchanged(source, identity)
    except BaseException:
        discard(scratch)
        raise
    replace(scratch, target)
    return header


def _check_target(target: Path) -> None:
    """Refuse to replace what is no index: most likely it is the list itself."""
    with writing_errors(target):
        if target.exists() and not (target.is_file() and read_whole(target, len(MAGIC)) == MAGIC):
            raise RefusedError("target.exists", f"{target} is not an index: it stays.", path=target)


def _seed(source: Path) -> bytes:
    digest = sha256(SALT_LABEL)
    with reading_errors(source), source.open("rb") as handle:
        while data := handle.read(_READ):
            digest.update(data)
    return digest.digest()


def _tree(out: IO[bytes], works: SortedRows, records: Records, told: Told) -> _Tree:
    """Write all leaves in order, and return the tree over them."""
    tree, done = _Tree(), 0
    for piece in works.pieces():
        doubled = np.flatnonzero(piece["key"][1:] == piece["key"][:-1])
        if len(doubled):
            at = int(doubled[0])
            raise records.doubled(piece[at : at + 2])
        data = piece.tobytes()
        out.write(data)
        tree.add(data)
        done += len(piece)
        told("Building", done, records.count)
    return tree


def _finish(out: IO[bytes], dataset: str, records: Records, tree: _Tree, holders: int) -> Header:
    levels = roots_above(b"".join(tree.roots))
    out.writelines(levels)
    root = merkle.node_over(0, records.count, TileNodes(records.count, _reader(tree.rest, levels)))
    header = Header(dataset, Commitment(records.count, root), holders, records.size)
    out.seek(0)
    out.write(header.encode())
    return header


class _Tree:
    """The tree over leaves that come in order: the roots of full tiles, and the leaf hashes behind them."""

    def __init__(self) -> None:
        self.roots: list[bytes] = []
        self.rest: list[bytes] = []

    def add(self, rows: bytes) -> None:
        """Add rows of 72 bytes, of which the first 64 are the leaf's entry."""
        for at in range(0, len(rows), _AT_ONCE):
            self._add(rows[at : at + _AT_ONCE])

    def _add(self, rows: bytes) -> None:
        # merkle.leaf_hash and node_hash, written out: here a build spends its time.
        hashes = self.rest + [sha256(b"\x00" + entry).digest() for (entry,) in iter_unpack("64s8x", rows)]
        full = len(hashes) // WIDTH * WIDTH
        self.rest = hashes[full:]
        nodes = hashes[:full]
        for _ in range(HEIGHT):
            pairs = iter(nodes)
            nodes = [sha256(b"\x01" + one + two).digest() for one, two in zip(pairs, pairs, strict=True)]
        self.roots += nodes


def _reader(rest: Sequence[bytes], levels: Sequence[bytes]) -> TileReader:
    """Return what reads the tiles that a root needs: of level 0 only the partial one at the end."""

    def read(tile: Tile) -> bytes:
        if tile.level == 0:
            return b"".join(rest)
        start = tile.index * WIDTH * merkle.HASH_SIZE
        return levels[tile.level - 1][start : start + tile.width * merkle.HASH_SIZE]

    return read
