"""Seals that were begun and not finished: a device whose log is elsewhere may lose the line in between.

* Before the entry leaves the device, it is written down with the scratch files that wait for it. Whatever
  happens then, the same entry is sent again and the same files take their places: nothing is sealed twice.
* A file that somebody changed in the meantime stays as it is; what was made from its older state is removed.
* Only the log's own refusal ends a seal that was begun. Until it answers, nothing else is sealed.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ledger.core.containers.jumbf import MAX_STORE
from ledger.errors import RakkanError, RefusedError, UsageError
from ledger.ports import ManifestCodec, ManifestStore
from ledger.service import files
from ledger.service.log.sequence import Appended


@dataclass(frozen=True, slots=True)
class BegunFile:
    """One file: its digests (hex) before and after; (scratch, final) pairs, the one with the manifest last.

    ``embedded``: the manifest is inside the file.
    """

    target: Path
    source: str
    sealed: str
    embedded: bool
    moves: tuple[tuple[Path, Path], ...]


@dataclass(frozen=True, slots=True)
class Begun:
    """An entry that the log may or may not have, and the files that it seals."""

    envelope: bytes
    files: tuple[BegunFile, ...]


class Journal(Protocol):
    """Where seals that were begun are kept, durable on return."""

    def alone(self) -> AbstractContextManager[None]:
        """Wait until nobody else seals with this journal, and keep others out while the block runs."""

    def begin(self, begun: Begun) -> None:
        """Keep it."""

    def begun(self) -> Sequence[Begun]:
        """Return what was begun and not ended, in no order."""

    def end(self, begun: Begun) -> None:
        """Forget it."""


class Appending(Protocol):
    """What finishing needs of ``seal.SealingLog``."""

    @property
    def manifests(self) -> ManifestStore:
        """Where manifests are kept."""

    @property
    def codec(self) -> ManifestCodec:
        """What reads manifests."""

    def append(self, envelope: bytes) -> Appended:
        """Append an entry; the same again keeps its first index."""


def refused(error: BaseException) -> bool:
    """Whether the log has looked at the entry and will not have it."""
    return isinstance(error, RefusedError) and "retry_after" not in error.evidence


def finish(log: Appending, journal: Journal) -> list[tuple[BegunFile, Appended]]:
    """Finish what was begun, and return the files that are sealed now. Raises what the log answers.

    What the log refuses is forgotten: its files are as they were.
    """
    done: list[tuple[BegunFile, Appended]] = []
    for begun in journal.begun():
        try:
            appended = log.append(begun.envelope)
        except RakkanError as error:
            if not refused(error):
                raise
            discard(begun)
        else:
            done += [(item, appended) for item in begun.files if _placed(log, item)]
        journal.end(begun)
    return done


def discard(begun: Begun) -> None:
    """Remove the scratch files."""
    for scratch, _ in (move for item in begun.files for move in item.moves):
        files.discard(scratch)


def _unchanged(item: BegunFile) -> bool:
    """Whether the target is not there, or is still what was to be sealed, or is the sealed file already."""
    try:
        return not item.target.exists() or files.identify(item.target).sha256 in (item.source, item.sealed)
    except UsageError:
        return False  # it is something else now, which nobody here can read


def _placed(log: Appending, item: BegunFile) -> bool:
    """Put one file into its place unless it is there; whether it is there now."""
    waiting = [(scratch, final) for scratch, final in item.moves if scratch.exists()]
    if not waiting:
        return item.moves[-1][1].exists()
    if not _unchanged(item):
        for scratch, _ in waiting:
            files.discard(scratch)
        return False
    carrier = waiting[-1][0]
    store = log.codec.store(carrier) if item.embedded else files.read_whole(carrier, MAX_STORE + 1)
    if store is not None:
        log.manifests.put(item.sealed, store)
    for scratch, final in waiting:
        files.replace(scratch, final)
    return True
