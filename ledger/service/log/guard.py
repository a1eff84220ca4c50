"""What is asked before the log's key signs: is this database the newest state of the log?

* The stored head must be a state that the log's key signed, and its tiles must lead to its peaks.
* It must continue the last-signed record, kept beside the key; the record may be behind it, by what a crash
  left unrecorded, and is never ahead of an honest database.
* It must continue what is published: also where the record was restored together with the database. That is
  asked once, before the first entry that a process adds.
* It must be of the epoch in which this process opened the log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ledger.core.checkpoint import Checkpoint, open_checkpoint
from ledger.core.merkle import EMPTY_ROOT, root
from ledger.core.note import NoteVerifier
from ledger.core.tiles import TileNodes
from ledger.errors import IntegrityError, RakkanError, RefusedError
from ledger.ports import Head
from ledger.service.log.nodes import corruption, root_at, stored

ReadTile = Callable[[int, int], bytes]


class LastSigned(Protocol):
    """The log key's own record of the newest checkpoint it signed, kept apart from the database."""

    def read(self) -> bytes | None:
        """Return the recorded checkpoint, or ``None`` before the first one."""

    def write(self, checkpoint: bytes) -> None:
        """Record the checkpoint, durable on return. One of a larger tree that is there already stays."""


class Guard:
    """The guard of one log, in one process.

    ``verifiers`` are the log's keys, past ones too. ``published`` returns the published checkpoint, if there
    is one.
    """

    def __init__(
        self,
        origin: str,
        verifiers: Sequence[NoteVerifier],
        published: Callable[[], bytes | None] | None = None,
    ) -> None:
        self._origin = origin
        self.verifiers = verifiers
        self._published = published
        self._epoch: int | None = None
        self._began: int | None = None
        self._opened: tuple[bytes, Checkpoint] = (b"", Checkpoint(origin, 0, EMPTY_ROOT))

    def check(self, head: Head, recorded: bytes | None, tile: ReadTile) -> None:
        """Return if ``head`` is a state that the log's key signed and that continues what it signed last.

        Raises ``IntegrityError("log.corrupt")`` or ``RefusedError("log.rollback")``, and
        ``RefusedError("log.epoch")`` for a state by a key that the log got since this process began.
        """
        if self._began is None:
            self._began = head.epoch
        try:
            stated = self._open(head.checkpoint)
        except IntegrityError as error:
            if self._began == head.epoch:
                raise
            raise _other_epoch(self._began, head.epoch) from error
        held = Checkpoint(self._origin, head.size, root(head.peaks))
        if stated != held or len(head.peaks) != head.size.bit_count():
            raise IntegrityError("log.corrupt", "The head is not what its checkpoint states.", size=head.size)
        if recorded is not None and recorded != head.checkpoint:
            self._check_continues(self._open(recorded), head, tile, "last signed")

    def _check_continues(self, last: Checkpoint, head: Head, tile: ReadTile, which: str) -> None:
        held = Checkpoint(self._origin, head.size, root(head.peaks))
        if last.size > head.size:
            raise _rollback(f"The database is behind the {which} checkpoint.", last, held)
        nodes = TileNodes(head.size, stored(tile))
        if root_at(last.size, head, nodes) != last.root:
            raise _rollback(f"The database contradicts the {which} checkpoint.", last, held)

    def check_may_append(self, head: Head, tile: ReadTile) -> None:
        """Return if this process may add entries to a head that was checked.

        Raises ``RefusedError`` with ``log.rollback`` or ``log.epoch``.
        """
        self._check_published(head, tile)
        if self._epoch is None:
            self._epoch = head.epoch
        if self._epoch != head.epoch:
            raise _other_epoch(self._epoch, head.epoch)

    def moved(self, head: Head) -> None:
        """Take note of a head that this process made: it need not be opened again."""
        self._opened = (head.checkpoint, Checkpoint(self._origin, head.size, root(head.peaks)))
        self._epoch = head.epoch

    def _open(self, checkpoint: bytes) -> Checkpoint:
        """Return what one of our own checkpoints states; ``b""`` is that of the empty log."""
        if not checkpoint:
            return Checkpoint(self._origin, 0, EMPTY_ROOT)
        note, opened = self._opened
        if note != checkpoint:
            with corruption("A stored checkpoint is not signed by the log's key."):
                opened = open_checkpoint(checkpoint, self.verifiers)
            self._opened = (checkpoint, opened)
        return opened

    def _check_published(self, head: Head, tile: ReadTile) -> None:
        """Refuse a database that is older than what is published, also where the record was restored with it.

        What the publication holds of another log, or damaged, is for ``publish`` and ``fsck`` to say.
        """
        if self._published is None:
            return
        note, self._published = self._published(), None
        try:
            stated = open_checkpoint(note, self.verifiers) if note else None
        except RakkanError:
            return
        if stated is not None:
            self._check_continues(stated, head, tile, "published")


def _other_epoch(opened_in: int, now: int) -> RefusedError:
    words = "The log was recovered or got another key since this process opened it."
    return RefusedError("log.epoch", words, opened_in=opened_in, now=now)


def _rollback(message: str, last: Checkpoint, held: Checkpoint) -> RefusedError:
    return RefusedError(
        "log.rollback",
        message,
        signed_size=last.size,
        signed_root=last.root.hex(),
        held_size=held.size,
        held_root=held.root.hex(),
    )
