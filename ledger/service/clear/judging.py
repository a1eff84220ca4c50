"""Whose word each entry is: the rules of ``keyring``, over the whole log, in its order.

* An entry that the log should not have taken is kept, with its flaw: what was made of it carries that on.
* A revocation may say from which entry on its key was in strange hands. That reaches back, so the entries
  since then are judged again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.envelope import Envelope
from ledger.core.keyring import KEY_STATEMENTS, KeyHistory, KeyRecord, judge
from ledger.core.predicates import Dataset, Finding, Model, Revocation, Seal, Step, types_of
from ledger.core.statement import Statement
from ledger.errors import IntegrityError, MalformedError, RakkanError
from ledger.service.clear.batch import Taken
from ledger.service.studio import Studio

_JUDGED = (Step, Seal, Dataset, Model, Finding, *KEY_STATEMENTS)


class Judge:
    """Judges the entries from ``start`` on, in order."""

    def __init__(self, studio: Studio, start: int) -> None:
        self._studio = studio
        self._history = KeyHistory(studio.trust.registrars, studio.trust.log_keys(studio.log.origin))
        kinds = [kind for each in KEY_STATEMENTS for kind in types_of(each)]
        rows = [row.index for kind in kinds for row in studio.entries.statements(kind)]
        for index in sorted(index for index in rows if index < start):
            self._signer(index, studio.envelope(index), studio.statement(index))

    def take(self, start: int, envelopes: Sequence[bytes]) -> tuple[list[Taken], dict[int, str]]:
        """Return the entries as judged, and by index the flaws that older ones have only now.

        Raises ``IntegrityError("log.corrupt")`` for an entry that is no statement any more.
        """
        read, ended = [], list[tuple[str, int]]()
        for index, data in enumerate(envelopes, start):
            envelope, statement = _read(index, data)
            read.append((index, statement, self._signer(index, envelope, statement)))
            predicate = statement.predicate
            if isinstance(predicate, Revocation) and predicate.suspect_from is not None:
                ended.append((statement.subjects[0].sha256, predicate.suspect_from))
        # Only now: a revocation in the batch may reach back to entries before it.
        taken = [Taken(index, statement, self._flaw(signer, index)) for index, statement, signer in read]
        return taken, {index: flaw for index in self._reached(ended, start) if (flaw := self._again(index))}

    def _signer(self, index: int, envelope: Envelope, statement: Statement) -> KeyRecord | str | None:
        """Return who signed, or the code of why that does not count; ``None`` where nobody asks."""
        if not isinstance(statement.predicate, _JUDGED):
            return None
        try:
            return judge(self._history, index, envelope, statement)
        except RakkanError as error:
            return error.code

    def _flaw(self, signer: KeyRecord | str | None, index: int) -> str:
        if not isinstance(signer, KeyRecord):
            return signer or ""
        try:
            self._history.check_suspect(signer.key.keyid, index)
        except RakkanError as error:
            return error.code
        return ""

    def _again(self, index: int) -> str:
        statement = self._studio.statement(index)
        if isinstance(statement.predicate, KEY_STATEMENTS):
            return ""
        return self._flaw(self._signer(index, self._studio.envelope(index), statement), index)

    def _reached(self, ended: Sequence[tuple[str, int]], stop: int) -> Iterator[int]:
        """Yield the entries before ``stop`` that a key signed which was in strange hands then."""
        for keyid, first in ended:
            for index, data in enumerate(self._studio.entries.envelopes(first, stop), first):
                if any(signature.keyid == keyid for signature in dsse.decode(data).signatures):
                    yield index


def _read(index: int, data: bytes) -> tuple[Envelope, Statement]:
    """Return an entry. The log took it well formed: if it is not, it was altered since."""
    try:
        envelope = dsse.decode(data)
        return envelope, statements.decode(envelope.payload)
    except MalformedError as error:
        words = f"Entry {index} is no statement any more: it was altered since the log took it."
        raise IntegrityError("log.corrupt", words, index=index, why=error.code) from error
