"""The tables of files: every frame, the shots that they are in, the distinct bases, and what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ledger.core.audit import STRIP_LETTERS, Row, Table
from ledger.core.audit.tables import BASES, EPISODES, FRAMES, GAPS, SHOTS
from ledger.core.predicates.answer import Grade
from ledger.core.predicates.reasons import Verdict
from ledger.core.predicates.step import Evidence
from ledger.core.rights import basis as bases
from ledger.core.rights.basis import Item, ItemKind
from ledger.core.rights.clearance import Clearance
from ledger.service.clear.clear import Cleared, worst
from ledger.service.report.findings import Register
from ledger.service.report.population import Frame, Known, Population, Shot
from ledger.service.report.shots import Disclosed

UNDECIDED = "undecided"
_WORST = ("blocked", "needs_review", UNDECIDED, "cleared")
_LETTERS = {verdict: letter for letter, verdict in STRIP_LETTERS.items()}
_AI = (ItemKind.MODEL, ItemKind.SERVICE)
_RANKS = [Evidence.DECLARED, Evidence.INFERRED]


@dataclass(frozen=True, slots=True)
class Basis:
    """A distinct basis: its number in the report, its answer, and what of it the tables name."""

    number: int
    clearance: Clearance
    ai: bool
    models: tuple[str, ...]
    findings: tuple[str, ...]


Numbered = dict[frozenset[Item], Basis]


def numbered(cleared: Cleared, register: Register) -> Numbered:
    """Return the distinct bases by their items, numbered in the order of the groups."""
    return {
        group.basis: Basis(
            number,
            group.clearance,
            rests_on_a_model(group.basis),
            _names(group.basis, _AI),
            register.by_basis[group.basis],
        )
        for number, group in enumerate(cleared.groups, 1)
    }


def rests_on_a_model(basis: Iterable[Item]) -> bool:
    """Whether a model or a service is on record under a file."""
    return any(item.kind in _AI for item in basis)


def weakest(basis: Iterable[Item]) -> Evidence:
    """Return the evidence class of the weakest record under a file."""
    weak = {item.evidence for item in basis if item.kind is ItemKind.WEAK}
    return next((item for item in _RANKS if item in weak), Evidence.OBSERVED)


def bases_table(cleared: Cleared, found: Numbered) -> Table:
    """Return the distinct bases."""
    return Table(BASES, tuple(_basis_row(group.basis, len(group.files), found) for group in cleared.groups))


def frames_table(population: Population, found: Numbered) -> Table:
    """Return every file, and one row for each frame that none has."""
    return Table(FRAMES, tuple(_numbered_rows(population, found)))


def shots_table(population: Population, found: Numbered, disclosed: Sequence[Disclosed]) -> Table:
    """Return the shot disclosure map; ``disclosed`` is of each shot, in the order of the shots."""
    pairs = enumerate(zip(population.shots, disclosed, strict=True), 1)
    return Table(SHOTS, tuple(_shot_row(number, shot, found, said) for number, (shot, said) in pairs))


def episodes_table(shots: Table) -> Table:
    """Return what each episode of the shots comes to: of a single one, or of none, nothing."""
    names = [column.key for column in shots.schema.columns]
    found: dict[str | None, list[dict[str, Any]]] = {}
    for row in shots.shown:
        cells = dict(zip(names, row, strict=True))
        found.setdefault(cells["episode"], []).append(cells)
    ordered = sorted(found.items(), key=lambda item: (item[0] is None, item[0] or ""))
    rows = ((n, name, *_summed(held)) for n, (name, held) in enumerate(ordered, 1))
    return Table(EPISODES, tuple(rows) if len(found) > 1 else ())


def gaps_table(population: Population) -> Table:
    """Return what was asked for and cannot be answered."""
    gaps = (gap for number, shot in enumerate(population.shots, 1) for gap in _gaps(number, shot))
    return Table(GAPS, tuple((n, *gap) for n, gap in enumerate(gaps, 1)))


def worst_shots(shots: Table, most: int = 5) -> tuple[str, ...]:
    """Return the numbers of the shots to look at first: the most blocked, then to be reviewed, then open."""
    columns = [
        shots.schema.place(key) for key in ("blocked", "needs_review", "unknown", "absent", "versions")
    ]
    ranked = [(tuple(row[place] for place in columns), row[0]) for row in shots.shown]
    bad = sorted(
        ((rank, number) for rank, number in ranked if any(rank)), key=lambda item: item[0], reverse=True
    )
    return tuple(str(number) for _, number in bad[:most])


def _names(basis: Iterable[Item], kinds: Sequence[ItemKind]) -> tuple[str, ...]:
    return tuple(sorted({item.name for item in basis if item.kind in kinds}))


def _basis_row(basis: frozenset[Item], files: int, found: Numbered) -> Row:
    known = found[basis]
    then, now = known.clearance.then, known.clearance.now
    return (
        known.number,
        bases.digest(basis),
        files,
        then.verdict.value,
        now.verdict.value,
        then.grade.name,
        now.grade.name,
        known.ai,
        weakest(basis).value,
        known.models,
        _names(basis, (ItemKind.DATASET,)),
        known.findings,
    )


def _summed(shots: Sequence[dict[str, Any]]) -> Row:
    frames, ai, *known = (
        sum(shot[key] for shot in shots) for key in ("frames", "ai", "cleared", "needs_review", "blocked")
    )
    verdicts = {shot["now"] for shot in shots}
    now = next(verdict for verdict in _WORST if verdict in verdicts)
    grade = min(shot["grade"] for shot in shots)
    return len(shots), frames, now, grade, *known, frames - sum(known), ai


def _numbered_rows(population: Population, found: Numbered) -> Iterator[Row]:
    number = 0
    for shot_number, shot in enumerate(population.shots, 1):
        for frame in shot.frames:
            number += 1
            yield (number, shot_number, *_frame_cells(frame, found))
        for _ in range(shot.absent):
            number += 1
            verdicts = (UNDECIDED, UNDECIDED, None, None, None, None)
            yield (number, shot_number, None, None, None, None, "absent", *verdicts, shot.place.episode)


def _frame_cells(frame: Frame, found: Numbered) -> Row:
    about = (frame.name, frame.frame, frame.version, frame.sha256, frame.known)
    if frame.basis is None:
        return (*about, UNDECIDED, UNDECIDED, None, None, None, frame.entry, frame.episode)
    known = found[frame.basis]
    now = known.clearance.now
    return (
        *about,
        known.clearance.then.verdict.value,
        now.verdict.value,
        now.grade.name,
        known.ai,
        known.number,
        frame.entry,
        frame.episode,
    )


def _shot_row(number: int, shot: Shot, found: Numbered, disclosed: Disclosed) -> Row:
    held = [found[frame.basis] for frame in shot.frames if frame.basis is not None]
    unknown = len(shot.frames) - len(held)
    now = Counter(item.clearance.now.verdict for item in held)
    ai = sum(item.ai for item in held)
    findings = {finding for item in held for finding in item.findings}
    entries = {frame.entry for frame in shot.frames if frame.entry is not None}
    return (
        number,
        shot.name,
        shot.place.words or None,
        *(shot.timecodes or (None, None)),
        len(shot.frames) + shot.absent,
        len(held),
        unknown,
        shot.absent,
        len(shot.doubles),
        _whole(worst(item.clearance.then for item in held), shot, unknown),
        _whole(worst(item.clearance.now for item in held), shot, unknown),
        min((item.clearance.now.grade for item in held), default=Grade.L0).name,
        now[Verdict.CLEARED],
        now[Verdict.NEEDS_REVIEW],
        now[Verdict.BLOCKED],
        disclosed.source,
        ai,
        tuple(sorted({name for item in held for name in item.models})),
        tuple(sorted(findings)),
        disclosed.approved,
        _strip(shot, found),
        _picture(shot, found),
        tuple(sorted(entries)),
        shot.place.episode,
    )


def _whole(verdict: Verdict | None, shot: Shot, unknown: int) -> str:
    """Return the verdict on a shot: none where all that is known is cleared, and not all is known."""
    if verdict is None or (verdict is Verdict.CLEARED and (unknown or shot.absent)):
        return UNDECIDED
    return verdict.value


def _now(frame: Frame, found: Numbered) -> str:
    return UNDECIDED if frame.basis is None else found[frame.basis].clearance.now.verdict.value


def _strip(shot: Shot, found: Numbered) -> tuple[str | int, ...]:
    letters = [_LETTERS[_now(frame, found)] for frame in shot.frames] + ["u"] * shot.absent
    return tuple(part for letter, run in groupby(letters) for part in (letter, len(list(run))))


def _picture(shot: Shot, found: Numbered) -> str | None:
    """Return the frame that stands for the shot: one with its worst verdict, in the middle of those."""
    by_verdict: dict[str, list[Frame]] = {}
    for frame in shot.frames:
        by_verdict.setdefault(_now(frame, found), []).append(frame)
    held = next((by_verdict[verdict] for verdict in _WORST if verdict in by_verdict), None)
    return held[len(held) // 2].sha256 if held else None


def _gaps(number: int, shot: Shot) -> Iterator[Row]:
    """Yield kind, shot, name, digest, frames and words of each gap of a shot."""
    if shot.absent:
        words = "Frames were asked for that no file on record has."
        yield "absent", number, shot.name, None, shot.absent, words
    for frame in shot.frames:
        if frame.known == Known.UNKNOWN:
            words = "No record explains how this file came to be: neither by its bytes nor by its picture."
            yield "unknown", number, frame.name, frame.sha256, 1, words
    for frame_number, held in sorted(shot.doubles.items()):
        names = ", ".join(sorted(item.name for item in held))
        words = "The frame is there in several versions. All are in this report; a person has to choose."
        yield "two-versions", number, f"{frame_number}: {names}", None, len(held), words
