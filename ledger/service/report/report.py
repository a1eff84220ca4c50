"""Put a report together: the population, its clearance, and every table, from one state of the log."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.core import canonical
from ledger.core.audit import Figure, Head, Report, Table, figures, words
from ledger.core.audit.chapters import FIGURES, chapters
from ledger.core.audit.policy import policy_table
from ledger.core.audit.tables import COMMANDS, GLOSSARY, TABLES
from ledger.core.audit.views import View
from ledger.core.digest import sha256_hex
from ledger.core.fields import format_time
from ledger.core.predicates.answer import Answer
from ledger.core.predicates.reasons import Verdict
from ledger.core.rights import profile as profiles
from ledger.core.rights.clearance import VERSION
from ledger.core.rights.profile import Profile
from ledger.service.clear.clear import Cleared, clear
from ledger.service.clear.question import Clearer
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
from ledger.service.report.uses import used_under
from ledger.service.studio import Studio


@dataclass(frozen=True, slots=True)
class Made:
    """The whole report, with what it was made from."""

    report: Report
    cleared: Cleared
    population: Population
    rests: Rests
    profile: Profile


def make(studio: Studio, clearer: Clearer, population: Population, beside: Beside = NOTHING) -> Made:
    """Return the whole report of a population, judged by ``clearer``."""
    rests = rests_on(studio, clearer, population)
    cleared = clear(clearer, population.targets)
    found = register(studio, cleared, population.shots)
    numbered = frames.numbered(cleared, found)
    ground = Ground(studio, cleared, used_under(studio, clearer.size, population))
    disclosures = Disclosures(ground)
    tables = {key: Table(schema, ()) for key, schema in TABLES.items()}
    tables |= _by_key(
        frames.shots_table(population, numbered, [disclosures.of(shot) for shot in population.shots]),
        frames.frames_table(population, numbered),
        frames.bases_table(cleared, numbered),
        frames.gaps_table(population),
        found.table,
        policy_table(clearer.question.profile),
        Table(COMMANDS, words.COMMANDS),
        Table(GLOSSARY, words.GLOSSARY),
        *_things(ground),
        *integrity(studio, clearer, rests, beside),
    )
    head = _head(studio, clearer, population)
    counted: tuple[Figure, ...] = figures(tables, FIGURES)
    drawn = lineages(ground, tables["shots"])
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
        worst=frames.worst_shots(tables["shots"]),
    )
    return Made(report, cleared, population, rests, clearer.question.profile)


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


def _by_key(*tables: Table) -> dict[str, Table]:
    return {table.schema.key: table for table in tables}


def _verdict(cleared: Cleared, answer: Answer, *, failed: bool) -> str:
    """Return the verdict on the whole: none where all is cleared, and not all is known or can be believed."""
    if (cleared.incomplete or failed) and answer.verdict is Verdict.CLEARED:
        return frames.UNDECIDED
    return answer.verdict.value


def _head(studio: Studio, clearer: Clearer, population: Population) -> Head:
    question = clearer.question
    title = clearer.facts.titles.get(question.delivery.title or "")
    essence = {
        "origin": studio.log.origin,
        "root": clearer.root,
        "population": population.digest,
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
        population=population.digest,
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
    )
