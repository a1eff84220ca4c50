"""Shots: which there are, the final files of one with their verdicts, and how they are evidenced."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ledger.core.fields import present
from ledger.core.rights.basis import Item
from ledger.errors import UsageError
from ledger.service.clear.clear import coverage_of
from ledger.service.clear.projecting import items_of
from ledger.service.clear.store import Final, Where, steps_of
from ledger.service.places import NO_NAME, Place
from ledger.service.reading.pages import Listing, Page, caught_up
from ledger.service.reading.sight import Sight
from ledger.service.reading.verdicts import Judged, Verdicts, line
from ledger.service.studio import Studio

SAYS = "Of the final files on record. Which files nobody recorded, only `rakkan coverage` can tell."
MOST_BASES = 10_000


def listing(studio: Studio, page: Page) -> Listing:
    """Return a page of shots in the order of their names, each with its steps and final files, counted.

    The limit counts names; a name that is in several sequences or episodes is there for each.
    Raises ``page.cursor``.
    """
    caught_up(studio)
    (after,) = page.place(str) or (None,)
    rows = studio.rows.shots(after, page.limit)
    names = dict.fromkeys(row.shot for row in rows)
    items = [
        {
            "episode": row.episode,
            "sequence": row.sequence,
            "shot": row.shot,
            "steps": row.steps,
            "finals": row.finals,
            "newestEntry": row.newest,
        }
        for row in rows
    ]
    return Listing("shots", items, page.cursor(rows[-1].shot) if len(names) == page.limit else None)


def place_at(episode: str, sequence: str, shot: str) -> Place:
    """Return the shot that three parts of an address name: ``-`` stands for no episode, or no sequence."""
    return Place(None if episode == NO_NAME else episode, None if sequence == NO_NAME else sequence, shot)


def shot(studio: Studio, place: Place, page: Page, sight: Sight) -> Listing:
    """Return a page of a shot's final files, in the order of the log, with their newest verdicts.

    Raises ``UsageError("shot.unknown")`` where no step was made there, and ``page.cursor``.
    """
    size = caught_up(studio)
    steps = steps_of(studio.bases, place)
    if not steps:
        raise UsageError("shot.unknown", "No step was made in this shot.", **present(**place._asdict()))
    finals = sorted(studio.bases.finals_of([row.index for row in steps]))
    after = tuple(page.place(int, int) or (-1, -1))
    left = [final for final in finals if (final.index, final.position) > after]
    shown = left[: page.limit]
    verdicts = Verdicts(studio, size)
    numbers = [number for row in steps for number in (row.first, row.last) if number is not None]
    about = {
        **present(**place._asdict()),
        "steps": len(steps),
        "finalFiles": len(finals),
        **present(frames=_span(numbers)),
    }
    items = [_final(final, verdicts, sight) for final in shown]
    more = len(left) > len(shown)
    return Listing("finals", items, page.cursor(shown[-1].index, shown[-1].position) if more else None, about)


def coverage(studio: Studio, where: Where) -> dict[str, Any]:
    """Return how the final files of a place are evidenced, by what the log holds.

    Raises ``RefusedError("log.behind")``, and ``UsageError("clear.too-many")`` for more than ``MOST_BASES``.
    """
    caught_up(studio)
    counts = studio.rows.final_bases(where)
    if len(counts) > MOST_BASES:
        words = f"The files rest on {len(counts):,} different bases; at most {MOST_BASES:,} are looked at."
        raise UsageError("clear.too-many", words, limit=MOST_BASES)
    items = items_of(studio.bases, list(counts))
    bases = Counter[frozenset[Item]]()
    for number, files in counts.items():
        bases[items[number]] += files
    return {**coverage_of(bases).to_json(), "says": SAYS}


def _span(numbers: list[int]) -> dict[str, int] | None:
    return {"first": min(numbers), "last": max(numbers)} if numbers else None


def _final(final: Final, verdicts: Verdicts, sight: Sight) -> dict[str, Any]:
    frames = None if final.first is None or final.last is None else _span([final.first, final.last])
    found = verdicts.newest(final.sha256) if sight.verdicts else ()
    return {
        **present(
            sha256=final.sha256,
            name=final.name,
            entry=final.index,
            task=final.task,
            version=final.version,
            frames=frames,
        ),
        "verdicts": [line(Judged(final.sha256, final.name, item)) for item in found],
    }
