"""The board: the answer for every final file of a production, shot by shot, from one state of the log.

* It is what a report of the whole production would say, without what only a report needs: it is looked at,
  and nobody signs it.
* It holds no file: of 130,000 frames it keeps what each shot comes to.
* A shot is an episode, a sequence and a name; what was made in no shot is a shot without a name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger.core.audit import Table
from ledger.core.predicates.step import Evidence
from ledger.core.rights.basis import Item, ItemKind
from ledger.core.rights.profile import Principle, Profile
from ledger.service.clear.clear import Coverage, clear
from ledger.service.clear.places import WHOLE, at_place
from ledger.service.clear.question import Asked, Question, ask, clearer_over, still
from ledger.service.clear.recorded import Target
from ledger.service.places import Place
from ledger.service.report.findings import register
from ledger.service.report.frames import UNDECIDED, numbered, shots_table
from ledger.service.report.population import Frame, Known, Population, Shot, number_of
from ledger.service.report.shots import Disclosed
from ledger.service.studio import Studio

UNEXPLAINED = "unknown"
EVIDENCE = (*(item.value for item in Evidence), UNEXPLAINED)
"""How files are evidenced, the strongest first: by the weakest step under each."""
_NOTHING = Disclosed(None, ())


@dataclass(frozen=True, slots=True)
class Line:
    """What a shot comes to. ``then`` and ``now`` are verdicts, ``grade`` is that of now.

    ``strip`` is of its frames in order (``core.audit.STRIP_LETTERS``), ``picture`` the SHA-256 of the one
    that stands for it, ``evidence`` counts files by ``EVIDENCE``, ``findings`` are numbers of the board's,
    ``doubles`` frames that are there in two versions, ``oldest`` is the first entry of its final files.
    """

    place: Place
    frames: int
    then: str
    now: str
    grade: str
    cleared: int
    needs_review: int
    blocked: int
    ai: int
    models: tuple[str, ...]
    findings: tuple[str, ...]
    strip: tuple[str | int, ...]
    picture: str
    evidence: tuple[int, ...]
    doubles: int
    oldest: int


@dataclass(frozen=True, slots=True)
class Board:
    """The production at one state of its log. ``lines`` by episode, sequence and shot; ``at`` is *now*.

    ``grade`` is ``None`` where there is no file.
    """

    question: Question
    size: int
    then: str
    now: str
    grade: str | None
    coverage: Coverage
    principles: tuple[tuple[Principle, bool], ...]
    findings: Table
    lines: tuple[Line, ...]

    @property
    def at(self) -> datetime:
        """Return the moment that is judged."""
        return self.question.at

    @property
    def touched(self) -> list[tuple[Place, tuple[str, ...]]]:
        """Return the findings of each shot."""
        return [(line.place, line.findings) for line in self.lines]

    @property
    def frames(self) -> int:
        """Return how many final files there are."""
        return sum(line.frames for line in self.lines)


def make_board(studio: Studio, profile: Profile, at: datetime, known: datetime | None = None) -> Board:
    """Return the board under a policy; with ``known`` by what the studio knew then.

    Raises ``RefusedError("log.busy")``, and the errors of reading the log.
    """
    with still(studio, known) as (held, seen):
        question = ask(held, profile, Asked(at=at, known=known))
        target = at_place(held, WHOLE)
        cleared = clear(clearer_over(seen, question), (target,) if target else ())
        shots = shots_of(target) if target else {}
        found = register(held, cleared, list(shots.values()))
        rows = shots_table(
            Population(WHOLE, tuple(shots.values()), cleared.targets),
            numbered(cleared, found),
            [_NOTHING] * len(shots),
        )
        lines = _lines(shots, rows)
    whole = cleared.whole
    return Board(
        question,
        seen.size,
        whole.then.verdict.value if lines else UNDECIDED,
        whole.now.verdict.value if lines else UNDECIDED,
        whole.now.grade.name if lines else None,
        cleared.coverage,
        cleared.principles,
        found.table,
        lines,
    )


def shots_of(target: Target) -> dict[Place, Shot]:
    """Return the final files by the shot that they were made in, in the order of their frames."""
    found: dict[Place, Shot] = {}
    for file in target.files:
        final = file.final
        if final is None:
            continue  # a target that is a place has the place of each of its files
        place = final.place
        if place not in found:
            found[place] = Shot(place.words, place)
        number = number_of(file.name, final)
        found[place].frames.append(
            Frame(file.name, file.sha256, Known.BYTES, file.basis, number, final.version, final.index)
        )
    for shot in found.values():
        shot.frames.sort(key=in_order)
    return {place: found[place] for place in sorted(found, key=by_name)}


def in_order(frame: Frame) -> tuple[bool, int, str, str]:
    """Return what frames of a shot are sorted by."""
    return frame.frame is None, frame.frame or 0, frame.name, frame.version or ""


def by_name(place: Place) -> tuple[tuple[bool, str], ...]:
    """Return what places are sorted by: what names no episode, or no sequence, comes last."""
    return tuple((name is None, name or "") for name in place)


def weakest(basis: Iterable[Item]) -> str:
    """Return how a file with this basis is evidenced: one of ``EVIDENCE``."""
    if any(item.kind is ItemKind.GAP for item in basis):
        return UNEXPLAINED
    weak = {item.evidence for item in basis if item.kind is ItemKind.WEAK}
    return next((each.value for each in reversed(Evidence) if each in weak), Evidence.OBSERVED.value)


def _lines(shots: dict[Place, Shot], rows: Table) -> tuple[Line, ...]:
    known: dict[frozenset[Item], str] = {}
    names = [column.key for column in rows.schema.columns]
    found = []
    for (place, shot), row in zip(shots.items(), rows.shown, strict=True):
        cells = dict(zip(names, row, strict=True))
        found.append(_line(place, cells, _evidence(shot.frames, known)))
    return tuple(found)


def _line(place: Place, cells: dict[str, Any], evidence: tuple[int, ...]) -> Line:
    return Line(
        place,
        cells["frames"],
        cells["then"],
        cells["now"],
        cells["grade"],
        cells["cleared"],
        cells["needs_review"],
        cells["blocked"],
        cells["ai"],
        cells["models"],
        cells["findings"],
        cells["strip"],
        cells["picture"],
        evidence,
        cells["versions"],
        min(cells["entries"]),
    )


def _evidence(frames: Sequence[Frame], known: dict[frozenset[Item], str]) -> tuple[int, ...]:
    counts = Counter[str]()
    for frame in frames:
        basis = frame.basis or frozenset()
        if basis not in known:
            known[basis] = weakest(basis)
        counts[known[basis]] += 1
    return tuple(counts[each] for each in EVIDENCE)
