"""One proof for many entries: the hashes that are missing between their leaves and the root, in one row.

The tree of RFC 9162 section 2.1 is walked from the root, left before right. A part without any of the entries
is one hash of the row; a single entry is its own leaf hash; any other part splits at the largest power of two
below its width. So the row is as short as can be, and each inclusion proof can be read out of it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence

from ledger.core.merkle import HASH_SIZE, NodeSource, node_hash, node_over
from ledger.errors import MalformedError

Leaves = Iterable[tuple[int, bytes]]
"""Index and leaf hash, ascending."""
Seen = Callable[[int, int, bytes], None]
"""Is told the hash over the leaves from the first number up to the second, which is not among them."""


def multiproof(indices: Sequence[int], size: int, node: NodeSource) -> Iterator[bytes]:
    """Yield the row for these leaves, ascending and distinct, of the tree of ``size`` leaves."""
    pending = [(0, size)] if size else []
    while pending:
        low, high = pending.pop()
        at = bisect_left(indices, low)
        if at == len(indices) or indices[at] >= high:
            yield node_over(low, high, node)
        elif high - low > 1:
            middle = low + _split(high - low)
            pending += [(middle, high), (low, middle)]


def multiproof_root(size: int, leaves: Leaves, row: bytes, seen: Seen | None = None) -> bytes:
    """Return the root that the row leads to. It proves nothing before somebody trusted has stated that root.

    ``size`` is at least 1. Raises ``MalformedError("proof.malformed")`` for a row that is too short or too
    long, and for leaves that are out of order or beyond the tree.
    """
    folding = _Folding(iter(leaves), row, seen)
    found = folding.over(0, size)
    folding.end()
    return found


class _Folding:
    """Leaves and hashes, each taken in order."""

    def __init__(self, leaves: Iterator[tuple[int, bytes]], row: bytes, seen: Seen | None) -> None:
        self._leaves, self._row, self._seen = leaves, row, seen
        self._at = 0
        self._next = next(leaves, None)

    def over(self, low: int, high: int) -> bytes:
        """Return the hash over these leaves."""
        if self._next is None or self._next[0] >= high:
            found = self._hash()
        elif high - low == 1:
            found = self._leaf(low)
        else:
            middle = low + _split(high - low)
            left = self.over(low, middle)
            found = node_hash(left, self.over(middle, high))
        if self._seen is not None:
            self._seen(low, high, found)
        return found

    def end(self) -> None:
        """Refuse what is left over."""
        if self._next is not None or self._at != len(self._row):
            raise _malformed()

    def _hash(self) -> bytes:
        self._at += HASH_SIZE
        if self._at > len(self._row):
            raise _malformed()
        return self._row[self._at - HASH_SIZE : self._at]

    def _leaf(self, index: int) -> bytes:
        if self._next is None or self._next[0] != index:
            raise _malformed()
        found = self._next[1]
        self._next = next(self._leaves, None)
        return found


def path_of(index: int, size: int, known: Callable[[int, int], bytes]) -> tuple[bytes, ...]:
    """Return an entry's own inclusion proof (RFC 9162 section 2.1.3.1) from the hashes that were seen."""
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(known(middle, high))
            high = middle
        else:
            path.append(known(low, middle))
            low = middle
    return tuple(reversed(path))


def _split(width: int) -> int:
    return 1 << (width - 1).bit_length() - 1


def _malformed() -> MalformedError:
    return MalformedError("proof.malformed", "The proof is not for these entries and this tree.")
