"""The registry as lists: every thing of one kind under its name, searched, and page by page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from ledger.core.artifact import Artifact
from ledger.core.predicates import ModelV2
from ledger.core.rights.facts import Facts, Known
from ledger.service.desk.ending import consents_of
from ledger.service.reading import registry
from ledger.service.reading.pages import Page
from ledger.service.rights.lineage import GrantGlance, glance
from ledger.service.rights.reading import records_of
from ledger.service.studio import Studio


class Shelf(StrEnum):
    """What the desk lists, as addresses call it."""

    MODELS = "models"
    DATASETS = "datasets"
    GRANTS = "grants"
    PARTIES = "parties"
    SERVICES = "services"
    TITLES = "titles"
    WORKS = "works"
    CONSENTS = "consents"


_BY_DIGEST = (Shelf.MODELS, Shelf.DATASETS, Shelf.WORKS)


@dataclass(frozen=True, slots=True)
class Row:
    """A thing in its newest statement. ``id`` is what its address holds, ``name`` what people call it.

    ``kind`` is a model's or a party's, ``standing`` that of its newest review.
    """

    shelf: Shelf
    id: str
    name: str
    stated: Known[Any]
    kind: str | None = None
    standing: str | None = None
    grant: GrantGlance | None = None

    @property
    def subject(self) -> Artifact:
        """Return what the statement is about, or the first of several."""
        return self.stated.subjects[0]


def shelved(studio: Studio, facts: Facts, shelf: Shelf, at: datetime) -> list[Row]:
    """Return everything of one kind, by name."""
    return sorted(_rows(studio, facts, shelf, at), key=_place)


def search(studio: Studio, facts: Facts, text: str, at: datetime) -> list[Row]:
    """Return everything whose name or identifier holds the text, or whose digest begins with it, by name."""
    found = (row for shelf in Shelf for row in shelved(studio, facts, shelf, at))
    return [row for row in found if matches(row, text)]


def matches(row: Row, text: str) -> bool:
    """Whether a name or an identifier holds the text, in either case, or its own digest begins with it."""
    wanted, digest = text.strip().casefold(), row.subject.sha256
    held = [row.name.casefold(), *([row.id.casefold()] if row.id != digest else [])]
    return any(wanted in each for each in held) or (row.shelf in _BY_DIGEST and digest.startswith(wanted))


def page_of(rows: Sequence[Row], page: Page) -> tuple[Sequence[Row], str | None]:
    """Return the rows of a page, and the cursor of the next. Raises ``page.cursor``."""
    after = tuple(page.place(str, str) or ("", ""))
    left = [row for row in rows if _place(row) > after]
    shown = left[: page.limit]
    return shown, page.cursor(*_place(shown[-1])) if len(left) > len(shown) else None


def _rows(studio: Studio, facts: Facts, shelf: Shelf, at: datetime) -> Iterator[Row]:
    if shelf is Shelf.CONSENTS:
        for name, consent in consents_of(facts, records_of(studio)).items():
            yield Row(shelf, name, name, consent)
        return
    # A grant of the first version may have been stated several times: the newest is listed.
    grants = {item.stated.index: glance(item, at) for item in facts.grants} if shelf is Shelf.GRANTS else {}
    for thing in registry.things(facts, registry.Kind(shelf.value)):
        predicate = thing.stated.predicate
        review = facts.review(thing.stated.subjects[0].sha256, at)
        yield Row(
            shelf,
            thing.id,
            getattr(predicate, "name", None) or thing.id,
            thing.stated,
            _kind(predicate),
            review.predicate.standing.value if review else None,
            grants.get(thing.stated.index),
        )


def _kind(predicate: Any) -> str | None:
    if isinstance(predicate, ModelV2):
        return predicate.kind.value
    kind = getattr(predicate, "kind", None)
    return kind.value if kind else None


def _place(row: Row) -> tuple[str, str]:
    return row.name.casefold(), row.id
