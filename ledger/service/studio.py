"""What every use case works with: the studio's ports, and the device that acts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock
from typing import Any

from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.artifact import Artifact
from ledger.core.envelope import Envelope
from ledger.core.evidence import LoggedEnvelope
from ledger.core.manifest import ClaimCredential
from ledger.core.predicates import Predicate
from ledger.core.receipt import format_receipt
from ledger.core.rights.facts import FactRecord, Facts
from ledger.core.statement import Statement
from ledger.core.trust import TrustRoot
from ledger.errors import RefusedError
from ledger.ports import (
    CheckpointStore,
    Clock,
    EntryStore,
    ManifestCodec,
    ManifestStore,
    OpeningStore,
    PixelReader,
    Signer,
)
from ledger.service.clear.store import BasisStore
from ledger.service.log import receipts
from ledger.service.log.sequence import Appended, Log
from ledger.service.reading.store import ReadingStore

KEPT_ENTRIES = 4096
"""How many entries a process keeps decoded: the registry and the recent steps of a busy production."""


@dataclass(slots=True)
class KeptFacts:
    """The registry's facts as last read: those of the first ``size`` entries, and views by known time.

    To be read and changed by whoever holds ``turn``.
    """

    turn: RLock = field(default_factory=RLock)
    size: int = 0
    records: tuple[FactRecord, ...] = ()
    views: dict[datetime | None, Facts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Studio:
    """One production's log with everything around it."""

    production: str
    log: Log
    entries: EntryStore
    openings: OpeningStore
    checkpoints: CheckpointStore
    manifests: ManifestStore
    codec: ManifestCodec
    pixels: PixelReader
    clock: Clock
    trust: TrustRoot
    bases: BasisStore
    rows: ReadingStore
    facts: KeptFacts = field(default_factory=KeptFacts, repr=False, compare=False)
    catching_up: RLock = field(default_factory=RLock, repr=False, compare=False)
    _read: dict[int, Envelope] = field(default_factory=dict, repr=False, compare=False)
    _stated: dict[int, Statement] = field(default_factory=dict, repr=False, compare=False)
    _logged: dict[int, LoggedEnvelope] = field(default_factory=dict, repr=False, compare=False)

    def state(self, signer: Signer, subjects: tuple[Artifact, ...], predicate: Predicate) -> Appended:
        """Sign a statement, append it, and return its index with its receipt, durable."""
        payload = statements.encode(Statement(subjects, predicate))
        return self.append(dsse.sign(payload, signer))

    def append(self, envelope: bytes) -> Appended:
        """Append an entry, and return its index with its receipt, durable."""
        return self.log.append([envelope])[0]

    def envelope(self, index: int) -> Envelope:
        """Return an entry's envelope. Entries never change, so what was read once is kept."""
        found = self._read.get(index)
        if found is None:
            _make_room(self._read)
            found = self._read[index] = dsse.decode(self.entries.envelope(index))
        return found

    def statement(self, index: int) -> Statement:
        """Return what an entry states."""
        found = self._stated.get(index)
        if found is None:
            _make_room(self._stated)
            found = self._stated[index] = statements.decode(self.envelope(index).payload)
        return found

    def logged(self, index: int) -> LoggedEnvelope:
        """Return an entry with a receipt. A receipt is good for ever, so the first one is kept."""
        found = self._logged.get(index)
        if found is None:
            _make_room(self._logged)
            receipt = format_receipt(receipts.receipt(self.log, self.checkpoints, index))
            found = self._logged[index] = LoggedEnvelope(self.entries.envelope(index), receipt)
        return found


@dataclass(frozen=True, slots=True)
class Device:
    """An enrolled workstation, render node or service: its statement key and its claim credential."""

    name: str
    signer: Signer
    credential: ClaimCredential
    enrolled_from: datetime
    enrolled_until: datetime

    def check_clock(self, now: datetime) -> None:
        """Refuse to sign outside the enrolment: nobody could verify the statement later.

        Raises ``RefusedError`` with ``clock.before-enrolment``, or ``key.not-valid`` when it has ended.
        """
        if now < self.enrolled_from:
            raise RefusedError(
                "clock.before-enrolment",
                f"It is {now:%Y-%m-%d %H:%M} here, but the device “{self.name}” was enrolled only at "
                f"{self.enrolled_from:%Y-%m-%d %H:%M}.",
                device=self.name,
            )
        if now >= self.enrolled_until:
            raise RefusedError(
                "key.not-valid", f"The enrolment of the device “{self.name}” has ended.", device=self.name
            )


def _make_room(kept: dict[int, Any]) -> None:
    if len(kept) >= KEPT_ENTRIES:
        kept.clear()
