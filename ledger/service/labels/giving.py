"""Giving a label, and taking it back: each is an entry that the registrar signs.

* What a label says is taken from an issued report, or from the newest verdict on record about a file. Only
  its identifier and its public title are anybody's choice.
* It is given only for what is cleared, and of which nothing else is on record since: a label that is out of
  date on its first day would be a false one.
* A withdrawn label may be given again. Its history stays, and is shown.
"""

from __future__ import annotations

from datetime import datetime

from ledger.core.audit import Report
from ledger.core.fields import Fields
from ledger.core.predicates import AuditReport
from ledger.core.predicates.answer import Grade
from ledger.core.predicates.delivery import read_delivery
from ledger.core.predicates.label import About, Claims, Counts, Label, is_identifier, is_title
from ledger.core.predicates.reasons import Verdict
from ledger.core.predicates.step import Evidence
from ledger.core.rights import basis as bases
from ledger.errors import RefusedError, UsageError
from ledger.ports import Publication
from ledger.service.archive import Archive
from ledger.service.clear.projecting import catch_up
from ledger.service.clear.recorded import known
from ledger.service.clear.verdicts import newest_about
from ledger.service.labels.since import Holds, Watch
from ledger.service.labels.stated import Stated, stated
from ledger.service.report.frames import rests_on_a_model, weakest
from ledger.service.report.last import whole_report
from ledger.service.rights.reading import facts_of
from ledger.service.studio import Device, Studio


def of_report(studio: Studio, kept: Publication, entry: int, title: str | None) -> tuple[str, Claims]:
    """Return what a label may say of an issued report, by its entry, and the digest of ``report.json``.

    ``kept`` holds the whole reports that were issued here. Raises ``UsageError`` with ``label.source``,
    ``label.title`` or ``log.no-such-entry``, and ``RefusedError`` with ``label.unkept`` or
    ``label.not-cleared``.
    """
    statement = studio.statement(entry)
    issued = statement.predicate
    if not isinstance(issued, AuditReport) or not Archive(studio).by_registrar(entry):
        raise UsageError("label.source", f"Entry {entry} is no issued report.", index=entry)
    whole = whole_report(kept, issued.whole)
    if whole is None:
        words = "The whole report is not kept here, and no label says what cannot be looked up."
        raise RefusedError("label.unkept", words, sha256=issued.whole)
    if issued.verdict_now != Verdict.CLEARED.value or issued.grade_then is None or issued.grade_now is None:
        raise _not_cleared(issued.verdict_now)
    return statement.subjects[0].sha256, Claims(
        about=About.TITLE,
        title=_title(title or issued.title),
        entry=entry,
        at=issued.at,
        policy=issued.policy,
        policy_sha256=issued.policy_sha256,
        delivery=read_delivery(Fields(dict(whole.head.delivery))),
        verdict_then=issued.verdict_then,
        grade_then=Grade[issued.grade_then],
        grade_now=Grade[issued.grade_now],
        counts=_counts(whole),
    )


def of_file(studio: Studio, sha256: str, title: str | None) -> Claims:
    """Return what a label may say of a file, by the newest verdict on record about it.

    Raises ``UsageError`` with ``verdict.none``, ``label.title`` or ``clear.not-made``, ``RefusedError`` with
    ``label.not-cleared`` or ``label.changed``, and ``log.*``.
    """
    catch_up(studio)
    found, basis = newest_about(Archive(studio), sha256), known(studio, sha256)
    if found is None or basis is None:
        raise UsageError("verdict.none", "No verdict on this file is on record.", sha256=sha256)
    verdict = found.verdict
    if verdict.now.verdict is not Verdict.CLEARED:
        raise _not_cleared(verdict.now.verdict.value)
    if bases.digest(basis) != verdict.basis:
        raise RefusedError("label.changed", "What the file rests on is another thing since its verdict.")
    evidence = weakest(basis)
    return Claims(
        about=About.FILE,
        title=_title(title or _name_of(studio, verdict.delivery.title)),
        entry=found.index,
        at=verdict.valid_at,
        policy=verdict.policy,
        policy_sha256=verdict.policy_sha256,
        delivery=verdict.delivery,
        verdict_then=verdict.then.verdict.value,
        grade_then=verdict.then.grade,
        grade_now=verdict.now.grade,
        counts=Counts(
            files=1,
            shots=0,
            models=int(rests_on_a_model(basis)),
            **{each.value: int(each is evidence) for each in Evidence},
        ),
    )


def give(
    studio: Studio, kept: Publication, registrar: Device, identifier: str, about: tuple[str, Claims]
) -> Stated:
    """State a label in the log, durable on return; ``about`` is what it is about and what it says of that.

    A label that says this already is returned as it is. Raises ``UsageError("label.identifier")``,
    ``RefusedError("label.changed")``, and what signing and the log raise.
    """
    sha256, claims = about
    if not is_identifier(identifier):
        words = "A label's name is made of a-z, 0-9 and single hyphens between them, at most 64 of them."
        raise UsageError("label.identifier", words, label=identifier[:200])
    watch = Watch(studio, kept)
    if watch.changed(claims, sha256).holds is not Holds.STANDS:
        raise RefusedError("label.changed", "The log has said something else of it since.")
    history = watch.labels().by_identifier.get(identifier, ())
    if history and (history[-1].label.claims, history[-1].sha256) == (claims, sha256):
        return history[-1]
    previous = history[-1].index if history else None
    return _state(studio, registrar, Label(identifier, _now(studio), claims, previous=previous), sha256)


def withdraw(studio: Studio, registrar: Device, identifier: str, why: str) -> Stated:
    """Take a label back, durable on return. ``why`` is public. One that is withdrawn is returned as it is.

    Raises ``UsageError("label.unknown")``, ``MalformedError("statement.field")`` for a reason that is no
    line of text, and what signing and the log raise.
    """
    newest = stated(studio).of(identifier)[-1]
    if newest.label.withdrawn is not None:
        return newest
    ended = Label(identifier, _now(studio), withdrawn=why, previous=newest.index)
    return _state(studio, registrar, ended, newest.sha256)


def _state(studio: Studio, registrar: Device, label: Label, sha256: str) -> Stated:
    registrar.check_clock(label.recorded)
    return Stated(studio.state(registrar.signer, (label.subject(sha256),), label).index, label, sha256)


def _now(studio: Studio) -> datetime:
    return studio.clock.now().replace(microsecond=0)


def _not_cleared(verdict: str) -> RefusedError:
    return RefusedError("label.not-cleared", f"The verdict is {verdict}: only what is cleared gets a label.")


def _title(text: str | None) -> str:
    if not text or not is_title(text):
        words = "A label needs a public title, at most 200 characters, none of them unseen."
        raise UsageError("label.title", words)
    return text


def _name_of(studio: Studio, title_id: str | None) -> str | None:
    found = facts_of(studio).titles.get(title_id or "")
    return found.predicate.name if found else None


def _counts(whole: Report) -> Counts:
    """Return the counts of the distinct files of a report, each by what it rests on."""
    table = whole.tables["bases"]
    rows = list(zip(*map(table.column, ("files", "ai", "evidence")), strict=True))
    return Counts(
        files=sum(files for files, _, _ in rows),
        shots=len(whole.tables["shots"].rows),
        models=sum(files for files, ai, _ in rows if ai),
        **{
            each.value: sum(files for files, _, evidence in rows if evidence == each.value)
            for each in Evidence
        },
    )
