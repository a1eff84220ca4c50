"""What the agent needs from outside: the spool, its own durable memory, and the way to the log.

A record is in exactly one place at every moment: in the spool until ``Chain.add`` has returned, in the chain
from then on. A crash in between leaves it in both, and the chain knows it by its identifier.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ledger.errors import RakkanError
from ledger.ports import ManifestStore
from ledger.service.stamps import Known, Stamp


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file of the spool. ``number`` is the hook's, 0 for none."""

    name: str
    number: int
    data: bytes


class Spool(Protocol):
    """The folder that hooks write to (docs/spec/capture.md)."""

    def waiting(self, limit: int) -> Sequence[Waiting]:
        """Return the records that wait, in the order of their names, at most ``limit``."""

    def listed(self, path: str) -> Sequence[bytes] | None:
        """Return the lines of a list that a hook left in the spool, or ``None`` for any other path."""

    def remove(self, names: Sequence[str], lists: Sequence[str]) -> None:
        """Remove records that the chain holds, and the lists that they named."""

    def hold(self, name: str, error: RakkanError) -> None:
        """Put a record aside, unchanged, with the reason beside it."""

    def release(self) -> int:
        """Put what was put aside back to the records that wait; return how many there were."""


class State(StrEnum):
    """How far a record has come."""

    SIGNED = "signed"
    REFUSED = "refused"
    COVERED = "covered"


@dataclass(frozen=True, slots=True)
class Link:
    """One signed record of the chain. ``record`` names the spooled record and the part of it.

    ``seal`` holds the files that are to be sealed once the log has the record.
    """

    sequence: int
    record: str
    envelope: bytes
    openings: Mapping[str, str]
    seal: tuple[str, ...] = ()


class Chain(Protocol):
    """The device's signed records for one log, durable."""

    def head(self) -> tuple[int, str | None]:
        """Return the next number, and the SHA-256 (hex) of the newest envelope."""

    def reconsider(self) -> None:
        """Count what the log refused among what it has not been offered."""

    def last_number(self) -> int:
        """Return the newest number of the spool that was taken in; 0 before the first."""

    def knows(self, records: Sequence[str]) -> frozenset[str]:
        """Return which of these identifiers of spooled records are in the chain."""

    def add(self, links: Sequence[Link], last_number: int | None) -> None:
        """Keep the records, and the number unless ``None``, together and durable on return."""

    def unsent(self, limit: int) -> Sequence[Link]:
        """Return the oldest records that the log has neither taken nor refused, at most ``limit``."""

    def settle(self, outcomes: Mapping[int, Receipted | RakkanError]) -> None:
        """Keep what became of records, by number. One that a checkpoint covers keeps its receipt."""

    def unshared(self, limit: int) -> Mapping[int, Mapping[str, str]]:
        """Return openings, by index of the entry, that the log has not been given."""

    def shared(self, indices: Sequence[int]) -> None:
        """Take note that the log has the openings of these entries."""

    def unsealed(self) -> Mapping[int, tuple[str, ...]]:
        """Return the files that are due to be sealed, by number of the record."""

    def sealed(self, sequences: Sequence[int]) -> None:
        """Take note that these records' files are sealed, or never will be."""

    def counts(self) -> Mapping[str, int]:
        """Return how many records are in each state, and ``unshared`` and ``unsealed``."""

    def forget(self, before: datetime) -> None:
        """Drop records that were signed before this time and need nothing more; the newest one stays."""


@dataclass(frozen=True, slots=True)
class Receipted:
    """The log's answer for a record: its index, and the receipt as a ``.tlog-proof``."""

    index: int
    receipt: bytes


class Uplink(Protocol):
    """The way to the log of one production."""

    def send(self, envelopes: Sequence[bytes]) -> Sequence[Receipted | RakkanError]:
        """Offer entries in order, and return what became of each.

        Raises ``UndecidedError("server.unreachable")``, or ``RefusedError`` with ``retry_after``, when none
        was looked at; the same may be sent again.
        """

    def share(self, openings: Mapping[int, Mapping[str, str]]) -> None:
        """Hand over openings, digest to disclosure, by index of the entry. Raises as ``send``."""


class KeptManifests(ManifestStore, Protocol):
    """The manifest stores of a device without a ledger, with those that the studio was not given yet."""

    def waiting(self) -> Sequence[tuple[str, str]]:
        """Return what the studio was not given: the asset's SHA-256 and the store's (hex)."""

    def shared(self, sha256: str, digest: str) -> None:
        """Take note that the studio has the store with this digest, durable on return."""


class Identities(Protocol):
    """Files by their bytes, so that the same bytes are hashed once."""

    def read(self, read: Iterable[str], shown: Iterable[str], states: Collection[Stamp]) -> None:
        """Read all of these files now; those that were ``shown`` are decoded, too.

        What is known of these earlier ``states`` is kept until the next time: reading a file that was saved
        over takes its older state out of what is remembered.
        """

    def remembered(self, stamp: Stamp) -> Known | None:
        """Return what a file was in an earlier state, if somebody read it then."""

    def identify(self, path: str) -> tuple[Known, Stamp] | None:
        """Return what the file is and the state of it that was read, or ``None`` when nobody can say."""
