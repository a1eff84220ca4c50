"""The indexes of inventories that the server may read: the files of one folder, found by what they commit to.

The folder is looked through again for each question: somebody may have put an index there, or taken it away.
Only headers are read. An index that is damaged, or still being written, is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ledger.core.rights.inventory import Commitment
from ledger.errors import RakkanError
from ledger.service.inventory.index import SUFFIX, Index, open_index

MOST = 1_000
"""Files of the folder that are looked at."""


class InventoryFolder:
    """See ``service.reading.own_works.Inventories``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def opened(self, commitment: Commitment) -> Iterator[Index | None]:
        """Open the index of an inventory for as long as the block runs; ``None`` where it is not here."""
        path = self._find(commitment)
        if path is None:
            yield None
            return
        with open_index(path) as index:
            yield index

    def _find(self, commitment: Commitment) -> Path | None:
        for path in sorted(self._folder.glob(f"*{SUFFIX}"))[:MOST]:
            with suppress(RakkanError), open_index(path) as index:
                if index.header.commitment == commitment:
                    return path
        return None
