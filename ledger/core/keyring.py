"""Who may sign what, at which point of the log.

Rules:

* the trust root pins the registrars' keys and the log's own; every other key is admitted by an enrolment
  that a registrar already known *at that index* signed;
* a registrar signs the keys and the registry; a device signs steps, seals and what it saw (training runs,
  calls to services, findings that it opens): a stolen workstation cannot grant itself a licence. That secrets
  were shown is signed by the device ``server`` and by no other;
* an enrolment counts for entries after its index, and for statements made within its validity. The newest one
  before the entry decides the role; a step made before a renewal and logged after it (a spool) falls into the
  validity of the older one, so that one still counts for it;
* a revocation counts for entries after its index, and nothing enrols the key again. Entries from its
  ``suspectFrom`` on can no longer be decided;
* a key of the log is announced by an entry that a key of the log and the new key signed, and retired by one
  that another key of the log signed;
* of several signatures, those by unknown keys count for nothing, each by a known key must hold, and one must
  be by a key that may make the statement;
* evidence may be incomplete: that no enrolment *at hand* covers a statement is undecided. That the enrolment
  at hand forbids it (a device granting a licence) is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from ledger.core import envelope as dsse
from ledger.core.envelope import Envelope
from ledger.core.identity import PublicKey, parse_public_key
from ledger.core.predicates import (
    AuditReport,
    Dataset,
    Decided,
    DisclosureAccess,
    Enrolment,
    Erasure,
    Fact,
    Finding,
    Grant,
    Incident,
    Label,
    LogKey,
    LostRecord,
    Model,
    Predicate,
    Revocation,
    Seal,
    ServiceCall,
    Step,
    TrainingRun,
)
from ledger.core.predicates.disclosure_access import SERVER
from ledger.core.predicates.enrolment import KeyRole
from ledger.core.predicates.finding import FindingState
from ledger.core.predicates.log_key import LogKeyState
from ledger.core.statement import Statement
from ledger.errors import RakkanError, RefusedError, UndecidedError

_REGISTRY = tuple(kind for kind in get_args(Fact) if kind is not Finding)
REGISTRARS_ONLY = (
    *(AuditReport, Label, Enrolment, Revocation, Dataset, Decided, Model, Grant, Erasure),
    *_REGISTRY,
)
"""What counts only when a registrar signed it. A finding may be opened by a device, and closed by none."""

MAY_SIGN: dict[KeyRole | None, tuple[type, ...]] = {
    KeyRole.REGISTRAR: (*REGISTRARS_ONLY, Incident, Seal, TrainingRun, Finding),
    KeyRole.DEVICE: (Step, Seal, ServiceCall, TrainingRun, Finding, LostRecord, DisclosureAccess),
    None: (LogKey,),
}
"""By role; ``None`` is a key of the log itself."""

KEY_STATEMENTS = (Enrolment, Revocation, LogKey)
"""The predicates that change which keys there are."""

Verify = Callable[[Envelope, PublicKey], None]


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key that the log admitted.

    ``index`` is its enrolment's; ``None`` for a key that the trust root pins. ``role`` is ``None`` for a key
    of the log itself.
    """

    key: PublicKey
    role: KeyRole | None
    device: str
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    certificate: str | None = None
    index: int | None = None

    def covers(self, moment: datetime | None) -> bool:
        """Whether the moment is in the validity: always, where one of the two has no times."""
        if moment is None or self.valid_from is None or self.valid_until is None:
            return True
        return self.valid_from <= moment < self.valid_until


@dataclass(frozen=True, slots=True)
class _End:
    """Where a key ended, and from where on it is suspect."""

    index: int
    suspect_from: int | None


class KeyHistory:
    """The keys of one log, growing as entries about keys are admitted in the order of the log.

    ``registrars`` and ``logs`` are the pinned keys, DER SubjectPublicKeyInfo.
    """

    def __init__(self, registrars: Iterable[bytes], logs: Iterable[bytes] = ()) -> None:
        self._records: dict[str, tuple[KeyRecord, ...]] = {}
        self._ends: dict[str, _End] = {}
        for role, device, pinned in ((None, "log", logs), (KeyRole.REGISTRAR, "registrar", registrars)):
            for key in map(parse_public_key, pinned):
                self._records[key.keyid] = (KeyRecord(key, role, device),)

    def copy(self) -> KeyHistory:
        """Return a history that grows apart from this one."""
        other = KeyHistory(())
        other._records, other._ends = dict(self._records), dict(self._ends)
        return other

    def key(self, keyid: str) -> PublicKey | None:
        """Return the key of this name, in whatever state it is."""
        records = self._records.get(keyid)
        return records[0].key if records else None

    def find(self, keyid: str, index: int, moment: datetime | None = None) -> KeyRecord:
        """Return the newest record of the key before ``index``.

        With a ``moment``, an older record of the same role that covers it comes before a newer one that does
        not. Raises ``RefusedError("key.revoked")``, and ``UndecidedError``: ``key.unknown`` for a key without
        a record, ``key.not-valid`` for one whose records at hand are all newer than the entry. Neither of
        these two proves anything.
        """
        records = self._records.get(keyid)
        if not records:
            raise UndecidedError(
                "key.unknown", "The log, as far as it is at hand, has no such key.", keyid=keyid
            )
        end = self._ends.get(keyid)
        if end is not None and end.index < index:
            raise RefusedError(
                "key.revoked", "The key had ended when the entry was made.", keyid=keyid, revoked_at=end.index
            )
        earlier = [record for record in records if record.index is None or record.index < index]
        if not earlier:
            raise UndecidedError(
                "key.not-valid",
                "The entry is older than the enrolments of its key that are at hand.",
                keyid=keyid,
                index=index,
            )
        newest = earlier[-1]
        fits = (item for item in reversed(earlier) if item.role is newest.role and item.covers(moment))
        return next(fits, newest)

    def check_suspect(self, keyid: str, index: int) -> None:
        """Return if nobody but its holder can have signed this entry, as far as the revocations know.

        Raises ``UndecidedError("key.suspect")``.
        """
        end = self._ends.get(keyid)
        if end is not None and end.suspect_from is not None and index >= end.suspect_from:
            raise UndecidedError(
                "key.suspect",
                "The studio says that somebody else may have held the key when the entry was made.",
                keyid=keyid,
                suspect_from=end.suspect_from,
            )

    def suspect_from(self, keyid: str) -> int | None:
        """Return the first entry that somebody else may have signed with the key; ``None`` for none."""
        end = self._ends.get(keyid)
        return end.suspect_from if end else None

    def certificates(self, keyid: str) -> frozenset[str]:
        """Return the SHA-256 (hex) of every claim certificate that the key was enrolled with."""
        return frozenset(item.certificate for item in self._records.get(keyid, ()) if item.certificate)

    def states(self) -> list[tuple[KeyRecord, int | None]]:
        """Return the newest record of every key, and the index at which the key ended, if it did."""
        ends = ((records[-1], self._ends.get(keyid)) for keyid, records in self._records.items())
        return [(record, end.index if end else None) for record, end in ends]

    def admit(self, statement: Statement, index: int) -> None:
        """Take in what an entry says of keys. The caller has judged its signatures.

        Raises ``RefusedError("key.revoked")`` for the enrolment of a key that had ended.
        """
        predicate, keyid = statement.predicate, statement.subjects[0].sha256
        if isinstance(predicate, Revocation):
            self._ends.setdefault(keyid, _End(index, predicate.suspect_from))
        elif isinstance(predicate, LogKey) and predicate.state is LogKeyState.RETIRED:
            self._ends.setdefault(keyid, _End(index, None))
        elif isinstance(predicate, LogKey):
            self._add(KeyRecord(parse_public_key(predicate.public_key), None, "log", index=index))
        elif isinstance(predicate, Enrolment):
            self._add(_enrolled(predicate, index))

    def _add(self, record: KeyRecord) -> None:
        keyid = record.key.keyid
        if keyid in self._ends:
            raise RefusedError("key.revoked", "A key that has ended is not admitted again.", keyid=keyid)
        self._records[keyid] = (*self._records.get(keyid, ()), record)


def judge(
    history: KeyHistory, index: int, envelope: Envelope, statement: Statement, verify: Verify = dsse.verify
) -> KeyRecord:
    """Return who signed the entry; what it says of keys is admitted to ``history``.

    Entries are judged in the order of the log. ``verify`` is ``envelope.verify``, or one that remembers.
    Raises ``key.unknown`` or ``key.not-valid`` (undecided), ``key.not-valid`` (refused, for a role that may
    not say this) or ``key.revoked`` (refused), ``envelope.signature`` (integrity), ``envelope.unsigned``
    (undecided, for an announcement that the new key did not sign), ``key.malformed`` for no key at all.
    """
    predicate = statement.predicate
    signers, problems = _known_signers(history, index, envelope, predicate, verify)
    for record in signers:
        try:
            _check(record, envelope, predicate, verify)
        except RakkanError as error:
            problems.append(error)
            continue
        if isinstance(predicate, KEY_STATEMENTS):
            history.admit(statement, index)
        return record
    raise next((item for item in problems if not isinstance(item, UndecidedError)), problems[0])


def check_may_sign(record: KeyRecord, predicate: Predicate) -> None:
    """Return if the key may sign this statement.

    Raises ``RefusedError("key.not-valid")`` when its role forbids it, and ``UndecidedError("key.not-valid")``
    when the statement was made outside the record's validity: another enrolment may cover it.
    """
    evidence = {"keyid": record.key.keyid, "device": record.device}
    closes = isinstance(predicate, Finding) and predicate.state is not FindingState.OPEN
    shows = isinstance(predicate, DisclosureAccess) and record.device != SERVER
    barred = shows or (closes and record.role is KeyRole.DEVICE)
    if not isinstance(predicate, MAY_SIGN[record.role]) or barred:
        words = f"A {record.role.value if record.role else 'log'} key may not sign {predicate.TYPE}."
        raise RefusedError("key.not-valid", words, **evidence)
    if not record.covers(stated_time(predicate)):
        words = "The statement was made outside the validity of its key, by the enrolments at hand."
        raise UndecidedError("key.not-valid", words, **evidence)


def stated_time(predicate: Predicate) -> datetime | None:
    """Return the moment at which the signer says it acted, where the predicate says so."""
    if isinstance(predicate, Step | TrainingRun | ServiceCall | LostRecord):
        return predicate.finished
    if isinstance(predicate, Seal):
        return predicate.sealed
    if isinstance(predicate, DisclosureAccess):
        return predicate.accessed
    return predicate.recorded if isinstance(predicate, Fact | Label | Decided) else None


def _enrolled(enrolment: Enrolment, index: int) -> KeyRecord:
    return KeyRecord(
        parse_public_key(enrolment.public_key),
        enrolment.role,
        enrolment.device,
        enrolment.valid_from,
        enrolment.valid_until,
        enrolment.certificate,
        index,
    )


def _check(record: KeyRecord, envelope: Envelope, predicate: Predicate, verify: Verify) -> None:
    check_may_sign(record, predicate)
    if not isinstance(predicate, LogKey):
        return
    key = parse_public_key(predicate.public_key)
    if record.key.keyid == key.keyid:
        raise RefusedError("key.not-valid", "Another key of the log must sign this.", keyid=key.keyid)
    if predicate.state is LogKeyState.ANNOUNCED:
        verify(envelope, key)


def _known_signers(
    history: KeyHistory, index: int, envelope: Envelope, predicate: Predicate, verify: Verify
) -> tuple[list[KeyRecord], list[RakkanError]]:
    """Return the keys at hand that signed the entry, and why the other signatures do not count."""
    moment = stated_time(predicate)
    signers: list[KeyRecord] = []
    problems: list[RakkanError] = []
    for signature in envelope.signatures:
        try:
            record = history.find(signature.keyid, index, moment)
        except (UndecidedError, RefusedError) as error:
            problems.append(error)
            continue
        verify(envelope, record.key)
        signers.append(record)
    return signers, problems
