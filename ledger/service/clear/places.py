"""Places in the production as somebody writes them, and the final files that were made there.

* ``sq010/sh020`` is a shot, ``sh020`` one of any sequence, ``sq010`` a sequence; frames of a shot are such as
  ``sq010/sh020/1001-1020``. An episode stands in front (``ep03/sq010/sh020``), and
  ``-`` for no name: ``nightfall/-/sq010`` is the sequence of no episode.
* ``.`` is all of it: of the production, of an episode (``ep03/.``), of a sequence in one (``ep03/sq010/.``).
* Where no episode is named, what is in none is meant; where nothing is there, what is in the only episode
  that has such a place. Two episodes are never mixed: a text that may mean both is refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from ledger.errors import UsageError
from ledger.service.clear.recorded import Kind, Target, files_of
from ledger.service.clear.store import Final, Where
from ledger.service.places import NO_NAME
from ledger.service.studio import Studio

AMBIGUOUS = "clear.ambiguous"
WHOLE = "."
_FRAMES = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")
_SHOWN = 5


class _Reading(NamedTuple):
    """What a text may mean. ``None`` stands for any, and ``-`` for no name; a name of neither is that one."""

    episode: str | None = None
    sequence: str | None = None
    shot: str | None = None
    frames: tuple[int, int] | None = None

    @property
    def where(self) -> Where:
        """Return what to ask the store for."""
        episode, sequence, shot = (None if name == NO_NAME else name for name in self[:3])
        return Where(sequence, shot, frames=self.frames, episode=episode)

    def holds(self, final: Final) -> bool:
        """Whether a file of that place is meant."""
        return all(
            asked != NO_NAME or name is None for asked, name in zip(self[:3], final.place, strict=True)
        )


def at_place(studio: Studio, text: str, most: int | None = None) -> Target | None:
    """Return the final files of the likeliest place that a text names; ``None`` where there are none.

    The bases must have been caught up. Raises ``UsageError`` with ``clear.too-many`` for more than ``most``
    files, and ``clear.ambiguous`` where it may be in several episodes, or an episode.
    """
    outside, inside = _readings(studio, text)
    found = [target for some in (outside, inside) if (target := _likeliest(studio, text, some, most))]
    if len(found) > 1:
        words = f"{text!r} is an episode, or in one, and something else as well."
        raise UsageError(AMBIGUOUS, words, target=text)
    return found[0] if found else None


def known_places(studio: Studio) -> list[str]:
    """Return the names of the episodes, sequences and shots that have final files."""
    places = {item.place for item in studio.bases.finals_at(Where())}
    whole = {place.words for place in places} | {
        f"{place.episode}/{WHOLE}" for place in places if place.episode
    }
    return sorted({name for name in (*whole, *(place.shot for place in places if place.shot)) if name})


def _likeliest(studio: Studio, text: str, readings: Sequence[_Reading], most: int | None) -> Target | None:
    for reading in readings:
        where = reading.where
        some = studio.bases.finals_at(where)
        found = list(some if most is None else islice(some, most + 1))
        if most is not None and len(found) > most:
            raise UsageError(
                "clear.too-many", f"{text!r} has more than {most:,} final files.", target=text, limit=most
            )
        held = list(_only(where, filter(reading.holds, found)))
        finals = held if reading.episode or reading == _Reading() else _in_one_episode(text, held)
        if finals:
            files = tuple(files_of(studio, finals))
            return Target(text, Kind.PLACE, files, absent=_absent(where, finals))
    return None


def _in_one_episode(text: str, finals: Sequence[Final]) -> Sequence[Final]:
    """Return the files that are in no episode; where there are none, those of the only one."""
    outside = [final for final in finals if final.episode is None]
    episodes = sorted({final.episode for final in finals if final.episode is not None})
    if not outside and len(episodes) > 1:
        named = ", ".join(episodes[:_SHOWN]) + (", …" if len(episodes) > _SHOWN else "")
        raise UsageError(AMBIGUOUS, f"{text!r} is in several episodes: {named}.", target=text)
    return outside or finals


def _readings(studio: Studio, text: str) -> tuple[list[_Reading], list[_Reading]]:
    """Return what a text may mean where it names no episode, and where it does; the likeliest first."""
    parts = text.split("/") if text == WHOLE else text.strip("/").split("/")
    if parts[0] == studio.production:
        parts = parts[1:]
    if parts in ([], [WHOLE]):
        return [_Reading()], []
    if parts[0] == NO_NAME:
        return _inside(NO_NAME, parts[1:]), []
    if parts[-1] == WHOLE:
        return [], [_Reading(parts[0], parts[1] if len(parts) == 3 else None)] if len(parts) in (2, 3) else []
    return _inside(None, parts), _inside(parts[0], parts[1:])


def _inside(episode: str | None, parts: Sequence[str]) -> list[_Reading]:
    """Return what the names after that of the episode may mean."""
    *rest, last = parts or [""]
    frames = _frames(last)
    match rest:
        case [] if not parts:
            return [_Reading(episode)]
        case []:
            return [_Reading(episode, None, last), _Reading(episode, last)]
        case [first]:
            framed = [_Reading(episode, None, first, frames)] if frames else []
            return [_Reading(episode, first, last), *framed]
        case [sequence, shot] if frames:
            return [_Reading(episode, sequence, shot, frames)]
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
