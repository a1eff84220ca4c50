"""Which final files used a model, a service, a dataset or what a grant covers, and when.

* What descends from a model, and what was trained on a dataset, counts: a file that rests on it used it.
* Time is known by the quarter of an hour in which a step ended: a quarter that is only partly asked for
  counts whole.
* *Delivered*: a step on record handed the file over as the delivery (``final`` in docs/spec/capture.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ledger.core.fields import format_time
from ledger.core.predicates import StepV2
from ledger.core.predicates.capture import Event
from ledger.core.rights.basis import TIMELESS, Item, ItemKind, slot_of, slot_start
from ledger.errors import UsageError
from ledger.service.clear.impact import Thing, thing_on_record
from ledger.service.clear.projecting import items_of, on_items
from ledger.service.clear.question import see
from ledger.service.clear.store import Final, Kind
from ledger.service.clear.touched import resting_on
from ledger.service.questions.finals import groups, of_finals, shots_of
from ledger.service.reading.pages import MAX_INDEX, Listing, Page, caught_up
from ledger.service.studio import Studio

_INSTANT = timedelta(microseconds=1)
STEPS = 20
"""Steps that an answer names before it counts the rest."""
_KINDS = (ItemKind.MODEL, ItemKind.SERVICE, ItemKind.DATASET, ItemKind.IMPORT)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Uses between two moments (``None``: without end), and of which files."""

    since: datetime | None = None
    until: datetime | None = None
    delivered: bool = False

    @property
    def slots(self) -> tuple[int, int]:
        """Return the first and the last quarter of an hour."""
        first = TIMELESS + 1 if self.since is None else slot_of(self.since)
        return first, MAX_INDEX if self.until is None else slot_of(self.until - _INSTANT)


def used(studio: Studio, text: str, wanted: Wanted, page: Page) -> Listing:
    """Return a page of the final files that used a thing, in the order of the log, and the steps that did.

    Raises ``UsageError`` with ``clear.unknown-thing`` and, for a file, ``question.thing``;
    ``RefusedError("log.behind")`` and ``MalformedError("page.cursor")``.
    """
    after = tuple(page.place(int, int) or (-1, -1))
    caught_up(studio)
    seen = see(studio)
    thing = thing_on_record(studio, seen.facts, text)
    if thing.kind == "file":
        words = f"{text!r} is a file: this is asked of models, services, datasets and grants."
        raise UsageError("question.thing", words, name=text)
    digests = resting_on(seen.facts, thing.digests)
    items = _items(studio, digests, wanted)
    finals = sorted(on_items(studio, items).finals)
    if wanted.delivered:
        finals = _delivered(studio, finals)
    basis_of = {(final.index, final.position): final.basis for final in finals}
    files = list(of_finals(studio, seen.facts, finals))
    left = [file for file in files if (file.index, file.position) > after]
    shown = left[: page.limit]
    held = items_of(studio.bases, {basis_of[file.index, file.position] for file in shown})
    wanted_items = frozenset(items.values())
    last = shown[-1] if len(left) > len(shown) else None
    return Listing(
        "files",
        [
            {**file.to_json(), "uses": _uses(held[basis_of[file.index, file.position]] & wanted_items)}
            for file in shown
        ],
        page.cursor(last.index, last.position) if last else None,
        {
            **_about(thing, seen.size, wanted),
            "found": len(files),
            "shots": groups(shots_of(files), page.limit),
            "steps": _steps(studio, sorted(digests), wanted),
        },
    )


def _about(thing: Thing, size: int, wanted: Wanted) -> dict[str, Any]:
    return {
        "tree": {"size": size},
        "thing": {"kind": thing.kind, "name": thing.name, "sha256": sorted(thing.digests)},
        "since": wanted.since and format_time(wanted.since),
        "until": wanted.until and format_time(wanted.until),
        "delivered": wanted.delivered,
    }


def _items(studio: Studio, digests: Iterable[str], wanted: Wanted) -> Mapping[int, Item]:
    """Return the uses of these things in the time that is asked for, by their numbers."""
    first, last = wanted.slots
    numbers = studio.bases.items_about([(kind, sha256) for sha256 in digests for kind in _KINDS])
    found = studio.bases.items(numbers).items()
    return {number: item for number, item in found if first <= item.slot <= last}


def _delivered(studio: Studio, finals: Sequence[Final]) -> list[Final]:
    """Return those of the files that a step handed over as the delivery."""
    entries = studio.bases.entries({final.index for final in finals})
    handed = {index for index, row in entries.items() if row.kind == Kind.HANDED and _is_final(studio, index)}
    delivered = {final.sha256 for final in finals if final.index in handed}
    return [final for final in finals if final.sha256 in delivered]


def _is_final(studio: Studio, index: int) -> bool:
    step = studio.statement(index).predicate
    return isinstance(step, StepV2) and step.capture is not None and step.capture.event is Event.FINAL


def _uses(items: Iterable[Item]) -> list[dict[str, Any]]:
    """Return what was used and when at the earliest and at the latest, thing by thing."""
    slots: dict[tuple[str, str], list[int]] = {}
    for item in items:
        slots.setdefault((item.kind.value, item.name), []).append(item.slot)
    return [
        {"kind": kind, "name": name, "first": _moment(min(held)), "last": _moment(max(held))}
        for (kind, name), held in sorted(slots.items())
    ]


def _moment(slot: int) -> str:
    return format_time(slot_start(slot).astimezone(UTC))


def _steps(studio: Studio, digests: Sequence[str], wanted: Wanted) -> dict[str, Any]:
    count, first = studio.rows.steps_using(digests, *wanted.slots, STEPS)
    return {"count": count, "entries": list(first), "others": count - len(first)}
