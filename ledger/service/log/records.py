"""What an operator keeps of one log: enough to check it and to bring it back, and no private key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ledger.core.checkpoint import Checkpoint, open_checkpoint
from ledger.core.note import NoteVerifier
from ledger.ports import Clock, EntryStore
from ledger.service.log.guard import LastSigned
from ledger.service.log.projection import Rows


class SignedRecord(LastSigned, Protocol):
    """The last-signed record, which also says how well it is."""

    def damaged(self) -> bool:
        """Whether a part of the record is damaged, even where ``read`` still finds an older checkpoint."""


@dataclass(frozen=True, slots=True)
class Records:
    """One log's database, its key's own record, and the public keys it signs with, old and new.

    ``project`` returns the rows of an entry; it raises ``MalformedError`` for bytes that are none.
    """

    store: EntryStore
    origin: str
    verifiers: tuple[NoteVerifier, ...]
    project: Callable[[int, bytes], Rows]
    last_signed: SignedRecord
    clock: Clock

    def opened(self, note: bytes) -> Checkpoint:
        """Return what a checkpoint of this log states. Raises as ``open_checkpoint``."""
        return open_checkpoint(note, self.verifiers)
