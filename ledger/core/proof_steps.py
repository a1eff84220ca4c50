"""The proofs of the tree taken apart: every hash on the way to the root, in order, and what it is over.

For people and their tools, who do each step by themselves. Here nothing is decided: whether a proof holds is
for ``merkle.verify_inclusion`` and ``verify_consistency``, which do not know of this module.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ledger.core.merkle import node_hash, split


@dataclass(frozen=True, slots=True)
class Join:
    """Two neighbours under one node: the hashes over ``low <= i < middle`` and ``middle <= i < high``.

    ``given_left``: the left hash comes from the proof, and the right one from the step before; else the
    other way round.
    """

    low: int
    middle: int
    high: int
    left: bytes
    right: bytes
    given_left: bool

    @property
    def result(self) -> bytes:
        """The hash over ``low <= i < high``, 32 bytes."""
        return node_hash(self.left, self.right)

    @property
    def given(self) -> bytes:
        """The hash that comes from the proof."""
        return self.left if self.given_left else self.right


def inclusion_steps(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> tuple[Join, ...]:
    """Return the steps from a leaf hash to the root; none in a tree of one leaf.

    ``proof`` has the shape that ``verify_inclusion`` asks for. Raises ``ValueError`` for another number of
    hashes.
    """
    low, high = 0, size
    places = []
    while high - low > 1:
        middle = low + split(high - low)
        places.append((low, middle, high, index >= middle))
        low, high = (middle, high) if index >= middle else (low, middle)
    return tuple(_joined(reversed(places), leaf, proof))


def consistency_steps(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes
) -> tuple[tuple[Join, ...], tuple[Join, ...]]:
    """Return the steps to the old root and those to the new one, from the same hashes.

    The proof holds from ``old`` to ``new``, two sizes that are not 0 and differ. The old tree's steps are
    none where it is one perfect subtree: then the new tree's begin with its root. Raises ``ValueError`` for
    another number of hashes.
    """
    low, high = 0, new
    places = []
    while high != old:
        middle = low + split(high - low)
        places.append((low, middle, high, old > middle))
        low, high = (middle, high) if old > middle else (low, middle)
    seed, path = (proof[0], proof[1:]) if low else (old_root, proof)
    places.reverse()
    inside = [(place, given) for place, given in zip(places, path, strict=True) if place[3]]
    before = [(low, middle, old, True) for (low, middle, _, _), _ in inside]
    return (
        tuple(_joined(iter(before), seed, [given for _, given in inside])),
        tuple(_joined(iter(places), seed, path)),
    )


def _joined(
    places: Iterator[tuple[int, int, int, bool]], start: bytes, given: Sequence[bytes]
) -> Iterator[Join]:
    """Yield the steps at these places, the lowest first. Raises ``ValueError``."""
    known = start
    for (low, middle, high, given_left), other in zip(places, given, strict=True):
        left, right = (other, known) if given_left else (known, other)
        step = Join(low, middle, high, left, right, given_left)
        yield step
        known = step.result
