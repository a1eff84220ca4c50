"""Put a report together: the population, its clearance, and every table, from one state of the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ledger.core import canonical
from ledger.core.audit import Figure, Head, Report, Table, figures, words
from ledger.core.audit.changes import Side, changes, side
from ledger.core.audit.chapters import FIGURES, chapters
from ledger.core.audit.policy import policy_table
from ledger.core.audit.tables import COMMANDS, GLOSSARY, TABLES
from ledger.core.audit.views import View
from ledger.core.digest import sha256_hex
from ledger.core.fields import format_time
from ledger.core.predicates import PolicyProfile
from ledger.core.predicates.answer import Answer
from ledger.core.predicates.reasons import Verdict
from ledger.core.rights import profile as profiles
from ledger.core.rights.clearance import VERSION
from ledger.core.rights.profile import Profile
from ledger.errors import UsageError
from ledger.service.clear.clear import Cleared, clear
from ledger.service.clear.question import Clearer, Question
from ledger.service.report import frames
from ledger.service.report.beside import NOTHING, Beside
from ledger.service.report.entries import Rests, rests_on
from ledger.service.report.findings import register
from ledger.service.report.grants import grants_table
from ledger.service.report.ground import Ground
from ledger.service.report.integrity import integrity
from ledger.service.report.lineages import lineages
from ledger.service.report.people import decisions_table, people_table
from ledger.service.report.population import Population
from ledger.service.report.services import services_table
from ledger.service.report.shots import Disclosures
from ledger.service.report.things import datasets_table, models_table
from ledger.service.report.uses import used_in
from ledger.service.studio import Studio


@dataclass(frozen=True, slots=True)
class Made:
    """The whole report, with what it was made from. ``thumbnails`` are JPEG files by the SHA-256 shown."""

    report: Report
    cleared: Cleared
    population: Population
    rests: Rests
    thumbnails: Mapping[str, bytes] = field(default_factory=dict)


def make(studio: Studio, clearer: Clearer, population: Population, beside: Beside = NOTHING) -> Made:
    """Return the whole report of a population, judged by ``clearer``."""
    rests = rests_on(studio, clearer, population)
    cleared = clear(clearer, population.targets)
    found = register(studio, cleared, population.shots)
    numbered = frames.numbered(cleared, found)
    ground = Ground(studio, cleared, used_in(studio, rests.steps))
    tables = {key: Table(schema, ()) for key, schema in TABLES.items()}
    shots = frames.shots_table(population, numbered, list(map(Disclosures(ground).of, population.shots)))
    tables |= _by_key(
        shots,
        frames.episodes_table(shots),
        frames.frames_table(population, numbered),
        frames.bases_table(cleared, numbered),
        frames.gaps_table(population),
        found.table,
        *_rules(clearer.question.profile),
        *_things(ground),
        *integrity(studio, clearer, rests, beside),
    )
    head = _head(studio, clearer, population, beside)
    tables |= _by_key(*_changes(beside, head, tables))
    counted: tuple[Figure, ...] = figures(tables, FIGURES)
    drawn = lineages(ground, shots)
    whole = cleared.whole
    failed = any(figure.value for figure in counted if figure.key == "entries-failed")
    verdict = _verdict(cleared, whole.now, failed=failed)
    report = Report(
        head=head,
        view=View.STUDIO.value,
        verdict_then=_verdict(cleared, whole.then, failed=failed),
        verdict_now=verdict,
        grade_then=None if cleared.incomplete else whole.then.grade.name,
        grade_now=None if cleared.incomplete else whole.now.grade.name,
        figures=counted,
        chapters=chapters(head, tables, counted, verdict, cleared.principles, tuple(drawn)),
        tables=tables,
        lineages=drawn,
        worst=frames.worst_shots(shots),
    )
    return Made(report, cleared, population, rests)


def check_time(studio: Studio, question: Question) -> None:
    """Return if a report may be made of this moment: it says what is, and not what will be.

    Raises ``UsageError("report.future")`` for a moment that is still to come, and for a policy that was put
    on record only after ``known``.
    """
    if question.at > studio.clock.now():
        raise UsageError("report.future", f"{format_time(question.at)} is still to come.")
    rows = studio.entries.artifacts(sha256=profiles.digest(question.profile))
    said = (studio.statement(row.index).predicate for row in rows)
    recorded = [each.recorded for each in said if isinstance(each, PolicyProfile)]
    if question.known and recorded and min(recorded) > question.known:
        words = f"The policy {question.profile.name} was put on record on {format_time(min(recorded))}"
        raise UsageError("report.future", f"{words}, later than --known.")


def _things(ground: Ground) -> tuple[Table, ...]:
    return (
        ground.used.tools(),
        services_table(ground),
        models_table(ground),
        datasets_table(ground),
        grants_table(ground),
        ground.used.authorship(),
        people_table(ground),
        decisions_table(ground),
    )


def _rules(profile: Profile) -> tuple[Table, ...]:
    """Return what the report was made by, and what is to be known to read it."""
    return policy_table(profile), Table(COMMANDS, words.COMMANDS), Table(GLOSSARY, words.GLOSSARY)


def _changes(beside: Beside, head: Head, tables: Mapping[str, Table]) -> tuple[Table, ...]:
    last = beside.last.report if beside.last else None
    return (changes(side(last), Side(head, tables)),) if last else ()


def _by_key(*tables: Table) -> dict[str, Table]:
    return {table.schema.key: table for table in tables}


def _verdict(cleared: Cleared, answer: Answer, *, failed: bool) -> str:
    """Return the verdict on the whole: none where all is cleared, and not all is known or can be believed."""
    if (cleared.incomplete or failed) and answer.verdict is Verdict.CLEARED:
        return frames.UNDECIDED
    return answer.verdict.value


def _head(studio: Studio, clearer: Clearer, population: Population, beside: Beside) -> Head:
    question, asked = clearer.question, population.digest
    title = clearer.facts.titles.get(question.delivery.title or "")
    essence = {
        "origin": studio.log.origin,
        "root": clearer.root,
        "population": asked,
        "question": question.to_json(),
    }
    at = format_time(question.at)
    digest = sha256_hex(canonical.encode(essence))
    return Head(
        identifier=f"R-{at[:10].replace('-', '')}-{digest[:8]}",
        studio=studio.trust.studio,
        production=studio.production,
        title=title.predicate.name if title else None,
        scope=population.scope,
        population=asked,
        at=at,
        known=format_time(question.known) if question.known else None,
        policy=question.profile.name,
        policy_version=question.profile.version,
        policy_sha256=profiles.digest(question.profile),
        delivery=question.delivery.to_json(),
        origin=studio.log.origin,
        size=clearer.size,
        root=clearer.root,
        engine=VERSION,
        cut=population.cut.name if population.cut else None,
        rate=str(population.cut.rate) if population.cut else None,
        previous=beside.last.identifier if beside.last else None,
    )
