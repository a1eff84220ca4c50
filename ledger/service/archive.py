"""Look-ups of the log by digest, each asked of the database once.

An ``Archive`` is a view for one use (sealing a batch, answering one question): the frames of a shot share
their models, grants and signers, so their rows are read once. It does not see what is appended after it first
looked; what matters then is the log, which decides again on every append.

What it looks at is a ``Known``: a studio's own log, or what a server showed of one (``elsewhere``). What it
looked at stays with it, so that a server can send all of it at once (``bundle``).

A registration, a grant or an enrolment counts only when a registrar signed it: whoever steals a device's key
can add entries, but neither a licence nor a key, nor spoil the evidence of what others made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from ledger.core import envelope as dsse
from ledger.core.envelope import Envelope
from ledger.core.evidence import LoggedEnvelope
from ledger.core.identity import PublicKey, parse_public_key
from ledger.core.keyring import REGISTRARS_ONLY
from ledger.core.lineage import MAKES, Record
from ledger.core.predicates import (
    Dataset,
    Enrolment,
    Grant,
    GrantRevocation,
    LogKey,
    Model,
    Revocation,
    Seal,
    Step,
)
from ledger.core.predicates.enrolment import KeyRole
from ledger.core.statement import Statement
from ledger.core.trust import TrustRoot
from ledger.errors import RakkanError
from ledger.ports import ArtifactRow, Clock, ManifestCodec, ManifestStore, StatementRow
from ledger.service.log.projection import SEALED_FROM

MAX_REGISTRARS = 50
"""How many registrars may have enrolled one another in a row."""


class Rows(Protocol):
    """The entries by what they are about; see ``ports.EntryStore``."""

    def artifacts(self, *, sha256: str | None = None, pixels: str | None = None) -> Sequence[ArtifactRow]:
        """Return the rows that match the one criterion given, oldest entry first."""

    def statements(self, predicate_type: str) -> Sequence[StatementRow]:
        """Return every entry of this type, oldest first."""


class Known(Protocol):
    """A log, as far as it is known here. ``Studio`` is one that is known whole."""

    @property
    def entries(self) -> Rows:
        """The entries by what they are about."""

    @property
    def manifests(self) -> ManifestStore:
        """The manifest stores that the studio keeps."""

    @property
    def trust(self) -> TrustRoot:
        """Whom to believe."""

    @property
    def codec(self) -> ManifestCodec:
        """What reads and makes manifests."""

    @property
    def clock(self) -> Clock:
        """The time of day."""

    def envelope(self, index: int) -> Envelope:
        """Return an entry's envelope."""

    def statement(self, index: int) -> Statement:
        """Return what an entry states."""

    def logged(self, index: int) -> LoggedEnvelope:
        """Return an entry with a receipt."""


class Archive:
    """What the log says about digests.

    ``compact`` leaves out the manifests of files that were sealed here: their records stand in for them.
    """

    def __init__(self, studio: Known, *, compact: bool = False) -> None:
        self.studio = studio
        self._compact = compact
        self._rows: dict[str, Sequence[ArtifactRow]] = {}
        self._registrars: dict[str, PublicKey] = {
            key.keyid: key for key in map(parse_public_key, studio.trust.registrars)
        }
        self._counted: dict[int, bool] = {}
        self._stores: dict[str, tuple[str, bytes] | None] = {}
        self._announcements: list[int] | None = None

    @property
    def asked(self) -> Sequence[str]:
        """The digests whose rows were asked for so far."""
        return tuple(self._rows)

    def rows(self, sha256: str) -> Sequence[ArtifactRow]:
        """Return every row about these bytes, oldest entry first."""
        if sha256 not in self._rows:
            self._rows[sha256] = self.studio.entries.artifacts(sha256=sha256)
        return self._rows[sha256]

    def recorded(self, sha256: str) -> Record | None:
        """Return the newest step, dataset or model with these bytes as a subject; a seal does not count."""
        return self._newest(sha256, (Step, Dataset, Model))

    def made(self, sha256: str) -> Record | None:
        """Return the record that made these bytes: as ``recorded``, else the seal that did."""
        return self.recorded(sha256) or self._newest(sha256, MAKES)

    def sealed_as(self, sha256: str) -> str | None:
        """Return the digest under which this file was sealed: its own, or that of the file sealed from it."""
        for row in reversed(self.rows(sha256)):
            if row.role == SEALED_FROM:
                return self.studio.statement(row.index).subjects[row.position].sha256
        return sha256 if self._newest(sha256, (Seal,)) else None

    def sealed_from(self, sha256: str) -> str | None:
        """Return the digest that a sealed file had before, ``None`` for a file that was not sealed here."""
        for row in reversed(self.rows(sha256)):
            predicate = self.studio.statement(row.index).predicate
            if row.role == "subject" and isinstance(predicate, Seal):
                return predicate.manifests[row.position].source
        return None

    def manifest(self, sha256: str) -> tuple[str, bytes] | None:
        """Return the manifest store that speaks for these bytes, after the digest that it belongs to.

        It is our own seal's, or what the file brought with it when it was recorded as a material.
        """
        if sha256 not in self._stores:
            ours = self.sealed_as(sha256)
            left_out = self._compact and ours is not None and not self._newest(sha256, (Dataset, Model))
            store = None if left_out else self.studio.manifests.get(ours or sha256)
            self._stores[sha256] = (ours or sha256, store) if store else None
        return self._stores[sha256]

    def grants(self, sha256: str) -> list[int]:
        """Return the indices of the grants about a model or dataset and of their ends, oldest first."""
        kinds = (Grant, GrantRevocation)
        return [
            record.index for record in self._subjects(sha256) if isinstance(record.statement.predicate, kinds)
        ]

    def enrolments(self, index: int) -> list[int]:
        """Return what the log says of the entry's signer, and of that one's signer, up to the registrar.

        All of a key's enrolments: an older one covers a statement spooled across a renewal, and a newer one
        names the certificate that the file is sealed with. And its revocation: from some entry on, nothing
        that it signed may count.
        """
        found: list[int] = []
        queue = [index]
        while queue:
            keyid = self.studio.envelope(queue.pop()).signatures[0].keyid
            enrolled = [
                record.index
                for record in self._subjects(keyid)
                if isinstance(record.statement.predicate, Enrolment | Revocation)
                and record.index not in found
            ]
            found += enrolled
            queue += enrolled
        return found

    def announcements(self) -> list[int]:
        """Return where the log says that it has another key: what leads from an older trust root to it."""
        if self._announcements is None:
            rows = self.studio.entries.statements(LogKey.TYPE)
            self._announcements = [row.index for row in rows]
        return self._announcements

    def logged(self, indices: Iterable[int]) -> tuple[LoggedEnvelope, ...]:
        """Return entries with their receipts, each once, in the given order."""
        return tuple(self.studio.logged(index) for index in dict.fromkeys(indices))

    def _newest(self, sha256: str, kinds: tuple[type, ...]) -> Record | None:
        for record in reversed(self._subjects(sha256)):
            if isinstance(record.statement.predicate, kinds):
                return record
        return None

    def _subjects(self, sha256: str) -> list[Record]:
        return [record for record in self._claimed(sha256) if self._counts(record)]

    def _claimed(self, sha256: str) -> list[Record]:
        rows = [row for row in self.rows(sha256) if row.role == "subject"]
        return [Record(row.index, self.studio.statement(row.index)) for row in rows]

    def _counts(self, record: Record, depth: int = 0) -> bool:
        """Whether the entry is no registrar's business, or a registrar signed it."""
        if not isinstance(record.statement.predicate, REGISTRARS_ONLY):
            return True
        if record.index not in self._counted:
            self._counted[record.index] = self.by_registrar(record.index, depth)
        return self._counted[record.index]

    def by_registrar(self, index: int, depth: int = 0) -> bool:
        """Whether a registrar signed this entry. ``depth`` counts who enrolled whom on the way here."""
        envelope = self.studio.envelope(index)
        key = self._registrar(envelope.signatures[0].keyid, index, depth)
        try:
            if key is not None:
                dsse.verify(envelope, key)
        except RakkanError:
            return False
        return key is not None

    def _registrar(self, keyid: str, index: int, depth: int) -> PublicKey | None:
        """Return the registrar's key of this name, as known before ``index``."""
        if keyid in self._registrars:
            return self._registrars[keyid]
        for record in self._claimed(keyid):
            predicate = record.statement.predicate
            if not isinstance(predicate, Enrolment) or record.index >= index or depth > MAX_REGISTRARS:
                continue
            if predicate.role is KeyRole.REGISTRAR and self._counts(record, depth + 1):
                return parse_public_key(predicate.public_key)
        return None
