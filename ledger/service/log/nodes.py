"""The log's own tree, read back: from the stored tiles to nodes, roots and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ledger.core.merkle import EMPTY_ROOT, consistency_proof, node_over, root, verify_consistency
from ledger.core.tiles import Tile, TileNodes, TileReader
from ledger.errors import IntegrityError, MalformedError, UndecidedError
from ledger.ports import Head


def stored(tile: Callable[[int, int], bytes]) -> TileReader:
    """Return a reader of the store's own tiles: there a missing one is ``IntegrityError("log.corrupt")``."""

    def read(wanted: Tile) -> bytes:
        hashes = tile(wanted.level, wanted.index)
        if len(hashes) < wanted.width * len(EMPTY_ROOT):
            raise IntegrityError("log.corrupt", "A stored tile is missing or too short.", tile=wanted.path)
        return hashes

    return read


@contextmanager
def corruption(message: str) -> Iterator[None]:
    """Run the block; what it raises about our own records leaves as ``IntegrityError("log.corrupt")``."""
    try:
        yield
    except (IntegrityError, MalformedError, UndecidedError) as error:
        raise IntegrityError("log.corrupt", message, **{**error.evidence, "cause": error}) from error


def root_at(size: int, head: Head, nodes: TileNodes) -> bytes:
    """Return the root that the log had at ``size <= head.size``.

    Raises ``IntegrityError("log.corrupt")`` when the tiles do not lead from it to the head.
    """
    if size == head.size:
        return root(head.peaks)
    past = node_over(0, size, nodes)
    with corruption("The tiles do not lead to the signed root."):
        verify_consistency(size, head.size, consistency_proof(size, head.size, nodes), past, root(head.peaks))
    return past
