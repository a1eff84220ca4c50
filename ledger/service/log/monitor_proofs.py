"""What a published log's own tiles prove about two of its checkpoints.

* Tiles are believed only as far as they lead to a signed root. Tiles that do not are ``monitor.tiles``,
  missing ones ``monitor.incomplete``: neither proves that the log shows two views.
* So the root of the smaller tree is computed from the tiles, and proven to be in the larger tree. Only then
  is it compared with the root that was signed: what differs is then a contradiction that anybody can check.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.core import canonical
from ledger.core.checkpoint import Checkpoint
from ledger.core.encoding import encode_base64
from ledger.core.merkle import (
    EMPTY_ROOT,
    HASH_SIZE,
    Proof,
    consistency_proof,
    node_over,
    verify_consistency,
)
from ledger.core.tiles import WIDTH, Tile, TileNodes
from ledger.errors import IntegrityError, RakkanError, UndecidedError
from ledger.ports import PublishedLog


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Shown with a proof: the larger tree's first ``size`` entries have this root, and not the signed one."""

    size: int
    root: bytes
    proof: Proof

    def to_json(self) -> bytes:
        """Return the proof as evidence: what the newer checkpoint's tree begins with."""
        return canonical.encode(
            {
                "size": self.size,
                "root": encode_base64(self.root),
                "consistencyProof": [encode_base64(item) for item in self.proof],
            }
        )


def contradicts(log: PublishedLog, old: Checkpoint, new: Checkpoint) -> Contradiction | None:
    """Return why ``old`` is not the beginning of ``new``, proven; ``None`` when it is, proven too.

    ``old`` must not be the larger one. Raises ``IntegrityError("monitor.tiles")`` when the tiles do not lead
    to the root of ``new``, and what ``read_tile`` raises.
    """
    if old.size == new.size:
        return None if old.root == new.root else Contradiction(new.size, new.root, ())
    nodes = served(log, new.size)
    if old.size == 0:
        check_tree(log, new)
        return None
    past = node_over(0, old.size, nodes)
    proof = consistency_proof(old.size, new.size, nodes)
    try:
        # With the root that the tiles themselves give for the older size: so this can only fail where the
        # tiles are not those of the signed tree, and what it proves holds whatever the log said before.
        verify_consistency(old.size, new.size, proof, past, new.root)
    except RakkanError as error:
        raise _bad_tiles(new) from error
    return None if past == old.root else Contradiction(old.size, past, proof)


def check_tree(log: PublishedLog, checkpoint: Checkpoint) -> None:
    """Return if the tiles at the right edge lead to the signed root. Raises as ``contradicts`` does."""
    found = EMPTY_ROOT
    if checkpoint.size:
        found = node_over(0, checkpoint.size, served(log, checkpoint.size))
    if found != checkpoint.root:
        raise _bad_tiles(checkpoint)


def served(log: PublishedLog, size: int) -> TileNodes:
    """Return the nodes of the tree of this size, from the log's tiles. They prove nothing by themselves."""
    return TileNodes(size, lambda tile: read_tile(log, tile))


def read_tile(log: PublishedLog, tile: Tile) -> bytes:
    """Return the tile's hashes; from the full tile where the log has dropped the partial one.

    Raises ``UndecidedError("monitor.incomplete")`` when it is missing or of another length.
    """
    for held in dict.fromkeys((tile, Tile(tile.level, tile.index, WIDTH))):
        data = log.get(held.path)
        if data is not None:
            if len(data) != held.width * HASH_SIZE:
                raise UndecidedError(
                    "monitor.incomplete", "A tile is cut short.", tile=held.path, bytes=len(data)
                )
            return data[: tile.width * HASH_SIZE]
    raise UndecidedError("monitor.incomplete", "A tile is missing.", tile=tile.path)


def _bad_tiles(checkpoint: Checkpoint) -> IntegrityError:
    return IntegrityError(
        "monitor.tiles",
        "The log's tiles do not lead to the root that it signed.",
        size=checkpoint.size,
        root=checkpoint.root.hex(),
    )
