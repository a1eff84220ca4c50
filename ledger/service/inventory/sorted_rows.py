"""Many rows into order, in bounded memory: sorted runs on disk, then merged piece by piece.

* A row is of a numpy type whose first field, ``key``, is 32 bytes; rows are ordered by it.
* A run is what fits into memory at once. From each run every ``BLOCK``-th key is remembered. They tell how
  far each run must be read for the next piece, so memory is one piece, and one block of each run.
* Rows of one key always come in one piece, next to one another: whoever forbids doubles sees them there.
* Keys need not be spread evenly, as digests are: bounds are taken from the keys themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import numpy.typing as npt

RUN = 1 << 19
"""Rows sorted in memory at once."""

PIECE = 1 << 17
BLOCK = 1 << 11

Array = npt.NDArray[Any]


class SortedRows:
    """Collects rows of the type ``kind``, and gives them back in order. ``scratch`` is an empty file."""

    def __init__(self, kind: np.dtype[Any], scratch: IO[bytes]) -> None:
        self._kind = kind
        self._scratch = scratch
        self._waiting: list[Array] = []
        self._count = 0
        self._runs: list[_Run] = []

    def add(self, rows: Array) -> None:
        """Take rows in. Raises ``OSError`` where the scratch file cannot be written."""
        self._waiting.append(rows)
        self._count += len(rows)
        if self._count >= RUN:
            self._write_run()

    def pieces(self) -> Iterator[Array]:
        """Yield all rows in order, in pieces that are not empty. Nothing may be added any more."""
        if self._runs and self._waiting:
            self._write_run()
        pieces = self._merged() if self._runs else iter([self._sorted()])
        yield from (piece for piece in pieces if len(piece))

    def _write_run(self) -> None:
        rows = self._sorted()
        self._runs.append(_Run(self._scratch.tell(), len(rows), rows["key"][::BLOCK].copy()))
        self._scratch.write(rows.data)

    def _sorted(self) -> Array:
        rows = np.concatenate([np.empty(0, self._kind), *self._waiting])
        self._waiting.clear()
        self._count = 0
        return in_order(rows)

    def _merged(self) -> Iterator[Array]:
        keys = np.sort(np.concatenate([run.keys for run in self._runs]))
        carried = np.empty(0, self._kind)
        for bound in [*keys[PIECE // BLOCK :: PIECE // BLOCK], None]:
            rows = in_order(np.concatenate([carried, *(self._read(run, bound) for run in self._runs)]))
            cut = len(rows) if bound is None else int(np.searchsorted(rows["key"], bound))
            carried = rows[cut:].copy()
            yield rows[:cut]

    def _read(self, run: _Run, bound: bytes | None) -> Array:
        """Return the next rows of a run: at least all that are below the bound."""
        blocks = len(run.keys) if bound is None else int(np.searchsorted(run.keys, bound))
        stop = max(min(blocks * BLOCK, run.count), run.taken)
        self._scratch.seek(run.start + run.taken * self._kind.itemsize)
        data = self._scratch.read((stop - run.taken) * self._kind.itemsize)
        run.taken = stop
        return np.frombuffer(data, self._kind)


@dataclass(slots=True)
class _Run:
    """A sorted run: where it begins in the scratch file, its rows, and the first key of each block."""

    start: int
    count: int
    keys: Array
    taken: int = 0


def in_order(rows: Array) -> Array:
    """Return a copy of the rows, ordered by ``key``."""
    head = np.dtype({"names": ["head"], "formats": [">u8"], "itemsize": rows.dtype.itemsize})
    # Numbers sort ten times as fast as bytes, and the first eight bytes of two digests hardly ever agree.
    heads = rows.view(head)["head"].astype(np.uint64)
    order = np.argsort(heads)
    heads = heads[order]
    if (heads[1:] == heads[:-1]).any():
        order = np.argsort(rows["key"], kind="stable")
    return rows[order]
