"""One entry, told: who signed it and whether that key counted, what it is about, what it says.

What stands in it only as a commitment is told as that. Nothing is opened here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ledger.core import canonical
from ledger.core import envelope as dsse
from ledger.core.artifact import Artifact
from ledger.core.envelope import Envelope
from ledger.core.keyring import KeyHistory, KeyRecord, stated_time
from ledger.core.statement import Statement
from ledger.errors import RakkanError
from ledger.service.erase import declared
from ledger.service.log.keys import Keys
from ledger.service.reading.entries import WORK, short
from ledger.service.reading.sight import Sight
from ledger.service.studio import Studio

_COMMITMENTS = "_sd"


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that signed an entry, and what the log says of it; ``trouble`` is why it does not count, if so.

    ``record`` is ``None`` where the log says nothing of the key.
    """

    keyid: str
    record: KeyRecord | None
    trouble: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """An entry. ``says`` is the predicate without its commitments; those are digests in ``commitments``.

    ``erased`` are the commitments that a later entry declares erased.
    """

    index: int
    envelope: bytes
    kind: str
    predicate_type: str
    signers: tuple[Signer, ...]
    subjects: tuple[Artifact, ...]
    is_work: bool
    says: Mapping[str, Any]
    commitments: tuple[str, ...]
    erased: frozenset[str]

    @property
    def text(self) -> str:
        """The envelope as text."""
        return self.envelope.decode()

    @property
    def is_plain(self) -> bool:
        """Whether a page shows these very bytes: nothing in them is invisible."""
        return self.envelope.isascii() and self.text.isprintable()


def told(studio: Studio, keys: Keys, index: int) -> Told:
    """Return an entry, for whoever may read entries. Raises ``log.no-such-entry``."""
    envelope, statement = studio.envelope(index), studio.statement(index)
    history, _ = keys.now()
    predicate_type = statement.predicate.TYPE
    commitments: list[str] = []
    says = _without(canonical.decode(envelope.payload)["predicate"], commitments)
    return Told(
        index,
        studio.entries.envelope(index),
        kind_of(predicate_type),
        predicate_type,
        tuple(_signer(history, envelope, statement, index, each.keyid) for each in envelope.signatures),
        statement.subjects,
        predicate_type in WORK,
        says,
        tuple(commitments),
        frozenset(declared(studio, index)),
    )


def line(studio: Studio, index: int, sight: Sight) -> dict[str, Any] | None:
    """Return an entry in a line, as ``short``; ``None`` where it is not theirs to read.

    What was done is work. All else states facts of the registry, and of that nothing is told without it.
    """
    is_work = studio.statement(index).predicate.TYPE in WORK
    allowed = sight.work if is_work else sight.work and sight.registry
    return short(studio, index) if allowed else None


def kind_of(predicate_type: str) -> str:
    """Return the kind of an entry: the name in its predicate type."""
    return predicate_type.rstrip("/").split("/")[-2]


def _signer(history: KeyHistory, envelope: Envelope, statement: Statement, index: int, keyid: str) -> Signer:
    record = None
    try:
        record = history.find(keyid, index, stated_time(statement.predicate))
        dsse.verify(envelope, record.key)
        history.check_suspect(keyid, index)
    except RakkanError as error:
        return Signer(keyid, record, error.code)
    return Signer(keyid, record, None)


def _without(value: Any, commitments: list[str]) -> Any:
    """Return a JSON value without its commitments, which are added to the list."""
    if isinstance(value, list):
        return [_without(item, commitments) for item in value]
    if not isinstance(value, dict):
        return value
    commitments += value.get(_COMMITMENTS, ())
    return {name: _without(item, commitments) for name, item in value.items() if name != _COMMITMENTS}
