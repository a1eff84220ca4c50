"""State facts: check them, sign them and append them, all of them or none.

* What is stated already, with the same content, is not stated again.
* Secrets are committed to; their openings are durable before the first entry that commits to them is.
* A dataset or a model whose file is here gets a C2PA manifest of its own afterwards, a sidecar bound to the
  SHA-256 of its list or its weights, which every frame made with it carries as an ingredient.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.artifact import Artifact
from ledger.core.disclosure import SALT_BYTES, Disclosure, commit
from ledger.core.predicates import Predicate
from ledger.core.statement import Statement
from ledger.errors import RefusedError
from ledger.service.archive import Archive
from ledger.service.log.sequence import Appended, Condition
from ledger.service.rights.checks import check
from ledger.service.rights.kinds import draft_of
from ledger.service.rights.reading import records_of
from ledger.service.rights.registry import Registry, Stated
from ledger.service.rights.tables import Desk, Draft, Readers
from ledger.service.seal import seal
from ledger.service.studio import Device, Studio


@dataclass(frozen=True, slots=True)
class Planned:
    """A draft that may be stated. With ``again``, ``stated`` says the same: nothing is to be done."""

    draft: Draft
    stated: Stated
    again: bool
    notes: tuple[str, ...] = ()


Also = Callable[[Sequence[bytes]], Sequence[bytes]]
"""Makes the entries that go along with those that were signed."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A fact as the log has it: its entry, how statements name its first subject, and whether it is new."""

    index: int
    artifact: Artifact
    fresh: bool
    notes: tuple[str, ...] = ()


def desk_of(studio: Studio, readers: Readers, **places: Any) -> Desk:
    """Return a desk with the registry as the log has it. ``places`` are the other fields of ``Desk``."""
    unsealed = Archive(studio).sealed_from
    return Desk(Registry(records_of(studio)), studio.clock, readers, unsealed=unsealed, **places)


def register(
    studio: Studio, registrar: Device, desk: Desk, kind: str, table: object, *, anyway: bool = False
) -> Registered:
    """State one fact, given as a table of this kind, durable on return. Its file is not sealed yet.

    Raises as ``kinds.draft_of`` and ``plan``, and the log's own errors; then nothing was stated.
    """
    registrar.check_clock(desk.now)
    return state(studio, registrar, [plan(studio, desk, draft_of(desk, kind, table), anyway=anyway)])[0]


def plan(studio: Studio, desk: Desk, draft: Draft, *, anyway: bool = False) -> Planned:
    """Check a draft against all that is stated and planned, and take it into the desk's registry.

    Raises ``MalformedError`` with ``statement.…`` for a draft that makes no sense, and what ``checks.check``
    raises.
    """
    statement = Statement(draft.subjects, draft.predicate)
    # Some rules look at the commitments. These are of no salt, and go nowhere.
    trial = [commit(bytes(SALT_BYTES), name, value) for name, value in draft.secrets.items()]
    statements.encode(Statement(draft.subjects, _committed(draft.predicate, trial)))
    same = desk.registry.same(statement, draft.secrets, studio.openings)
    if same is not None:
        return Planned(draft, same, again=True)
    notes = check(desk.registry, statement, desk.now, anyway=anyway)
    return Planned(
        draft, desk.registry.add(statement, secrets=draft.secrets), again=False, notes=draft.notes + notes
    )


def state(
    studio: Studio,
    registrar: Device,
    planned: Sequence[Planned],
    also: Also | None = None,
    condition: Condition | None = None,
) -> list[Registered]:
    """Sign and append what is new, in one batch, durable on return; return every fact in the same order.

    ``also`` gives what the batch holds besides, and ``condition`` what must be so when it is added. Raises
    ``RefusedError`` (``clock.…``, ``key.not-valid``), ``MalformedError("envelope.too-large")``, what
    ``condition`` raises, and the log's own errors; then nothing was stated.
    """
    registrar.check_clock(studio.clock.now())
    fresh = [item for item in planned if not item.again]
    disclosures = [_disclosures(item.draft) for item in fresh]
    envelopes = [
        _signed(item.draft, given, registrar) for item, given in zip(fresh, disclosures, strict=True)
    ]
    envelopes += also(envelopes) if also is not None else []
    offers = [studio.log.offer(envelope) for envelope in envelopes]
    openings = {item.digest: item.text for given in disclosures for item in given}
    if openings:
        studio.openings.put(openings)
    try:
        places = studio.log.commit(offers, together=True, condition=condition)
    except RefusedError as error:
        if error.code == "decide.changed":  # nothing was added, so nothing would ever erase them
            studio.openings.erase(sorted(openings))
        raise
    for item, place in zip(fresh, places, strict=False):  # what goes along stands behind them
        if isinstance(place, Appended):
            item.stated.index = place.index
    return [
        Registered(index, item.draft.subjects[0], not item.again, item.notes)
        for item in planned
        if (index := item.stated.index) is not None
    ]


def seal_files(studio: Studio, registrar: Device, planned: Sequence[Planned]) -> list[Path]:
    """Give the files of datasets and models their manifests, where they have none; return these files.

    In the order given: each manifest carries those of what it rests on. Raises as ``seal.seal``.
    """
    files = [item.draft.seal for item in planned if item.draft.seal is not None]
    for path in files:
        seal(studio, registrar, [path], skip_sealed=True)
    return files


def _disclosures(draft: Draft) -> list[Disclosure]:
    return [commit(os.urandom(SALT_BYTES), name, value) for name, value in draft.secrets.items()]


def _signed(draft: Draft, disclosures: Sequence[Disclosure], registrar: Device) -> bytes:
    predicate = _committed(draft.predicate, disclosures)
    return dsse.sign(statements.encode(Statement(draft.subjects, predicate)), registrar.signer)


def _committed(predicate: Predicate, disclosures: Sequence[Disclosure]) -> Predicate:
    if not disclosures:
        return predicate
    # Sorted, so that the order does not tell which digest is of what (RFC 9901 §4.2.4.1).
    digests = tuple(sorted(item.digest for item in disclosures))
    # Only kinds that have the member are drafted with secrets; a union of types cannot say so.
    drafted: Any = predicate
    committed: Predicate = replace(drafted, commitments=digests)
    return committed
