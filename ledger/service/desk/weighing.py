"""What a revocation would change, before anybody signs it: by shot, frame by frame, then and now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ledger.core.predicates.answer import Reason
from ledger.core.predicates.reasons import Verdict
from ledger.core.rights.profile import Profile
from ledger.service.clear.impact import Impact, WhatIf, impact, thing_on_record, what_if
from ledger.service.clear.question import Asked, ask, see
from ledger.service.clear.store import Final
from ledger.service.desk.graded import Group, grouped
from ledger.service.places import Place
from ledger.service.reading.pages import caught_up
from ledger.service.studio import Studio

MOST_SHOTS = 100
"""Shots that are told one by one: those where most changes."""

Run = tuple[Verdict, int]
"""So many frames of one verdict, one after the other."""


@dataclass(frozen=True, slots=True)
class Shot:
    """The final files of a shot that rest on the thing, and how many of them would have another verdict."""

    place: Place
    files: int
    moved: int
    before: tuple[Run, ...]
    after: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Weighed:
    """``before`` and ``after`` are all final files that rest on the thing, in the order of their places.

    ``shots`` are those where anything changes, most changes first; ``others`` counts those left out. ``why``
    are the reasons that would be new, each use of a thing once.
    """

    found: Impact
    changed: WhatIf
    before: tuple[Run, ...]
    after: tuple[Run, ...]
    shots: tuple[Shot, ...]
    others: int
    why: tuple[Group, ...]


def resting(studio: Studio, text: str) -> Impact:
    """Return what rests on a thing of the log. Raises as ``clearances.impact``."""
    caught_up(studio)
    seen = see(studio)
    return impact(studio, seen, thing_on_record(studio, seen.facts, text))


def weighed(studio: Studio, text: str, effective: datetime, profile: Profile) -> Weighed:
    """Return what would change if the grants about a thing were revoked. Raises as ``clearances.impact``."""
    caught_up(studio)
    seen = see(studio)
    found = impact(studio, seen, thing_on_record(studio, seen.facts, text))
    changed = what_if(studio, seen, ask(studio, profile, Asked()), found, effective)
    ordered = sorted(changed.judged, key=lambda item: _order(item[0]))
    places: dict[Place, list[tuple[Final, Verdict, Verdict]]] = {}
    for item in ordered:
        places.setdefault(item[0].place, []).append(item)
    shots = [_shot(place, items) for place, items in places.items()]
    moved = sorted((shot for shot in shots if shot.moved), key=lambda shot: -shot.moved)
    return Weighed(
        found,
        changed,
        runs(before for _, before, _ in ordered),
        runs(after for _, _, after in ordered),
        tuple(moved[:MOST_SHOTS]),
        max(0, len(moved) - MOST_SHOTS),
        grouped(_distinct(item.reason for item in changed.reasons)),
    )


def _distinct(reasons: Iterable[Reason]) -> Iterable[Reason]:
    """Return the reasons without those that differ only in the way that leads to the thing."""
    return {(reason.code, reason.sha256, reason.use): reason for reason in reasons}.values()


def runs(verdicts: Iterable[Verdict]) -> tuple[Run, ...]:
    """Return the verdicts as runs: those that follow one another and are the same are one."""
    found: list[Run] = []
    for verdict in verdicts:
        if found and found[-1][0] is verdict:
            found[-1] = verdict, found[-1][1] + 1
        else:
            found.append((verdict, 1))
    return tuple(found)


def counts(found: Iterable[Run]) -> Counter[Verdict]:
    """Return how many frames of the runs have which verdict."""
    total = Counter[Verdict]()
    for verdict, count in found:
        total[verdict] += count
    return total


def _shot(place: Place, items: Sequence[tuple[Final, Verdict, Verdict]]) -> Shot:
    moved = sum(before is not after for _, before, after in items)
    before = runs(before for _, before, _ in items)
    after = runs(after for _, _, after in items)
    return Shot(place, len(items), moved, before, after)


def _order(final: Final) -> tuple[str, str, str, int, int, int]:
    first = final.first if final.first is not None else -1
    episode, sequence, shot = (name or "" for name in final.place)
    return episode, sequence, shot, first, final.index, final.position
