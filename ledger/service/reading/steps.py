"""Steps in the order of the log: by shot, by device, by tool, and since when the log has had them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger.core.artifact import Artifact
from ledger.core.fields import present
from ledger.core.predicates import Enrolment, Step
from ledger.core.predicates.enrolment import KeyRole
from ledger.errors import UsageError
from ledger.service.clear.store import ANYWHERE, Where
from ledger.service.reading.entries import STEPS, short, whole
from ledger.service.reading.pages import Listing, Page, caught_up, size_of
from ledger.service.reading.store import PIECE
from ledger.service.studio import Studio

WINDOW = 50_000
"""Entries that one page looks through where only one key's are asked for."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which steps; ``None`` for any. ``tool`` is a tool's name, ``device`` a device's name or key."""

    where: Where = ANYWHERE
    tool: str | None = None
    device: str | None = None
    since: datetime | None = None


def listing(studio: Studio, wanted: Wanted, page: Page) -> Listing:
    """Return a page of steps, oldest entry first.

    A page may hold less than was asked for, even nothing, and still have a next one: at most ``PIECE`` steps
    are looked at. Raises ``MalformedError("page.cursor")``.
    """
    (after,) = page.place(int) or (-1,)
    if wanted.since is not None:
        after = max(after, studio.rows.first_since(wanted.since) - 1)
    keys = _keys(studio, wanted.device)
    indices, last = _candidates(studio, wanted, keys, after)
    found: list[dict[str, Any]] = []
    for index in indices:
        if _matches(studio, index, wanted, keys):
            if len(found) == page.limit:
                return Listing("steps", found, page.cursor(index - 1))
            found.append(_line(studio, index))
    return Listing("steps", found, None if last is None else page.cursor(last))


def step(studio: Studio, index: int) -> dict[str, Any]:
    """Return a step whole. Raises ``UsageError("log.no-such-entry")`` also for an entry of another kind."""
    if studio.rows.types([index]).get(index) not in STEPS:
        raise UsageError("log.no-such-entry", "The log has no such step.", index=index)
    return whole(studio, index)


def _candidates(
    studio: Studio, wanted: Wanted, keys: frozenset[str] | None, after: int
) -> tuple[Sequence[int], int | None]:
    """Return entries to look at, in order, and behind which one there may be more; ``None``: no more."""
    if wanted.where != ANYWHERE:
        indices = studio.rows.steps(wanted.where, after, caught_up(studio))
        return indices, indices[-1] if len(indices) == PIECE else None
    size = size_of(studio)
    if keys is None:
        indices = [row.index for row in studio.rows.statements(STEPS, after, size)]
        return indices, indices[-1] if len(indices) == PIECE else None
    stop = min(size, after + 1 + WINDOW)
    rows = sorted(row.index for key in keys for row in studio.rows.statements(STEPS, after, stop, key))
    indices = rows[:PIECE]
    if len(indices) == PIECE:
        return indices, indices[-1]
    return indices, stop - 1 if stop < size else None


def _matches(studio: Studio, index: int, wanted: Wanted, keys: frozenset[str] | None) -> bool:
    predicate = studio.statement(index).predicate
    if not isinstance(predicate, Step):
        return False
    if wanted.tool is not None and predicate.tool.name != wanted.tool:
        return False
    return keys is None or studio.envelope(index).signatures[0].keyid in keys


def _line(studio: Studio, index: int) -> dict[str, Any]:
    statement = studio.statement(index)
    return {**short(studio, index), "wrote": [_file(item) for item in statement.subjects]}


def _file(item: Artifact) -> dict[str, Any]:
    return present(name=item.name, sha256=item.sha256, pixels=item.pixels)


def _keys(studio: Studio, device: str | None) -> frozenset[str] | None:
    """Return the keys that a device has had, or the key itself; ``None`` where every device is meant."""
    if device is None:
        return None
    return frozenset((device, *_keys_named(studio, device)))


def _keys_named(studio: Studio, device: str) -> Iterator[str]:
    for row in studio.entries.statements(Enrolment.TYPE):
        statement = studio.statement(row.index)
        predicate = statement.predicate
        if (
            isinstance(predicate, Enrolment)
            and predicate.role is KeyRole.DEVICE
            and predicate.device == device
        ):
            yield statement.subjects[0].sha256
