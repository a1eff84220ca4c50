"""Who may add an entry: the rules of ``keyring``, applied before an entry gets its place.

* An entry is read, and its signatures are verified, before the log's transaction and outside its lock: that
  is the dear part, and it needs no more than the keys. Inside, it is judged by the state of its keys at the
  index that it is about to get, entries of the same batch included.
* Entries that other processes added are caught up with inside the transaction, so no revocation is missed.
* The log knows all its keys. What a verifier with less at hand could not decide is refused here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.envelope import Envelope
from ledger.core.identity import PublicKey
from ledger.core.keyring import KEY_STATEMENTS, KeyHistory, judge
from ledger.core.predicates import LogKey
from ledger.core.statement import Statement
from ledger.errors import RakkanError, RefusedError, UndecidedError
from ledger.ports import EntryTransaction
from ledger.service.log.projection import Rows, project, rows

_TYPES = tuple(kind.TYPE for kind in KEY_STATEMENTS)


Prepared = Any
"""What an admission made of an entry before the transaction. Only the admission looks into it."""


class Turn(Protocol):
    """The judge of one batch, inside its transaction."""

    def admit(self, index: int, prepared: Prepared) -> Rows:
        """Return the rows of an entry that may be added at this index; raise ``RakkanError`` otherwise."""

    def keep(self, size: int) -> None:
        """Take note that the batch is durable, and of the log's size after it."""


class Admission(Protocol):
    """Decides which entries a log takes."""

    def project(self, index: int, envelope: bytes) -> Rows:
        """Return the rows of an entry that the log holds; raise for bytes that are no valid entry."""

    def prepare(self, envelope: bytes) -> Prepared:
        """Do what can be done outside the transaction; raise ``RakkanError`` for what can never be added."""

    def turn(self, transaction: EntryTransaction, size: int) -> Turn:
        """Return the judge of a batch that begins at ``size``."""


@dataclass(frozen=True, slots=True)
class Read:
    """An entry as read, and the keyids whose signatures were verified."""

    envelope: Envelope
    statement: Statement
    verified: frozenset[str]


class KeyAdmission:
    """Admits what a key of the log ``origin`` signed that may say it. Implements ``Admission``.

    ``registrars`` and ``logs`` are the pinned keys, DER SubjectPublicKeyInfo. May be used by several threads.
    """

    def __init__(self, origin: str, registrars: Iterable[bytes], logs: Iterable[bytes]) -> None:
        self.origin = origin
        self._pinned = KeyHistory(registrars, logs)
        # One value, replaced as a whole: the keys known after so many entries. It is never changed in place.
        self._known = (self._pinned, 0)

    def project(self, index: int, envelope: bytes) -> Rows:
        """Return the rows of an entry that the log holds."""
        return project(index, envelope)

    def prepare(self, envelope: bytes) -> Read:
        """Read an entry and verify its signatures by the keys known so far.

        Raises ``MalformedError``, and ``IntegrityError("envelope.signature")``.
        """
        opened = dsse.decode(envelope)
        statement = statements.decode(opened.payload)
        history, _ = self._known
        verified = set()
        for signature in opened.signatures:
            key = history.key(signature.keyid)
            if key is not None:
                dsse.verify(opened, key)
                verified.add(signature.keyid)
        return Read(opened, statement, frozenset(verified))

    def turn(self, transaction: EntryTransaction, size: int) -> KeyTurn:
        """Return the judge of one batch for a log that has ``size`` entries."""
        history, known = self._known
        if known > size:  # an older database came back; the rollback guard has its own say
            history, known = self._pinned, 0
        added = transaction.statements(_TYPES, known) if known < size else ()
        if added:
            history = history.copy()
        for row in added:
            envelope = dsse.decode(transaction.envelope(row.index))
            try:
                judge(history, row.index, envelope, statements.decode(envelope.payload))
            except RakkanError:
                continue  # from before admission was judged: verifiers refuse it too
        return KeyTurn(self, history)

    def keep(self, history: KeyHistory, size: int) -> None:
        """Remember the keys as they are after ``size`` entries that are durable."""
        self._known = (history, size)


class KeyTurn:
    """The keys as one batch finds and changes them."""

    def __init__(self, admission: KeyAdmission, history: KeyHistory) -> None:
        self._admission = admission
        self._history = history
        self._copied = False

    def keep(self, size: int) -> None:
        """Take note that the batch is durable, and of the log's size after it."""
        self._admission.keep(self._history, size)

    def admit(self, index: int, prepared: Read) -> Rows:
        """Return the rows of the entry that is about to get ``index``.

        Raises ``RefusedError`` with ``key.unknown``, ``key.not-valid``, ``key.revoked`` or
        ``envelope.unsigned``, and ``IntegrityError("envelope.signature")``.
        """
        predicate = prepared.statement.predicate
        if isinstance(predicate, KEY_STATEMENTS) and not self._copied:
            self._history, self._copied = self._history.copy(), True
        if isinstance(predicate, LogKey) and predicate.origin != self._admission.origin:
            raise RefusedError(
                "key.not-valid", "This key is announced for another log.", origin=predicate.origin
            )

        def verify(envelope: Envelope, key: PublicKey) -> None:
            if key.keyid not in prepared.verified:
                dsse.verify(envelope, key)

        try:
            judge(self._history, index, prepared.envelope, prepared.statement, verify)
        except UndecidedError as error:
            raise RefusedError(error.code, error.message, **error.evidence) from error
        return rows(index, prepared.envelope, prepared.statement)
