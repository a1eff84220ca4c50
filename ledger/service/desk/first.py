"""The desk's first page: what ends soon, what was taken back, what nobody has looked at, what was decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from ledger.core.predicates import Approval, GrantRevocation, Override, Review
from ledger.core.predicates.answer import Grade
from ledger.core.predicates.review import Standing
from ledger.core.rights.facts import FactRecord, Facts
from ledger.core.rights.profile import Profile
from ledger.service.clear.question import Asked, ask, see
from ledger.service.desk.ending import Ending, endings
from ledger.service.desk.graded import Grader
from ledger.service.desk.hanging import Hanging
from ledger.service.desk.shelves import Row, Shelf, shelved
from ledger.service.reading.pages import caught_up
from ledger.service.rights.reading import records_of
from ledger.service.studio import Studio

T = TypeVar("T")
SHOWN = 12
"""Rows of each part; of endings ``ENDINGS``. The lists have all."""
ENDINGS = 50
DAYS = (30, 90, 365)


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """The first rows, each with how many final files rest on it, and how many rows there are."""

    rows: tuple[tuple[T, int], ...]
    count: int


@dataclass(frozen=True, slots=True)
class First:
    """``shelves`` counts what is registered, ``files`` all final files. ``decisions`` are the newest entries.

    ``grades`` are those of the models and datasets that are shown, by SHA-256.
    """

    at: datetime
    days: int
    files: int
    shelves: dict[Shelf, int]
    ending: Part[Ending]
    revoked: Part[FactRecord]
    unclear: Part[Row]
    models: Part[Row]
    datasets: Part[Row]
    decisions: tuple[FactRecord, ...]
    grades: dict[str, Grade | None]

    @property
    def empty(self) -> bool:
        """Whether nothing is registered at all."""
        return not any(self.shelves.values())


def first_page(studio: Studio, days: int, profile: Profile) -> First:
    """Return the desk as it stands now. Raises ``RefusedError`` with ``log.behind`` or ``log.busy``."""
    caught_up(studio)
    facts, question = see(studio).facts, ask(studio, profile, Asked())
    at, grader = question.at, Grader(facts, question)
    hanging, records = Hanging(studio, facts), records_of(studio)
    rows = {shelf: shelved(studio, facts, shelf, at) for shelf in Shelf}
    things = (*rows[Shelf.MODELS], *rows[Shelf.DATASETS])
    unclear = [row for row in things if row.standing != Standing.ACCEPTED]

    def on_row(row: Row) -> int:
        return hanging.count([row.subject.sha256])

    looked, models, datasets = (
        _weightiest(some, on_row, rank)
        for some, rank in (
            (sorted(unclear, key=_worst), _worst),
            (rows[Shelf.MODELS], _equal),
            (rows[Shelf.DATASETS], _equal),
        )
    )
    return First(
        at,
        days,
        hanging.all,
        {shelf: len(held) for shelf, held in rows.items()},
        _part(endings(facts, records, at, days), lambda item: _under(hanging, item), ENDINGS),
        _part(_revocations(records, facts), lambda item: _revoked(hanging, item)),
        looked,
        models,
        datasets,
        tuple(_decisions(records)[:SHOWN]),
        {
            row.subject.sha256: _grade(grader, row)
            for part in (looked, models, datasets)
            for row, _ in part.rows
        },
    )


def _grade(grader: Grader, row: Row) -> Grade | None:
    sha256 = row.subject.sha256
    return grader.model(sha256).grade if row.shelf is Shelf.MODELS else grader.dataset(sha256)


def _part(rows: Sequence[T], files: Callable[[T], int], most: int = SHOWN) -> Part[T]:
    return Part(tuple((row, files(row)) for row in rows[:most]), len(rows))


def _weightiest(
    rows: Sequence[Row], files: Callable[[Row], int], rank: Callable[[Row], tuple[bool, bool]]
) -> Part[Row]:
    """Return the rows on which most rests, within their rank."""
    counted = [(row, files(row)) for row in rows]
    counted.sort(key=lambda pair: (rank(pair[0]), -pair[1]))
    return Part(tuple(counted[:SHOWN]), len(rows))


def _under(hanging: Hanging, item: Ending) -> int:
    return hanging.count(subject.sha256 for subject in item.about)


def _revoked(hanging: Hanging, record: FactRecord) -> int:
    return hanging.count(subject.sha256 for subject in record.statement.subjects)


def _equal(_: Row) -> tuple[bool, bool]:
    return False, False


def _worst(row: Row) -> tuple[bool, bool]:
    """Return the rank of a thing that is not accepted: the withdrawn, the contested, the unreviewed."""
    return row.standing is None, row.standing != Standing.WITHDRAWN


def _revocations(records: Iterable[FactRecord], facts: Facts) -> list[FactRecord]:
    """Return the revocations that count, the newest first."""
    counted = {item.revoked.index for item in facts.grants if item.revoked}
    found = [
        record
        for record in records
        if record.index in counted and isinstance(record.statement.predicate, GrantRevocation)
    ]
    return found[::-1]


def _decisions(records: Iterable[FactRecord]) -> list[FactRecord]:
    """Return what people decided, the newest first."""
    kinds = (Review, Approval, Override)
    return [item for item in records if item.by_registrar and isinstance(item.statement.predicate, kinds)][
        ::-1
    ]
