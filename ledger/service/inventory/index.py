"""Read an inventory's index: find a work, prove that it is in or not in, draw a sample.

The file (docs/spec/inventory.md): a header of 8,192 bytes; the records in the list's order, a line each; the
leaves in order, 72 bytes each: key, digest of the record, where the record begins; and the roots of all full
subtrees of 256, 65,536, … leaves.

* A proof takes a binary search and a few thousand bytes, whatever the size of the inventory.
* Each proof is verified against the header's root before it is handed out. A damaged index gives an error,
  never a wrong proof.
* Nothing is changed by reading.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ledger.core import canonical, merkle
from ledger.core.digest import sha256_hex
from ledger.core.fields import Fields
from ledger.core.predicates.dataset_v2 import DatasetV2, InventoryRoot
from ledger.core.rights.inventory import ENTRY_SIZE, MAX_RECORD, Commitment, Leaf, Record, sample
from ledger.core.rights.inventory_proof import (
    InventoryProof,
    Kind,
    Place,
    Shown,
    verify,
    verify_record,
)
from ledger.core.tiles import HEIGHT, WIDTH, Tile, TileNodes, fold
from ledger.errors import IntegrityError, MalformedError, RakkanError
from ledger.service.files import identify, reading_errors
from ledger.service.studio import Studio

SUFFIX = ".inventory"
MAGIC = b"rakkan-inventory/1\n"
HEADER_SIZE = 8192
LEAF_SIZE = ENTRY_SIZE + 8
TILE_SIZE = WIDTH * merkle.HASH_SIZE
_NO_LEVEL = 8
"""Above the levels of tiles that any inventory has: sizes end below 256^8."""

Told = Callable[[str, int, int], None]
"""Is told what is being done, how many works are done, and of how many; 0 where nobody knows yet."""


@dataclass(frozen=True, slots=True)
class Header:
    """What an index says of itself. ``records`` is how many bytes all records take."""

    dataset: str
    commitment: Commitment
    rights_holders: int
    records: int

    @property
    def leaves_at(self) -> int:
        """Where the leaves begin."""
        return HEADER_SIZE + self.records

    def nodes_at(self, level: int) -> int:
        """Where the hashes of a level of tiles begin: level 1 holds the roots of 256 leaves each."""
        before = sum(self.commitment.size >> HEIGHT * lower for lower in range(1, level))
        return self.leaves_at + LEAF_SIZE * self.commitment.size + merkle.HASH_SIZE * before

    @property
    def file_size(self) -> int:
        """Bytes of the whole index."""
        return self.nodes_at(_NO_LEVEL)

    def encode(self) -> bytes:
        """Return the 8,192 bytes. Raises ``MalformedError`` for a name that no statement can hold."""
        body = canonical.encode(
            {
                "dataset": self.dataset,
                "records": self.records,
                "rights_holders": self.rights_holders,
                "root": self.commitment.root.hex(),
                "size": self.commitment.size,
            }
        )
        _parse_body(body)
        return (MAGIC + sha256_hex(body).encode() + b"\n" + body + b"\n").ljust(HEADER_SIZE, b"\0")


def parse_header(data: bytes) -> Header:
    """Return the header. Raises ``inventory.malformed``, or ``inventory.damaged`` where it was changed."""
    if not data.startswith(MAGIC):
        raise MalformedError("inventory.malformed", "This is not the index of an inventory.")
    digest, _, rest = data[len(MAGIC) :].partition(b"\n")
    body = rest.rstrip(b"\0")[:-1]
    if sha256_hex(body).encode() != digest:
        raise damaged("its header was changed")
    return _parse_body(body)


def _parse_body(body: bytes) -> Header:
    """Return the header that these canonical bytes say. Raises ``MalformedError``."""
    members = Fields(canonical.decode(body), "", "inventory.malformed")
    header = Header(
        dataset=members.text("dataset"),
        commitment=Commitment(members.take("size", int), bytes.fromhex(members.sha256("root"))),
        rights_holders=members.take("rights_holders", int),
        records=members.take("records", int),
    )
    members.end()
    return header


class Index:
    """An open index. Reads only what an answer needs; may be used by several threads."""

    def __init__(self, file: int, header: Header) -> None:
        self._file = file
        self.header = header

    @property
    def size(self) -> int:
        """The number of works."""
        return self.header.commitment.size

    def prove(self, key: bytes) -> InventoryProof:
        """Return the proof that the work of this SHA-256 (32 bytes) is a member, or that it is absent.

        Raises ``IntegrityError("inventory.damaged")`` when the index contradicts its own root.
        """
        at = self._first_from(key)
        member = at < self.size and self.leaf(at).key == key
        start, stop = (at, at + 1) if member else (max(at - 1, 0), min(at + 1, self.size))
        return self._proof(Kind.MEMBER if member else Kind.ABSENT, key, start, stop)

    def sample(self, count: int) -> Iterator[tuple[InventoryProof, Record]]:
        """Yield proof and record of works that the root picks. Raises as ``prove``."""
        for at in sample(self.header.commitment, count):
            proof = self._proof(Kind.MEMBER, self.leaf(at).key, at, at + 1)
            yield proof, self.record(proof)

    def record(self, proof: InventoryProof) -> Record:
        """Return the record of a proven member. Raises ``IntegrityError("inventory.damaged")``."""
        data = self.record_bytes(proof)
        try:
            return verify_record(Shown(proof, index=proof.places[0].index), data)
        except RakkanError as error:
            raise damaged("a record was changed", index=proof.places[0].index) from error

    def record_bytes(self, proof: InventoryProof) -> bytes:
        """Return a proven member's record as it is stored, unchecked. Raises ``inventory.damaged``."""
        place = self.header.leaves_at + LEAF_SIZE * proof.places[0].index + ENTRY_SIZE
        at = int.from_bytes(os.pread(self._file, 8, place), "big")
        if at >= self.header.records:
            raise damaged("a leaf has no record", index=proof.places[0].index)
        return os.pread(self._file, MAX_RECORD, HEADER_SIZE + at).partition(b"\n")[0]

    def leaf(self, index: int) -> Leaf:
        """Return a leaf, ``0 <= index < size``."""
        data = os.pread(self._file, ENTRY_SIZE, self.header.leaves_at + LEAF_SIZE * index)
        return Leaf(data[: merkle.HASH_SIZE], data[merkle.HASH_SIZE :])

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the 64 bytes of each leaf ``start <= i < stop``."""
        data = os.pread(self._file, LEAF_SIZE * (stop - start), self.header.leaves_at + LEAF_SIZE * start)
        yield from (data[at : at + ENTRY_SIZE] for at in range(0, len(data), LEAF_SIZE))

    def tile(self, tile: Tile) -> bytes:
        """Return the hashes of a tile of the tree; see ``tiles.TileReader``."""
        start = tile.index * WIDTH
        if tile.level == 0:
            return b"".join(map(merkle.leaf_hash, self.entries(start, start + tile.width)))
        place = self.header.nodes_at(tile.level) + merkle.HASH_SIZE * start
        return os.pread(self._file, merkle.HASH_SIZE * tile.width, place)

    def level(self, level: int) -> bytes:
        """Return all stored hashes of a level of tiles, from level 1 up."""
        count = self.size >> HEIGHT * level
        return os.pread(self._file, merkle.HASH_SIZE * count, self.header.nodes_at(level))

    def _first_from(self, key: bytes) -> int:
        """Return the index of the first leaf whose key is not below this one; the size if there is none."""
        low, high = 0, self.size
        while low < high:
            middle = (low + high) // 2
            if self.leaf(middle).key < key:
                low = middle + 1
            else:
                high = middle
        return low

    def _proof(self, kind: Kind, key: bytes, start: int, stop: int) -> InventoryProof:
        commitment = self.header.commitment
        paths = merkle.inclusion_proofs(start, stop, self.size, TileNodes(self.size, self.tile))
        places = tuple(Place(at, self.leaf(at), path) for at, path in enumerate(paths, start))
        proof = InventoryProof(self.header.dataset, commitment, kind, key, places)
        try:
            verify(proof)
        except RakkanError as error:
            raise damaged("its leaves do not lead to its root", index=start) from error
        return proof


@contextmanager
def open_index(path: Path) -> Iterator[Index]:
    """Open an index for as long as the block runs.

    Raises ``UsageError`` with ``file.*``, ``MalformedError("inventory.malformed")`` for what is no index or
    was cut short, and ``IntegrityError("inventory.damaged")``.
    """
    # Non-blocking: opening a named pipe would otherwise wait for a writer for ever.
    with reading_errors(path):
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        with reading_errors(path):
            header = parse_header(os.pread(file, HEADER_SIZE, 0))
            size = os.fstat(file).st_size
        if size != header.file_size:
            raise MalformedError(
                "inventory.malformed",
                f"{path} is not whole: {size} bytes of {header.file_size}.",
                path=path,
            )
        yield Index(file, header)
    finally:
        os.close(file)


@dataclass(frozen=True, slots=True)
class Registered:
    """A dataset that commits to an inventory, by its entry in the log."""

    name: str
    version: str
    entry: int


def registered(studio: Studio, commitment: Commitment) -> tuple[Registered, ...]:
    """Return the datasets of a studio's log that commit to this inventory, oldest first."""
    wanted = InventoryRoot(commitment.size, commitment.root.hex())
    found = []
    for row in studio.entries.statements(DatasetV2.TYPE):
        predicate = studio.statement(row.index).predicate
        if isinstance(predicate, DatasetV2) and predicate.inventory == wanted:
            found.append(Registered(predicate.name, predicate.version, row.index))
    return tuple(found)


def key_of(work: str) -> bytes:
    """Return the key of a work, given by its SHA-256 or as a file. Raises as ``files.identify``."""
    given = len(work) == 64 and set(work) <= set("0123456789abcdef")
    return bytes.fromhex(work if given else identify(Path(work)).sha256)


def roots_above(hashes: bytes) -> list[bytes]:
    """Return the hashes of each level of tiles from level 1 up, given those of level 1; none is empty."""
    levels = []
    while hashes:
        levels.append(hashes)
        full = len(hashes) // TILE_SIZE * TILE_SIZE
        hashes = b"".join(fold(hashes[at : at + TILE_SIZE]) for at in range(0, full, TILE_SIZE))
    return levels


def damaged(how: str, **evidence: object) -> IntegrityError:
    """Return the error for an index that contradicts itself."""
    return IntegrityError("inventory.damaged", f"The inventory's index is damaged: {how}.", **evidence)
