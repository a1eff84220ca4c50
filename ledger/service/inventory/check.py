"""Check an inventory as a whole, and its curation record: what no single proof shows.

* Its maker sorts an inventory. Only a pass over all leaves shows that they are in order, and that the tree is
  over these leaves.
* Of a curation record, the number kept is that of the works, and no work is on the list of exclusions. The
  other counts are the maker's word.
* A list of exclusions holds one SHA-256 on each line, 64 lower-case digits.
"""

from __future__ import annotations

from pathlib import Path

from ledger.core import canonical, merkle
from ledger.core.digest import parse_sha256, sha256_hex
from ledger.core.fields import Fields
from ledger.core.predicates.curation import Curation
from ledger.core.rights.inventory_proof import Kind
from ledger.core.tiles import WIDTH, fold
from ledger.errors import IntegrityError, MalformedError, UndecidedError
from ledger.service.files import read_whole
from ledger.service.inventory.index import TILE_SIZE, Index, Told, damaged, roots_above


def check_tree(index: Index, told: Told) -> None:
    """Return if the leaves are in order, none twice, and lead to the root and to every stored hash.

    This is what no single proof shows: that the maker sorted. Reads all leaves, one hash for each of them and
    one for each node. Raises ``IntegrityError("inventory.damaged")``.
    """
    last, roots, rest = b"", bytearray(), b""
    for start in range(0, index.size, WIDTH):
        stop = min(start + WIDTH, index.size)
        entries = list(index.entries(start, stop))
        for entry in entries:
            if entry[: merkle.HASH_SIZE] <= last:
                raise damaged("its leaves are not in order", key=entry[: merkle.HASH_SIZE].hex())
            last = entry[: merkle.HASH_SIZE]
        rest = b"".join(map(merkle.leaf_hash, entries))
        if len(rest) == TILE_SIZE:
            roots += fold(rest)
            rest = b""
        told("Checking", stop, index.size)
    levels = roots_above(bytes(roots))
    if any(index.level(number) != found for number, found in enumerate(levels, 1)):
        raise damaged("its stored hashes are not those of its leaves")
    if _root(bytes(roots), rest) != index.header.commitment.root:
        raise damaged("its leaves do not lead to its root")


def _root(roots: bytes, rest: bytes) -> bytes:
    """Return the root over full tiles, by their roots, and the leaf hashes behind them."""
    peaks: merkle.Peaks = ()
    for hashes in (roots, rest):
        items = [bytes(hashes[at : at + 32]) for at in range(0, len(hashes), merkle.HASH_SIZE)]
        peaks += merkle.extend(0, (), items)
    return merkle.root(peaks)


def read_curation(path: Path) -> Curation:
    """Return the curation record in a JSON file. Raises ``file.*``, ``json.*`` and ``statement.field``."""
    return Curation.read(Fields(canonical.parse(read_whole(path))))


def check_curation(index: Index, curation: Curation, exclusions: bytes | None) -> None:
    """Return if the inventory is what the record says was kept, and holds nothing that it excludes.

    ``exclusions`` is the list that the record binds. Raises ``IntegrityError("inventory.curation")`` where
    the two contradict, ``UndecidedError("inventory.exclusions")`` where not the very list is given that
    the record binds, and ``MalformedError("digest.malformed")``.
    """
    if curation.kept != index.size:
        raise IntegrityError(
            "inventory.curation",
            f"The record says that {curation.kept} works were kept; the inventory holds {index.size}.",
        )
    digest = None if exclusions is None else sha256_hex(exclusions)
    if digest != curation.exclusions_sha256:
        raise UndecidedError(
            "inventory.exclusions",
            "This is not the list of exclusions that the record binds.",
            bound=curation.exclusions_sha256,
            given=digest,
        )
    for key in _excluded(exclusions or b""):
        if index.prove(key).kind is Kind.MEMBER:
            raise IntegrityError(
                "inventory.curation", "A work that the record excludes is in the inventory.", sha256=key.hex()
            )


def _excluded(data: bytes) -> list[bytes]:
    try:
        return [bytes.fromhex(parse_sha256(line)) for line in data.decode("ascii").splitlines()]
    except UnicodeDecodeError as error:
        raise MalformedError("digest.malformed", "An exclusion is not a SHA-256 in hex.") from error
