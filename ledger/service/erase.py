"""Erase the openings of an entry's commitments: afterwards nobody can open them, and every proof still holds.

* The erasure is an entry before it is a fact: first the statement by the registrar, then the openings. What a
  crash in between leaves, or a reader that holds the database's old pages, is completed by doing the same
  again; what the log declares erased already is not declared twice.
* What was never here cannot be declared erased: somebody else may have the opening.
* A database restored from a backup brings openings back. ``again`` erases whatever the log declares erased.
* Only a registrar's erasures are in the log (``admission``), so every one of them counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ledger.core.artifact import Artifact
from ledger.core.digest import sha256_hex
from ledger.core.disclosure import open_disclosure
from ledger.core.predicates import PREDICATES, Erasure, Predicate, Seal
from ledger.core.predicates.erasure import ErasureReason
from ledger.errors import RakkanError, RefusedError, UsageError
from ledger.service.archive import Archive
from ledger.service.record import keep_secrets
from ledger.service.studio import Device, Studio

UNREADABLE = "?"
"""Stands for the name in an opening that is damaged; it can be erased all the same."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What the log says of an erased commitment: the index of the erasure, and its time."""

    entry: int
    erased: datetime


@dataclass(frozen=True, slots=True)
class ErasurePlan:
    """What is to be erased of the entry ``index``.

    ``openings`` are those that are here: the name of each by its digest. ``declared`` are the chosen digests
    that the log declares erased already.
    """

    index: int
    openings: Mapping[str, str]
    declared: Mapping[str, Declared]


@dataclass(frozen=True, slots=True)
class Erased:
    """``entry`` is the index of the new erasure, ``None`` when the log had declared all of it before.

    ``openings`` counts those that were still here.
    """

    entry: int | None
    openings: int


def committing(studio: Studio, digest: str) -> int:
    """Return the index of the entry that commits to this digest. Reads the log from its beginning.

    Raises ``UsageError("erase.unknown")``.
    """
    kinds = (name for name, kind in PREDICATES.items() if hasattr(kind, "commitments"))
    for row in (row for kind in kinds for row in studio.entries.statements(kind)):
        if digest in _commitments(studio.statement(row.index).predicate):
            return row.index
    raise UsageError("erase.unknown", "No entry commits to this digest.", digest=digest)


def recording(studio: Studio, sha256: str) -> int:
    """Return the index of the newest step that made these bytes, or the file that was sealed to them.

    Raises ``UsageError("log.no-such-entry")``.
    """
    archive = Archive(studio)
    record = archive.made(sha256)
    if record is not None and isinstance(record.statement.predicate, Seal):
        place = [subject.sha256 for subject in record.statement.subjects].index(sha256)
        record = archive.recorded(record.statement.predicate.manifests[place].source)
    if record is None:
        raise UsageError("log.no-such-entry", "The log has no entry about these bytes.", sha256=sha256)
    return record.index


def plan(studio: Studio, index: int, *, digest: str | None = None, field: str | None = None) -> ErasurePlan:
    """Return what erasing the entry's openings would take away: all, or the one digest, or those of a field.

    Raises ``UsageError`` with ``log.no-such-entry``, ``erase.nothing`` for an entry that commits to nothing,
    ``erase.unknown`` for another entry's digest, and ``RefusedError("erase.not-here")``.
    """
    committed = _commitments(studio.statement(index).predicate)
    if not committed:
        raise UsageError("erase.nothing", f"Entry {index} commits to nothing.", index=index)
    if digest is not None and digest not in committed:
        raise UsageError("erase.unknown", f"Entry {index} has no such commitment.", digest=digest)
    chosen = committed if digest is None else (digest,)
    texts = {item: studio.openings.get(item) for item in chosen}
    openings = {item: _name(text, item) for item, text in texts.items() if text is not None}
    named = {item: name for item, name in openings.items() if field in (None, name)}
    known = declared(studio, index)
    found = ErasurePlan(index, named, {item: known[item] for item in chosen if item in known})
    # A misspelt field must not pass for one that was erased before.
    if not named and (openings or not found.declared):
        others = ", ".join(sorted(openings.values())) or "none"
        words = f"No such opening of entry {index} is here."
        raise RefusedError("erase.not-here", words, index=index, field=field, here=others)
    return found


def erase(
    studio: Studio, registrar: Device, chosen: ErasurePlan, reason: ErasureReason, note: str | None = None
) -> Erased:
    """Declare the erasure, then erase; on return the openings are gone from the database's files.

    ``note`` is committed to, and can be erased in its turn. Can be repeated until it has succeeded. Raises
    ``RefusedError`` with ``clock.…`` or ``key.…`` for the registrar, ``log.busy``, and the log's own errors.
    """
    now = studio.clock.now()
    registrar.check_clock(now)
    fresh = tuple(sorted(chosen.openings.keys() - chosen.declared.keys()))
    entry = None
    if fresh:
        secrets = {} if note is None else {"note": note}
        erasure = Erasure(now, fresh, reason, keep_secrets(studio.openings, secrets))
        entry = studio.state(registrar.signer, (subject_of(studio, chosen.index),), erasure).index
    return Erased(entry, studio.openings.erase(sorted({*chosen.openings, *chosen.declared})))


def again(studio: Studio) -> int:
    """Erase every opening that the log declares erased, and return how many had come back."""
    digests: set[str] = set()
    for row in studio.entries.statements(Erasure.TYPE):
        predicate = studio.statement(row.index).predicate
        digests.update(predicate.digests if isinstance(predicate, Erasure) else ())
    return studio.openings.erase(sorted(digests))


def declared(studio: Studio, index: int) -> dict[str, Declared]:
    """Return what the log declares erased of an entry, by digest: the first declaration of each."""
    found: dict[str, Declared] = {}
    for row in studio.entries.artifacts(sha256=subject_of(studio, index).sha256):
        predicate = studio.statement(row.index).predicate
        if isinstance(predicate, Erasure) and row.role == "subject":
            for digest in predicate.digests:
                found.setdefault(digest, Declared(row.index, predicate.erased))
    return found


def subject_of(studio: Studio, index: int) -> Artifact:
    """Return the entry as its erasure names it: the file that ``rakkan export`` writes."""
    return Artifact(f"entry-{index}.dsse.json", sha256_hex(studio.entries.envelope(index)))


def _commitments(predicate: Predicate) -> tuple[str, ...]:
    return getattr(predicate, "commitments", ())


def _name(text: str, digest: str) -> str:
    try:
        return open_disclosure(text, (digest,)).name
    except RakkanError:
        return UNREADABLE
