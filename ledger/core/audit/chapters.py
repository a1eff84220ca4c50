"""The chapters of a report: what each says in sentences, and which figures and tables it shows.

* The sentences (``words``) speak of what is in the tables, and claim only positives.
* A chapter without anything to show says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ledger.core.audit import Answer, Chapter, Count, Figure, Head, Table
from ledger.core.audit.words import Told
from ledger.core.rights.profile import Principle

FIGURES: tuple[tuple[str, str, Count], ...] = (
    ("shots", "Shots", Count("shots")),
    ("frames", "Frames and files asked for", Count("frames")),
    ("found", "On record", Count("shots", of="found")),
    ("unknown", "Unexplained", Count("frames", (("known", "unknown"),))),
    ("absent", "Absent", Count("frames", (("known", "absent"),))),
    ("two-versions", "Frames in two versions", Count("gaps", (("kind", "two-versions"),))),
    ("cleared", "Cleared now", Count("frames", (("now", "cleared"),))),
    ("needs-review", "To be reviewed now", Count("frames", (("now", "needs_review"),))),
    ("blocked", "Blocked now", Count("frames", (("now", "blocked"),))),
    ("undecided", "Undecided now", Count("frames", (("now", "undecided"),))),
    ("cleared-then", "Cleared when made", Count("frames", (("then", "cleared"),))),
    ("needs-review-then", "To be reviewed when made", Count("frames", (("then", "needs_review"),))),
    ("blocked-then", "Blocked when made", Count("frames", (("then", "blocked"),))),
    *((f"grade-{n}", f"Files at L{n}", Count("frames", (("grade", f"L{n}"),))) for n in range(5)),
    ("ai", "Frames that rest on a model", Count("frames", (("ai", True),))),
    ("observed", "Observed in every step", Count("bases", (("evidence", "observed"),), "files")),
    ("inferred", "With an inferred step", Count("bases", (("evidence", "inferred"),), "files")),
    ("declared", "With a declared step", Count("bases", (("evidence", "declared"),), "files")),
    ("findings-open", "Open findings", Count("findings", (("state", "open"),))),
    ("findings-accepted", "Accepted findings", Count("findings", (("state", "accepted"),))),
    ("findings-noted", "Notes", Count("findings", (("state", "noted"),))),
    ("bases", "Distinct bases", Count("bases")),
    ("models", "Models", Count("models")),
    ("services", "Remote services", Count("services")),
    (
        "indemnity-lost",
        "Services whose indemnity ended since the use",
        Count("services", (("indemnityThen", "offered"), ("indemnityNow", "none"))),
    ),
    ("datasets", "Datasets", Count("datasets")),
    ("grants", "Grants", Count("grants")),
    ("entries-failed", "Entries that fail verification", Count("checks", (("check", "entries"),), "failed")),
)
"""Every figure of a report: its key, its title, and how it is counted."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a chapter is made of. ``empty`` is said when none of its tables has a row."""

    key: str
    title: str
    figures: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    empty: str = ""


DRAWN = "models"
"""The chapter that shows the lineages."""

_PLANS = (
    _Plan("opinion", "What this report says"),
    _Plan(
        "summary",
        "Summary",
        ("frames", "shots", "cleared", "needs-review", "blocked", "undecided", "ai", "findings-open"),
        ("episodes",),
    ),
    _Plan(
        "scope",
        "Scope, method and coverage",
        ("frames", "found", "unknown", "absent", "two-versions", "observed", "inferred", "declared", "bases"),
        ("gaps", "changes"),
        "All that was asked for is on record, in one version each.",
    ),
    _Plan("shots", "Shot disclosure map", ("shots", "ai"), ("shots",), "There is no shot."),
    _Plan(
        "services",
        "Tools and services",
        ("services", "indemnity-lost"),
        ("services", "tools"),
        "No recorded step under these files used a remote service, and none names its tool.",
    ),
    _Plan("models", "Models", ("models",), ("models",), "No recorded step under these files used a model."),
    _Plan(
        "datasets",
        "Datasets and grants",
        ("datasets", "grants"),
        ("datasets", "grants"),
        "Nothing under these files names a dataset, and no grant speaks of it.",
    ),
    _Plan(
        "authorship",
        "Human authorship",
        (),
        ("authorship",),
        "No recorded step under these files says who did it.",
    ),
    _Plan(
        "people",
        "People and consents",
        (),
        ("people", "decisions"),
        "No recorded step under these files used a person's likeness or voice, and nobody had to decide.",
    ),
    _Plan(
        "findings",
        "Findings",
        ("findings-open", "findings-accepted", "findings-noted"),
        ("findings",),
        "Nothing that is on record speaks against these files under this policy.",
    ),
    _Plan(
        "integrity",
        "Integrity",
        ("entries-failed",),
        ("checks", "checkpoints", "devices"),
        "Nothing was checked: this report was made without its evidence.",
    ),
    _Plan("custody", "Chain of custody"),
    _Plan("verify", "How to verify this", (), ("commands",)),
    _Plan("exclusions", "What this report does not say"),
    _Plan("policy", "The policy in full", (), ("policy",)),
    _Plan("glossary", "Glossary", (), ("glossary",)),
)


def chapters(
    head: Head,
    tables: Mapping[str, Table],
    counted: Sequence[Figure],
    verdict: str,
    principles: Sequence[tuple[Principle, bool]],
    lineages: tuple[str, ...] = (),
) -> tuple[Chapter, ...]:
    """Return the chapters, in order. ``verdict`` is that on the whole, now; ``lineages`` are their keys."""
    told = Told(head, tables, {figure.key: figure.value for figure in counted}, verdict)
    found = (_chapter(told, plan, principles) for plan in _PLANS)
    return tuple(replace(item, lineages=lineages) if item.key == DRAWN else item for item in found)


def _chapter(told: Told, plan: _Plan, principles: Sequence[tuple[Principle, bool]]) -> Chapter:
    bare = bool(plan.empty) and not any(told.tables[key].rows for key in plan.tables)
    return Chapter(
        plan.key,
        plan.title,
        words=told.of(plan.key),
        figures=plan.figures,
        tables=plan.tables,
        answers=_answers(principles) if plan.key == "summary" else (),
        empty=plan.empty if bare else None,
    )


def _answers(principles: Sequence[tuple[Principle, bool]]) -> tuple[Answer, ...]:
    """Return the policy's principles, answered."""
    return tuple(
        Answer(principle.text, holds, "shown by the records" if holds else "not shown by the records")
        for principle, holds in principles
    )
