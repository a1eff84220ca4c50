"""The tables of the audit report: what each is about, its columns, and whose eyes each column is for.

The keys are stable: they name members in JSON, columns in CSV and sheets in a workbook. A column is added at
the end; one that is there keeps its meaning.
"""

from __future__ import annotations

from ledger.core.audit import Column, Kind, Schema, Sight
from ledger.core.audit.tables_of_things import (
    AUTHORSHIP,
    DATASETS,
    GRANTS,
    MODELS,
    PEOPLE,
    REVIEWS,
    SERVICES,
    TOOLS,
)

_C = Column
_WORK, _RIGHTS, _TERMS, _CREW = Sight.WORK, Sight.RIGHTS, Sight.TERMS, Sight.CREW
_ENTRIES = _C("entries", "Log entries", Kind.ENTRIES)

SHOTS = Schema(
    "shots",
    "Shot disclosure map",
    "One row for each shot of the cut, in its order; without a cut, for each place in the production.",
    (
        _C("shot", "No.", Kind.COUNT),
        _C("name", "Shot", sight=_WORK),
        _C("place", "Place", sight=_WORK),
        _C("in", "In", Kind.TIMECODE, _WORK),
        _C("out", "Out", Kind.TIMECODE, _WORK),
        _C("frames", "Frames", Kind.COUNT),
        _C("found", "On record", Kind.COUNT),
        _C("unknown", "Unexplained", Kind.COUNT),
        _C("absent", "Absent", Kind.COUNT),
        _C("versions", "In two versions", Kind.COUNT),
        _C("then", "When made", Kind.VERDICT),
        _C("now", "Now", Kind.VERDICT),
        _C("grade", "Grade", Kind.GRADE),
        _C("cleared", "Cleared", Kind.COUNT),
        _C("needs_review", "Needs review", Kind.COUNT),
        _C("blocked", "Blocked", Kind.COUNT),
        _C("source", "Digital source type"),
        _C("ai", "Frames that rest on a model", Kind.COUNT),
        _C("models", "Models and services", Kind.TEXTS, _RIGHTS),
        _C("findings", "Findings", Kind.TEXTS),
        _C("approved", "Approved by", Kind.TEXTS, _CREW),
        _C("strip", "Strip", Kind.STRIP),
        _C("picture", "Picture", Kind.DIGEST, _WORK),
        _ENTRIES,
        _C("episode", "Episode", sight=_WORK),
    ),
)

EPISODES = Schema(
    "episodes",
    "Episode by episode",
    "One row for each episode, where files of several were asked for.",
    (
        _C("row", "No.", Kind.COUNT),
        _C("episode", "Episode", sight=_WORK),
        _C("shots", "Shots", Kind.COUNT),
        _C("frames", "Frames", Kind.COUNT),
        _C("now", "Now", Kind.VERDICT),
        _C("grade", "Lowest grade", Kind.GRADE),
        _C("cleared", "Cleared", Kind.COUNT),
        _C("needs_review", "Needs review", Kind.COUNT),
        _C("blocked", "Blocked", Kind.COUNT),
        _C("undecided", "Undecided", Kind.COUNT),
        _C("ai", "Frames that rest on a model", Kind.COUNT),
    ),
)
"""``episode`` is empty for what is in none."""

FRAMES = Schema(
    "frames",
    "Frames",
    "One row for each file that was asked for; of a frame that no file has, the row says so.",
    (
        _C("row", "No.", Kind.COUNT),
        _C("shot", "Shot no.", Kind.COUNT),
        _C("name", "File", sight=_WORK),
        _C("frame", "Frame", Kind.COUNT, _WORK),
        _C("version", "Version", sight=_WORK),
        _C("sha256", "SHA-256", Kind.DIGEST),
        _C("known", "Known by"),
        _C("then", "When made", Kind.VERDICT),
        _C("now", "Now", Kind.VERDICT),
        _C("grade", "Grade", Kind.GRADE),
        _C("ai", "Rests on a model", Kind.FLAG),
        _C("basis", "Basis no.", Kind.COUNT),
        _C("entry", "Log entry", Kind.COUNT),
        _C("episode", "Episode", sight=_WORK),
    ),
    long=True,
)
"""``known``: ``bytes``, ``pixels``, ``name``, ``unknown`` or ``absent``."""

BASES = Schema(
    "bases",
    "Distinct bases",
    "One row for each distinct set of models, datasets, references and people under files.",
    (
        _C("basis", "No.", Kind.COUNT),
        _C("digest", "Digest", Kind.DIGEST),
        _C("files", "Files", Kind.COUNT),
        _C("then", "When made", Kind.VERDICT),
        _C("now", "Now", Kind.VERDICT),
        _C("gradeThen", "Grade when made", Kind.GRADE),
        _C("grade", "Grade", Kind.GRADE),
        _C("ai", "Rests on a model", Kind.FLAG),
        _C("evidence", "Weakest evidence"),
        _C("models", "Models and services", Kind.TEXTS, _RIGHTS),
        _C("datasets", "Datasets", Kind.TEXTS, _RIGHTS),
        _C("findings", "Findings", Kind.TEXTS),
    ),
    long=True,
)

FINDINGS = Schema(
    "findings",
    "Findings",
    "One row for each reason that speaks against files, the worst first, with what would mend it.",
    (
        _C("finding", "No."),
        _C("severity", "Severity", Kind.SEVERITY),
        _C("state", "State"),
        _C("code", "Code"),
        _C("subject", "About", sight=_RIGHTS),
        _C("sha256", "SHA-256", Kind.DIGEST, _RIGHTS),
        _C("use", "Use"),
        _C("detail", "Detail", sight=_RIGHTS),
        _C("path", "The way to it", Kind.TEXTS, _RIGHTS),
        _C("meaning", "What it means"),
        _C("mend", "How to mend it"),
        _C("then", "Files when made", Kind.COUNT),
        _C("now", "Files now", Kind.COUNT),
        _C("shots", "Shots", Kind.COUNT),
        _C("at", "At", Kind.MOMENT),
        _C("since", "Known since", Kind.MOMENT),
        _C("grants", "Grants looked at", Kind.TEXTS, _TERMS),
        _C("evidence", "Evidence"),
        _C("approvers", "Accepted by", Kind.TEXTS, _CREW),
        _C("expires", "Accepted until", Kind.MOMENT),
        _ENTRIES,
    ),
)
"""``state``: ``open``, ``accepted`` (an override stands), ``noted``, or ``closed`` (it spoke against files
when they were made, and does not now)."""

GAPS = Schema(
    "gaps",
    "What is not on record",
    "One row for each thing that was asked for and cannot be answered: absent, unexplained, in two versions.",
    (
        _C("gap", "No.", Kind.COUNT),
        _C("kind", "What"),
        _C("shot", "Shot no.", Kind.COUNT),
        _C("name", "Name", sight=_WORK),
        _C("sha256", "SHA-256", Kind.DIGEST),
        _C("frames", "Frames", Kind.COUNT),
        _C("words", "In words"),
    ),
)
"""``kind``: ``absent``, ``unknown`` or ``two-versions``."""

DEVICES = Schema(
    "devices",
    "Devices and keys",
    "One row for each key that signed an entry under the population.",
    (
        _C("keyid", "Key"),
        _C("device", "Device", sight=_CREW),
        _C("role", "Role"),
        _C("entries_signed", "Entries signed", Kind.COUNT),
        _C("from", "Valid from", Kind.MOMENT),
        _C("until", "Valid until", Kind.MOMENT),
        _C("revoked", "Ended by entry", Kind.COUNT),
        _C("suspect", "Suspect from entry", Kind.COUNT),
        _C("gaps", "Numbers missing", Kind.COUNT),
        _C("late", "Told late", Kind.COUNT),
        _ENTRIES,
    ),
)

CHECKS = Schema(
    "checks",
    "Integrity",
    "One row for each thing that was checked when the report was made, and what came of it.",
    (
        _C("check", "Check"),
        _C("result", "Result"),
        _C("looked", "Looked at", Kind.COUNT),
        _C("failed", "Failed", Kind.COUNT),
        _C("words", "In words"),
        _ENTRIES,
    ),
)
"""``result``: ``passed``, ``failed`` or ``undecided``. ``entries`` are the ones that failed."""

CHECKPOINTS = Schema(
    "checkpoints",
    "Checkpoints and witnesses",
    "One row for each signature on the checkpoint that the report stands on, and on that of the last report.",
    (
        _C("row", "No.", Kind.COUNT),
        _C("size", "Tree size", Kind.COUNT),
        _C("root", "Root hash", Kind.DIGEST),
        _C("signer", "Signed by"),
        _C("role", "As"),
        _C("when", "When", Kind.MOMENT),
        _C("result", "Result"),
    ),
)

CHANGES = Schema(
    "changes",
    "Changed since the last report",
    "One row for each difference from the report before this one.",
    (
        _C("row", "No.", Kind.COUNT),
        _C("kind", "What changed"),
        _C("name", "Where", sight=_WORK),
        _C("before", "Before"),
        _C("after", "Now"),
        _C("files", "Files", Kind.COUNT),
        _ENTRIES,
    ),
)
"""``kind``: ``verdict``, ``grade``, ``finding opened``, ``finding closed``, ``file added``, ``file removed``,
``file replaced``, ``policy``."""

POLICY = Schema(
    "policy",
    "The policy",
    "One row for each rule of the policy profile that was applied, in full.",
    (
        _C("row", "No.", Kind.COUNT),
        _C("rule", "Rule"),
        _C("about", "About"),
        _C("value", "Says", Kind.TEXTS),
    ),
)

COMMANDS = Schema(
    "commands",
    "Commands that check this",
    "One row for each thing that can be checked without the studio, with the command.",
    (
        _C("checks", "Checks"),
        _C("command", "Command"),
        _C("says", "What it should say"),
    ),
)

GLOSSARY = Schema(
    "glossary",
    "Glossary",
    "One row for each word that has one meaning in this report.",
    (
        _C("term", "Word"),
        _C("meaning", "Meaning"),
    ),
)

TABLES = {
    table.key: table
    for table in (
        SHOTS,
        EPISODES,
        FINDINGS,
        GAPS,
        SERVICES,
        TOOLS,
        MODELS,
        DATASETS,
        GRANTS,
        AUTHORSHIP,
        PEOPLE,
        REVIEWS,
        DEVICES,
        CHECKS,
        CHECKPOINTS,
        CHANGES,
        POLICY,
        COMMANDS,
        GLOSSARY,
        BASES,
        FRAMES,
    )
}
"""Every table by its key, in the order in which a workbook has them."""
