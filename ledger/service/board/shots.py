"""Which shots of a board are wanted, page by page; and what an episode or a sequence comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from ledger.core.audit import STRIP_LETTERS
from ledger.service.board.board import EVIDENCE, Board, Line, by_name
from ledger.service.places import Place
from ledger.service.reading.pages import Page

SEVERITY = ("blocked", "needs_review", "undecided", "cleared")
"""The verdicts, the worst first."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which shots: all of those that are named here, and of empty ones any. ``text`` is a part of a name."""

    episode: str = ""
    sequence: str = ""
    verdict: str = ""
    grade: str = ""
    model: str = ""
    evidence: str = ""
    text: str = ""

    def wants(self, line: Line) -> bool:
        """Whether a shot is one of them."""
        held = (
            (self.episode, line.place.episode == self.episode),
            (self.sequence, line.place.sequence == self.sequence),
            (self.verdict, line.now == self.verdict),
            (self.grade, line.grade == self.grade),
            (self.model, self.model in line.models),
            (self.evidence, self.evidence in _evidenced(line)),
            (self.text, self.text.casefold() in line.place.words.casefold()),
        )
        return all(holds for asked, holds in held if asked)


@dataclass(frozen=True, slots=True)
class Shots:
    """A page of shots in the order of their names. ``total`` counts all that are wanted."""

    lines: tuple[Line, ...]
    total: int
    next: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """What the shots of an episode or a sequence come to; ``name`` is ``None`` for those that are in none."""

    name: str | None
    shots: int
    frames: int
    cleared: int
    now: str
    strip: tuple[str | int, ...]


def select(board: Board, filters: Filters, page: Page) -> Shots:
    """Return a page of the shots that are wanted. Raises ``MalformedError("page.cursor")``."""
    wanted = [line for line in board.lines if filters.wants(line)]
    place = page.place(list)
    after = _place(place[0]) if place else None
    left = [line for line in wanted if after is None or by_name(line.place) > by_name(after)]
    shown = left[: page.limit]
    more = len(left) > len(shown)
    return Shots(tuple(shown), len(wanted), page.cursor(_cell(shown[-1].place)) if more else None)


def worst(board: Board, most: int) -> list[Line]:
    """Return the shots to look at first: the most blocked, then to be reviewed, then in two versions."""
    bad = [line for line in board.lines if line.now != "cleared" or line.doubles]
    ranked = sorted(bad, key=lambda line: (line.blocked, line.needs_review, line.doubles), reverse=True)
    return ranked[:most]


def episodes(board: Board) -> list[Group]:
    """Return the episodes by name; what is in none comes last. Of a production without any there are none."""
    groups = groupby(board.lines, key=lambda line: line.place.episode)
    found = [_group(name, list(lines)) for name, lines in groups]
    return found if any(group.name is not None for group in found) else []


def sequences(board: Board, episode: str | None = None) -> list[Group]:
    """Return the sequences of an episode (``None``: of none) by name; what is in no sequence comes last."""
    lines = (line for line in board.lines if line.place.episode == episode)
    groups = groupby(lines, key=lambda line: line.place.sequence)
    return [_group(name, list(held)) for name, held in groups]


def joined(lines: Sequence[Line]) -> tuple[str | int, ...]:
    """Return the strips of these shots as one."""
    return tuple(part for line in lines for part in line.strip)


def evidence(board: Board) -> dict[str, int]:
    """Return how many files are evidenced how, the strongest first."""
    counts = zip(*(line.evidence for line in board.lines), strict=True)
    return dict(zip(EVIDENCE, map(sum, counts), strict=False))


def counted(board: Board) -> dict[str, int]:
    """Return how many files have each verdict now, the worst first; those that none has are left out."""
    counts = dict.fromkeys(SEVERITY, 0)
    for line in board.lines:
        for letter, count in zip(line.strip[::2], line.strip[1::2], strict=True):
            counts[STRIP_LETTERS[str(letter)]] += int(count)
    return {verdict: count for verdict, count in counts.items() if count}


def _group(name: str | None, lines: list[Line]) -> Group:
    verdicts = {line.now for line in lines}
    return Group(
        name,
        len(lines),
        sum(line.frames for line in lines),
        sum(line.cleared for line in lines),
        next(verdict for verdict in SEVERITY if verdict in verdicts),
        joined(lines),
    )


def _evidenced(line: Line) -> set[str]:
    return {name for name, count in zip(EVIDENCE, line.evidence, strict=True) if count}


def _cell(place: Place) -> list[str]:
    """Return a place as a cursor holds it: each part behind a letter that says whether there is one."""
    return ["" if part is None else f"={part}" for part in place]


def _place(cell: list[object]) -> Place | None:
    parts = [str(part)[1:] if part else None for part in cell]
    return Place(*parts) if len(parts) == len(Place._fields) else None
