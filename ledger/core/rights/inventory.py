"""An inventory: the works that a dataset commits to, as a sorted Merkle tree (docs/spec/inventory.md).

* A work's *key* is the SHA-256 of its bytes. Its *record* is what else the list says of it: name, rights
  holder, grant, and a salt, as canonical JSON.
* A leaf's entry is the key and the SHA-256 of the record, 64 bytes. The leaves are sorted by key; no key
  occurs twice. The tree is that of RFC 9162.
* A commitment is the size and the root together. No inventory is empty: it could show nothing.
* The salt keeps a record secret where its digest is shown, as a neighbour's in somebody else's proof: names
  of rights holders can be guessed.
* Salts come from the bytes of the list. Whoever has the list builds the same tree from it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256, shake_256

from ledger.core import canonical
from ledger.core.fields import Fields, present
from ledger.core.merkle import HASH_SIZE, leaf_hash
from ledger.errors import MalformedError

COLUMNS = ("work", "sha256", "rights_holder")
GRANT = "grant"
"""What a list of works says of each: the columns it must have, and the one it may have."""

ENTRY_SIZE = 2 * HASH_SIZE
SALT_DIGITS = 32
"""Hexadecimal digits of a record's salt: 128 bits (RFC 9901 section 9.3)."""

MAX_RECORD = 1 << 16
"""Bytes. More than the canonical form of any record takes."""

SALT_LABEL = b"rakkan inventory salt\n"
"""What a list's bytes are hashed behind, to be the seed of its salts."""

_SAMPLE_LABEL = b"rakkan inventory sample\n"
_SALTS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class Commitment:
    """What a dataset's entry in the log states of its inventory: how many works, and the root (32 bytes).

    Raises ``MalformedError("inventory.proof")`` for a size or root that no inventory can have.
    """

    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not 0 < self.size <= canonical.MAX_INTEGER or len(self.root) != HASH_SIZE:
            raise MalformedError("inventory.proof", "No inventory has this size and root.", size=self.size)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One work of an inventory: its key and the SHA-256 of its record, 32 bytes each."""

    key: bytes
    record: bytes

    @property
    def hash(self) -> bytes:
        """The leaf hash of RFC 9162 over the 64 bytes of the entry."""
        return leaf_hash(self.key + self.record)


@dataclass(frozen=True, slots=True)
class Record:
    """What the list says of a work. ``salt`` is 32 hexadecimal digits."""

    work: str
    rights_holder: str
    grant: str | None
    salt: str

    def encode(self) -> bytes:
        """Return the canonical bytes, whose SHA-256 the leaf holds."""
        return canonical.encode(
            present(grant=self.grant, rights_holder=self.rights_holder, salt=self.salt, work=self.work)
        )


def parse_record(data: bytes) -> Record:
    """Return the record. Raises ``MalformedError`` with ``inventory.record`` or ``json.*``."""
    members = Fields(canonical.decode(data), "", "inventory.record")
    record = Record(
        members.text("work"),
        members.text("rights_holder"),
        members.optional_text("grant"),
        members.text("salt"),
    )
    members.end()
    return record


@dataclass(frozen=True, slots=True)
class Rows:
    """Consecutive rows of a list of works, by column, as they were written and not yet checked.

    ``first`` is the number of the first row, as somebody who opens the file counts it. A cell that is not
    there is ``None``. All columns are of one length, at least 1.
    """

    first: int
    works: Sequence[object]
    keys: Sequence[object]
    rights_holders: Sequence[object]
    grants: Sequence[object]


def not_a_list(message: str, **evidence: object) -> MalformedError:
    """Return the error for a list of works that is not as it should be."""
    return MalformedError("registry.inventory", message, **evidence)


class Salts:
    """The salts of a list's works, in the list's order: SHAKE-256 of a seed and a counter.

    ``seed`` is the SHA-256 of ``SALT_LABEL`` and the list's bytes, so that a list's own SHA-256, which may
    be published, gives no salt away.
    """

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._turn = 0
        self._left = ""

    def take(self, count: int) -> str:
        """Return the next ``count`` salts as one text of ``SALT_DIGITS`` hexadecimal digits each."""
        parts, have = [self._left], len(self._left)
        while have < count * SALT_DIGITS:
            block = shake_256(self._seed + self._turn.to_bytes(8, "big"))
            parts.append(block.hexdigest(_SALTS_AT_ONCE * SALT_DIGITS // 2))
            have += _SALTS_AT_ONCE * SALT_DIGITS
            self._turn += 1
        text = "".join(parts)
        self._left = text[count * SALT_DIGITS :]
        return text[: count * SALT_DIGITS]


def sample(commitment: Commitment, count: int) -> tuple[int, ...]:
    """Return the indices of ``count`` different works that nobody picked: the root picks them.

    The numbers SHA-256(label, root, size, 0), …, 1), … modulo the size, in order, each index once. A smaller
    sample is the beginning of a larger one. ``0 <= count <= size`` must hold.
    """
    found: dict[int, None] = {}
    start = sha256(_SAMPLE_LABEL + commitment.root + commitment.size.to_bytes(8, "big"))
    turn = 0
    while len(found) < count:
        drawn = start.copy()
        drawn.update(turn.to_bytes(8, "big"))
        found.setdefault(int.from_bytes(drawn.digest(), "big") % commitment.size)
        turn += 1
    return tuple(found)
