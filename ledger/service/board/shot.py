"""One shot as it is looked at: its final files, each with its verdict now, and how the shot came to be.

* It is computed when it is asked for, from the log as it stands: a shot has few files, and fewer bases.
* Of all files the verdict is there; of a page of them, more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from ledger.core.audit import STRIP_LETTERS, Table
from ledger.core.fields import present
from ledger.core.predicates import Step
from ledger.core.rights.profile import Profile
from ledger.errors import UsageError
from ledger.service.board.board import shots_of, weakest
from ledger.service.clear.clear import Cleared, clear
from ledger.service.clear.question import Asked, ask, clearer_over, still
from ledger.service.clear.recorded import Kind, Target, files_of
from ledger.service.clear.store import EntryRow, steps_of
from ledger.service.log.keys import history
from ledger.service.places import Place
from ledger.service.reading.pages import Page, caught_up
from ledger.service.report.findings import register
from ledger.service.report.frames import UNDECIDED
from ledger.service.report.ground import Ground
from ledger.service.report.population import Frame, Shot
from ledger.service.report.uses import MODELS, used_in
from ledger.service.studio import Studio

STEPS = 60
"""Steps of a shot that are looked into for who and what made it: the newest."""


@dataclass(frozen=True, slots=True)
class Held:
    """A final file of the shot: its frame, and the answer for it. ``evidence`` is one of ``EVIDENCE``."""

    frame: Frame
    now: str
    then: str
    grade: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Approved:
    """An approval of the shot's files, or of something under them, as it stands now."""

    by: str
    kind: str
    about: str


@dataclass(frozen=True, slots=True)
class Maker:
    """Who did what with which tool, as the newest such step says, with its entry. Moments are UTC."""

    task: str | None
    action: str
    tool: str
    actor: str
    device: str | None
    evidence: str
    entry: int
    finished: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """A shot. ``files`` are a page of its ``total`` final files; ``strip`` and the counts are of all of them.

    ``versions`` counts files by version, ``doubles`` are frames that are there in more than one. ``steps``
    counts all steps of the shot; ``makers`` are told by the newest.
    """

    place: Place
    size: int
    at: datetime
    now: str
    grade: str
    total: int
    strip: tuple[str | int, ...]
    files: tuple[Held, ...]
    next: str | None
    versions: Mapping[str | None, int]
    doubles: tuple[int, ...]
    steps: int
    makers: tuple[Maker, ...]
    models: tuple[str, ...]
    approved: tuple[Approved, ...]
    findings: Table


def show(studio: Studio, profile: Profile, place: Place, page: Page) -> Shown:
    """Return a shot under a policy, as it stands now.

    Raises ``UsageError("shot.unknown")`` where no step was made there, ``MalformedError("page.cursor")``, and
    ``RefusedError`` with ``log.behind`` or ``log.busy``.
    """
    caught_up(studio)
    with still(studio) as (held, seen):
        steps = steps_of(held.bases, place)
        if not steps:
            words = "No step was made in this shot."
            raise UsageError("shot.unknown", words, **present(**place._asdict()))
        finals = sorted(held.bases.finals_of([row.index for row in steps]))
        target = Target("", Kind.PLACE, tuple(files_of(held, finals)))
        question = ask(held, profile, Asked())
        cleared = clear(clearer_over(seen, question), (target,))
        shot = shots_of(target).get(place, Shot("", place))
        findings = register(held, cleared, [shot]).table
        approved = _approved(held, cleared)
    files = [_held(frame, cleared) for frame in shot.frames]
    shown, following = _paged(files, page)
    return Shown(
        place,
        seen.size,
        question.at,
        cleared.whole.now.verdict.value if files else UNDECIDED,
        cleared.whole.now.grade.name if files else "",
        len(files),
        _strip(files),
        tuple(shown),
        following,
        Counter(frame.version for frame in shot.frames),
        tuple(sorted(shot.doubles)),
        len(steps),
        _makers(studio, steps),
        tuple(sorted({item.name for group in cleared.groups for item in group.basis if item.kind in MODELS})),
        approved,
        findings,
    )


def _held(frame: Frame, cleared: Cleared) -> Held:
    answer = cleared.by_file[frame.sha256]
    return Held(
        frame,
        answer.now.verdict.value,
        answer.then.verdict.value,
        answer.now.grade.name,
        weakest(frame.basis or ()),
    )


def _paged(files: Sequence[Held], page: Page) -> tuple[Sequence[Held], str | None]:
    """Return the files after the cursor's, in the order of frames, and the next cursor."""
    place = page.place(int)
    start = place[0] if place else 0
    shown = files[start : start + page.limit]
    more = start + len(shown) < len(files)
    return shown, page.cursor(start + len(shown)) if more else None


def _strip(files: Sequence[Held]) -> tuple[str | int, ...]:
    letters = {verdict: letter for letter, verdict in STRIP_LETTERS.items()}
    runs = groupby(letters[file.now] for file in files)
    return tuple(part for letter, run in runs for part in (letter, len(list(run))))


def _makers(studio: Studio, steps: Sequence[EntryRow]) -> tuple[Maker, ...]:
    """Return who made it: of each task, action, tool, actor and device the newest step."""
    devices = {key.keyid: key.device for key in history(studio)}
    found: dict[tuple[object, ...], Maker] = {}
    for row in sorted(steps, reverse=True)[:STEPS]:
        step = studio.statement(row.index).predicate
        if not isinstance(step, Step):
            continue
        maker = Maker(
            row.task,
            step.action.value,
            f"{step.tool.name} {step.tool.version}",
            step.actor,
            devices.get(studio.envelope(row.index).signatures[0].keyid),
            step.evidence.value,
            row.index,
            step.finished,
        )
        found.setdefault((maker.task, maker.action, maker.tool, maker.actor, maker.device), maker)
    return tuple(found.values())


def _approved(studio: Studio, cleared: Cleared) -> tuple[Approved, ...]:
    ground = Ground(studio, cleared, used_in(studio, ()))
    found = (
        Approved(item.predicate.by, item.predicate.kind.value, item.subjects[0].name)
        for item in ground.approvals(sorted(ground.everything))
    )
    return tuple(dict.fromkeys(found))
