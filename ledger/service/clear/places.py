"""Places in the production as somebody writes them, and the final files that were made there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from ledger.errors import UsageError
from ledger.service.clear.recorded import Kind, Target, files_of
from ledger.service.clear.store import Final, Where
from ledger.service.studio import Studio

WHOLE = "."
_FRAMES = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")


def at_place(studio: Studio, text: str, most: int | None = None) -> Target | None:
    """Return the final files of the likeliest place that a text names; ``None`` where there are none.

    The bases must have been caught up. Raises ``UsageError("clear.too-many")`` for more than ``most`` files.
    """
    for where in _places(studio, text):
        some = studio.bases.finals_at(where)
        found = list(some if most is None else islice(some, most + 1))
        if most is not None and len(found) > most:
            raise UsageError(
                "clear.too-many", f"{text!r} has more than {most:,} final files.", target=text, limit=most
            )
        finals = list(_only(where, found))
        if finals:
            files = tuple(files_of(studio, finals))
            return Target(text, Kind.PLACE, files, absent=_absent(where, finals))
    return None


def known_places(studio: Studio) -> list[str]:
    """Return the names of the sequences and shots that have final files."""
    places = {(item.sequence, item.shot) for item in studio.bases.finals_at(Where())}
    both = {"/".join(part for part in place if part) for place in places}
    return sorted({name for name in (*both, *(shot for _, shot in places if shot)) if name})


def _places(studio: Studio, text: str) -> list[Where]:
    """Return the places that a text may mean, the likeliest first."""
    if text == WHOLE:
        return [Where()]
    parts = text.strip("/").split("/")
    if parts[0] == studio.production:
        parts = parts[1:]
    *rest, last = parts or [""]
    frames = _frames(last)
    match rest:
        case [] if not parts:
            return [Where()]
        case []:
            return [Where(shot=last), Where(sequence=last)]
        case [first]:
            framed = [Where(shot=first, frames=frames)] if frames else []
            return [Where(sequence=first, shot=last), *framed]
        case [sequence, shot] if frames:
            return [Where(sequence=sequence, shot=shot, frames=frames)]
    return []


def _frames(text: str) -> tuple[int, int] | None:
    found = _FRAMES.fullmatch(text)
    if not found:
        return None
    first, last = int(found[1]), int(found[2] or found[1])
    return (first, last) if first <= last else None


def _only(where: Where, finals: Iterable[Final]) -> Iterator[Final]:
    """Yield the files of the asked frames: of a step over many, those whose names have such a number."""
    if where.frames is None:
        yield from finals
        return
    first, last = where.frames
    by_step: dict[int, list[Final]] = {}
    for final in finals:
        by_step.setdefault(final.index, []).append(final)
    for files in by_step.values():
        numbered = [
            item for item in files if any(first <= int(number) <= last for number in _numbers(item.name))
        ]
        inside = all(
            item.first is not None and item.last is not None and first <= item.first and item.last <= last
            for item in files
        )
        yield from files if inside or not numbered else numbered


def _absent(where: Where, finals: Sequence[Final]) -> int:
    """Return how many of the asked frames no file has: by its name, or as the one file of a range."""
    if where.frames is None:
        return 0
    first, last = where.frames
    files = Counter(final.index for final in finals)
    covered: set[int] = set()
    for final in finals:
        covered.update(number for number in map(int, _numbers(final.name)) if first <= number <= last)
        if files[final.index] == 1 and final.first is not None and final.last is not None:
            covered.update(range(max(first, final.first), min(last, final.last) + 1))
    return last - first + 1 - len(covered)


def _numbers(name: str) -> Sequence[str]:
    return [part for part in re.findall(r"[0-9]+", name) if len(part) < 10]
