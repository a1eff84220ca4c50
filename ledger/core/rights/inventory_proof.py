"""Whether a work is in an inventory: the proof either way, its text, and its check (docs/spec/inventory.md).

* Membership: the work's leaf, and its inclusion proof.
* Absence: the two neighbouring leaves, the work's key strictly between theirs, and both inclusion proofs; or
  the first leaf for a key below it, or the last leaf for a key above it.
* A proof is checked against a commitment: size and root together. It brings its own along; whoever checks
  compares that with the dataset's entry in the log.
* The inventory's maker sorts it. One who commits to an unsorted tree can show a work present and absent: a
  single proof does not reveal that, the two together do, and so does a pass over all leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

from ledger.core import canonical
from ledger.core.encoding import decode_base64, encode_base64
from ledger.core.fields import Fields, present
from ledger.core.merkle import HASH_SIZE, Proof, verify_inclusion
from ledger.core.rights.inventory import Commitment, Leaf, Record, parse_record
from ledger.errors import IntegrityError, UndecidedError

FORMAT = "rakkan-inventory-proof/1"
MAX_PROOF = 1 << 16
"""Bytes. More than a proof in a tree of any size takes."""


class Kind(StrEnum):
    """What a proof says of its work."""

    MEMBER = "member"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Place:
    """A leaf, its index, and its inclusion proof from the leaf to the root."""

    index: int
    leaf: Leaf
    path: Proof


@dataclass(frozen=True, slots=True)
class InventoryProof:
    """A proof as it travels. Nothing in it is checked yet: see ``verify``.

    ``dataset`` is what the maker calls the dataset; only the commitment binds. ``key`` is 32 bytes.
    """

    dataset: str
    commitment: Commitment
    kind: Kind
    key: bytes
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a proof has shown of its key, under its commitment.

    A member has an ``index``. An absent key lies between the leaves ``below`` and ``above``, of which the
    first or the second is ``None`` at an end of the inventory. All count from 0.
    """

    proof: InventoryProof
    index: int | None = None
    below: int | None = None
    above: int | None = None


def verify(proof: InventoryProof, expected: Commitment | None = None) -> Shown:
    """Return what the proof shows under its commitment, which must be the ``expected`` one if that is given.

    Raises ``UndecidedError("inventory.other")`` for a proof under another commitment; ``IntegrityError`` with
    ``inventory.unproven`` when the leaves are not those that would show it, and with ``proof.mismatch`` when
    they are not in the tree; ``MalformedError("proof.malformed")`` for a wrong number of hashes.
    """
    if expected not in (None, proof.commitment):
        raise UndecidedError(
            "inventory.other",
            "The proof is of another inventory than the one asked about.",
            size=proof.commitment.size,
            root=proof.commitment.root.hex(),
        )
    shown = _member(proof) if proof.kind is Kind.MEMBER else _absent(proof)
    for place in proof.places:
        verify_inclusion(
            place.index, proof.commitment.size, place.leaf.hash, place.path, proof.commitment.root
        )
    return shown


def verify_record(shown: Shown, data: bytes) -> Record:
    """Return the record that these canonical bytes are, if it is the one that the shown leaf commits to.

    Raises ``MalformedError`` with ``inventory.record`` or ``json.*``, and ``IntegrityError`` with
    ``inventory.other-record``, also for an absent work: it has no record.
    """
    record = parse_record(data)
    if shown.index is None or sha256(data).digest() != shown.proof.places[0].leaf.record:
        raise IntegrityError("inventory.other-record", "The inventory holds another record of this work.")
    return record


def format_proof(proof: InventoryProof) -> bytes:
    """Return the proof as canonical JSON."""
    return canonical.encode(
        {
            "dataset": proof.dataset,
            "format": FORMAT,
            "key": proof.key.hex(),
            "kind": proof.kind.value,
            "leaves": [_format_place(place) for place in proof.places],
            "root": proof.commitment.root.hex(),
            "size": proof.commitment.size,
        }
    )


def parse_proof(data: bytes) -> InventoryProof:
    """Return the proof that formats to exactly these bytes; nothing in it is checked yet.

    Raises ``MalformedError`` with ``inventory.proof``, ``digest.malformed`` or ``json.*``.
    """
    members = Fields(canonical.decode(data), "", "inventory.proof")
    if members.text("format") != FORMAT:
        raise members.error("format", f"must be {FORMAT}")
    proof = InventoryProof(
        dataset=members.text("dataset"),
        commitment=Commitment(members.take("size", int), bytes.fromhex(members.sha256("root"))),
        kind=members.choice("kind", Kind),
        key=bytes.fromhex(members.sha256("key")),
        places=tuple(
            _parse_place(item, f"leaves.{number}") for number, item in enumerate(members.items("leaves"))
        ),
    )
    members.end()
    return proof


def _member(proof: InventoryProof) -> Shown:
    if len(proof.places) != 1 or proof.places[0].leaf.key != proof.key:
        raise _unproven("the leaf of a member is its own")
    return Shown(proof, index=proof.places[0].index)


def _absent(proof: InventoryProof) -> Shown:
    places, last = proof.places, proof.commitment.size - 1
    if len(places) == 2:
        low, high = places
        if high.index != low.index + 1:
            raise _unproven("the two leaves must be neighbours")
        if not low.leaf.key < proof.key < high.leaf.key:
            raise _unproven("the key must lie between those of the two leaves")
        return Shown(proof, below=low.index, above=high.index)
    if len(places) != 1:
        raise _unproven("absence takes two leaves, or one at an end")
    (place,) = places
    if place.index == 0 and proof.key < place.leaf.key:
        return Shown(proof, above=0)
    if place.index == last and proof.key > place.leaf.key:
        return Shown(proof, below=last)
    raise _unproven("one leaf shows absence only below the first or above the last")


def _unproven(rule: str) -> IntegrityError:
    return IntegrityError("inventory.unproven", f"The proof does not show what it says: {rule}.")


def _format_place(place: Place) -> dict[str, Any]:
    return present(
        hashes=[encode_base64(item) for item in place.path],
        index=place.index,
        key=place.leaf.key.hex(),
        record=place.leaf.record.hex(),
    )


def _parse_place(value: Any, path: str) -> Place:
    members = Fields(value, path, "inventory.proof")
    place = Place(
        members.take("index", int),
        Leaf(bytes.fromhex(members.sha256("key")), bytes.fromhex(members.sha256("record"))),
        _hashes(members, members.texts("hashes")),
    )
    members.end()
    return place


def _hashes(members: Fields, texts: Sequence[str]) -> Proof:
    found = [decode_base64(text) for text in texts]
    whole = tuple(item for item in found if item is not None and len(item) == HASH_SIZE)
    if len(whole) != len(found):
        raise members.error("hashes", "must hold 32 bytes each, in standard base64")
    return whole
