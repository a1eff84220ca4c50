"""Small inventories in memory, and lists of works on disk."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path

from ledger.core import merkle
from ledger.core.rights.inventory import Commitment, Leaf
from ledger.core.rights.inventory_proof import InventoryProof, Kind, Place
from ledger.core.tiles import TileNodes, grow

Work = tuple[str, str, str, str]
"""Name, SHA-256, rights holder, grant."""


def key(number: int) -> bytes:
    return sha256(b"work %d" % number).digest()


def works(count: int, start: int = 0) -> list[Work]:
    """Return works, all different, not in the order of their keys."""
    return [
        (f"plate-{number}.png", key(number).hex(), f"Holder {number % 7}", f"G-{number % 3}")
        for number in range(start, start + count)
    ]


def write_csv(
    path: Path, rows: Iterable[Sequence[str]], head: str = "work,sha256,rights_holder,grant"
) -> Path:
    with path.open("w", newline="") as handle:
        handle.write(head + "\n")
        csv.writer(handle).writerows(rows)
    return path


def write_ndjson(path: Path, rows: Iterable[Work]) -> Path:
    names = ("work", "sha256", "rights_holder", "grant")
    path.write_text("".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows))
    return path


class Tree:
    """An inventory in memory, over leaves in any order that a maker likes."""

    def __init__(self, leaves: Sequence[Leaf]) -> None:
        self.leaves = leaves
        stored = grow(0, lambda tile: b"", [leaf.hash for leaf in leaves])
        self._nodes = TileNodes(len(leaves), lambda tile: stored[tile.level, tile.index])
        self.commitment = Commitment(len(leaves), merkle.node_over(0, len(leaves), self._nodes))

    def place(self, index: int) -> Place:
        path = merkle.inclusion_proof(index, len(self.leaves), self._nodes)
        return Place(index, self.leaves[index], path)

    def proof(self, kind: Kind, sought: bytes, *indices: int) -> InventoryProof:
        """Return a proof that says this, whether it is so or not."""
        return InventoryProof("plates", self.commitment, kind, sought, tuple(map(self.place, indices)))

    def honest(self, sought: bytes) -> InventoryProof:
        """Return what an honest maker answers."""
        keys = [leaf.key for leaf in self.leaves]
        if sought in keys:
            return self.proof(Kind.MEMBER, sought, keys.index(sought))
        above = sum(item < sought for item in keys)
        indices = [index for index in (above - 1, above) if 0 <= index < len(keys)]
        return self.proof(Kind.ABSENT, sought, *indices)


def tree(keys: Iterable[bytes]) -> Tree:
    """Return the inventory of these keys, as an honest maker sorts it."""
    return Tree([Leaf(item, sha256(item).digest()) for item in sorted(keys)])
