"""What changed in a production since a moment: files, answers, the registry, findings, devices.

* Answers are compared as they would have been given then, by what the studio knew and by the moment itself,
  of the files that are there now: what the world changed is told apart from what the artists made.
* A shot that has no older file is new as a whole: nobody could have asked for an answer about it.
* A file that is new stands for another one when it is of the same frame of the same shot; it is *made again*.
* *Gone* are files that were final then, and that something newer was made from; nothing is ever taken out of
  a log.
* The work is bounded: of very many new entries the newest are looked at, and that is said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ledger.service.board.board import Board, by_name
from ledger.service.board.findings import OPEN, cells_of
from ledger.service.clear.store import STEPS, EntryRow, Final, steps_of
from ledger.service.clear.touched import passed
from ledger.service.places import Place
from ledger.service.report.population import number_of
from ledger.service.rights.reading import FACT_TYPES, records_of
from ledger.service.studio import Studio

MOST = 2_000
"""New entries of which the files are looked at."""
FACTS = 200
"""Facts of the registry that are listed."""
_NOT_READ = frozenset({"subject", "sealed-from"})


@dataclass(slots=True)
class Files:
    """How many final files of a shot are new, made again, and gone into something newer."""

    new: int = 0
    again: int = 0
    gone: int = 0


@dataclass(frozen=True, slots=True)
class Moved:
    """A shot whose verdict is another one, and the codes that speak against it now and did not then.

    ``away`` are those that did then and do not now.
    """

    place: Place
    then: str
    now: str
    came: tuple[str, ...]
    away: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Turned:
    """A finding that opened or closed: its code, what it is about, and how many files it touches."""

    opened: bool
    code: str
    about: str
    use: str | None
    files: int


@dataclass(frozen=True, slots=True)
class Changed:
    """``entries`` counts new entries; ``looked`` of them were looked at. ``facts`` are those of the registry.

    ``ended`` are entries whose term began or ended since, each with the moment.
    """

    since: datetime
    entries: int
    looked: int
    files: Mapping[Place, Files] = field(default_factory=dict)
    moved: tuple[Moved, ...] = ()
    turned: tuple[Turned, ...] = ()
    facts: tuple[int, ...] = ()
    ended: tuple[tuple[datetime, int], ...] = ()

    @property
    def quiet(self) -> bool:
        """Whether nothing changed."""
        return not (self.entries or self.moved or self.turned or self.ended)


def changed(studio: Studio, since: datetime, then: Board, now: Board) -> Changed:
    """Return what changed between a moment and now. ``then`` is the board as known at that moment."""
    first, size = studio.rows.first_since(since), now.size
    start = max(first, size - MOST)
    facts = [row.index for row in studio.rows.statements(FACT_TYPES, first - 1, size)]
    return Changed(
        since,
        max(0, size - first),
        max(0, size - start),
        _files(studio, first, start, size),
        _moved(then, now, first),
        _turned(then, now, first),
        tuple(reversed(facts))[:FACTS],
        tuple(_ended(studio, since, now.at)),
    )


def _files(studio: Studio, first: int, start: int, size: int) -> dict[Place, Files]:
    entries = studio.bases.entries(range(start, size))
    steps = {index: row for index, row in entries.items() if row.kind in STEPS}
    fresh: dict[Place, list[Final]] = defaultdict(list)
    for final in studio.bases.finals_of(steps):
        fresh[final.place].append(final)
    found: dict[Place, Files] = defaultdict(Files)
    for place, finals in fresh.items():
        before = [row for row in steps_of(studio.bases, place) if row.index < first]
        again = sum(any(_covers(row, final) for row in before) for final in finals)
        found[place].again, found[place].new = again, len(finals) - again
    made = {(place, number_of(each.name, each)) for place, held in fresh.items() for each in held}
    for place, number in _gone(studio, first, steps):
        found[place].gone += (place, number) not in made
    return {place: found[place] for place in sorted(found, key=by_name) if found[place] != Files()}


def _covers(row: EntryRow, final: Final) -> bool:
    """Whether an older step of the shot, and of the same task, made the same frame."""
    number = number_of(final.name, final)
    if number is None or row.first is None or row.last is None or row.task != final.task:
        return False
    return row.first <= number <= row.last


def _gone(studio: Studio, first: int, steps: Collection[int]) -> Iterator[tuple[Place, int | None]]:
    """Yield place and frame of the files that new steps read, that older ones made and that none read."""
    read = {link.sha256 for link in studio.bases.rows(steps) if link.role not in _NOT_READ}
    used = {link.sha256 for link in studio.bases.links(read, first, made=False) if link.role not in _NOT_READ}
    left = studio.bases.links(read - used, first, made=True)
    makers = studio.bases.entries({link.index for link in left})
    for link in {link.sha256: link for link in left}.values():
        maker = makers.get(link.index)
        if maker is not None and maker.kind in STEPS:
            yield maker.place, number_of(link.name, maker)


def _moved(then: Board, now: Board, first: int) -> tuple[Moved, ...]:
    """Return the shots of before ``first`` whose answer is another one, by name."""
    before = {line.place: line for line in then.lines}
    was, stands = _codes(then), _codes(now)
    found = []
    for line in now.lines:
        old = before.get(line.place)
        if old is None or old.now == line.now or line.oldest >= first:
            continue
        came = {stands[number] for number in line.findings} - {was[number] for number in old.findings}
        away = {was[number] for number in old.findings} - {stands[number] for number in line.findings}
        found.append(Moved(line.place, old.now, line.now, _of(came), _of(away)))
    return tuple(found)


def _codes(board: Board) -> dict[str, tuple[str, str, str | None]]:
    """Return what each finding says: its code, the severity, the thing."""
    rows = cells_of(board.findings)
    return {row["finding"]: (row["code"], row["severity"], row["sha256"]) for row in rows}


def _of(found: Iterable[tuple[str, str, str | None]]) -> tuple[str, ...]:
    return tuple(sorted({code for code, severity, _ in found if severity != "noted"}))


def _turned(then: Board, now: Board, first: int) -> tuple[Turned, ...]:
    before, after = _open(then, first), _open(now, first)
    return tuple(
        Turned(opened, cells["code"], cells["subject"], cells["use"], cells["now"])
        for opened, some, others in ((True, after, before), (False, before, after))
        for key, cells in some.items()
        if key not in others
    )


def _open(board: Board, first: int) -> dict[tuple[object, ...], Mapping[str, Any]]:
    """Return the findings that are open and touch a shot of before ``first``, by what they say."""
    touching = {number for line in board.lines if line.oldest < first for number in line.findings}
    found = (row for row in cells_of(board.findings) if row["finding"] in touching)
    rows = (row for row in found if row["state"] == OPEN)
    return {(row["code"], row["sha256"], row["use"], row["path"]): row for row in rows}


def _ended(studio: Studio, since: datetime, until: datetime) -> Iterator[tuple[datetime, int]]:
    """Yield what passed without an entry: terms that began or ended between two moments, earliest first."""
    for boundary in passed(records_of(studio), since, until):
        if since <= boundary.moment <= until:
            yield boundary.moment, boundary.index
