"""A client's questions about a feature's 50,000 final frames.

The bare measure is reading the same rows once, which nobody who looks at every final frame can do without.
What used a model is found from the model: there the measure is the same question to a tenth of the feature.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest

from ledger.adapters.sql.basis import SqlBasisStore
from ledger.adapters.sql.reading import SqlReadingStore
from ledger.adapters.sql.store import SqlEntryStore
from ledger.core.statement import Statement
from ledger.service.clear.batch import Taken
from ledger.service.clear.impact import Thing
from ledger.service.clear.projecting import BATCH, Projector
from ledger.service.clear.question import Seen
from ledger.service.clear.store import ANYWHERE
from ledger.service.questions import coverage, unknown, used
from ledger.service.questions.coverage import Axis
from ledger.service.questions.finals import Makers
from ledger.service.reading.pages import Page
from ledger.service.studio import Studio
from tests.bench.feature import MODELS, Feature, registry
from tests.bench.table import best_ms, print_table
from tests.support.bare_studio import studio_on
from tests.support.bases import hold
from tests.support.log import ORIGIN, database

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]
LARGE = int(os.environ.get("RAKKAN_BENCH_SHOTS", "650"))
PAGE = Page(("q",), 100)
LIMIT, TENFOLD = 5.0, 20.0
MODEL, WEIGHTS = MODELS[3]


@dataclass(frozen=True)
class Shelf:
    """A studio with a feature's records, and what is known of them."""

    studio: Studio
    seen: Seen
    feature: Feature


@contextmanager
def shelf(folder: Path, shots: int) -> Iterator[Shelf]:
    folder.mkdir()
    feature = Feature(shots=shots)
    with database(folder) as engine:
        store, entries = SqlBasisStore(engine, ORIGIN), SqlEntryStore(engine, ORIGIN)
        told: list[Statement] = []
        projector = Projector(store, told.__getitem__)
        statements = feature.statements()
        while batch := list(islice(statements, BATCH)):
            first = len(told)
            told += batch
            hold(entries, batch, first)
            assert projector.project([Taken(first + n, each) for n, each in enumerate(batch)])
        told.clear()
        studio = studio_on(entries, store, rows=SqlReadingStore(engine, ORIGIN))
        yield Shelf(studio, Seen(registry(), projector.mark.size, ""), feature)


def as_it_is(patch: pytest.MonkeyPatch, found: Shelf) -> None:
    """The log itself is not there, only its rows: what is read off it is given."""
    for module in (coverage, unknown, used):
        patch.setattr(module, "caught_up", lambda _: found.seen.size)
        patch.setattr(module, "see", lambda _: found.seen)
    for module in (coverage, unknown):
        patch.setattr(module, "makers", lambda studio: Makers(studio, {}))
    patch.setattr(used, "thing_on_record", lambda *_: Thing("model", MODEL, frozenset({WEIGHTS}), ()))


def time_used(found: Shelf) -> float:
    """Return the milliseconds until who used a model is told."""
    return best_ms(lambda: used.used(found.studio, MODEL, used.Wanted(), PAGE), 5)


def time_every(found: Shelf) -> list[tuple[str, float, float, float | None]]:
    """Return the questions that look at every final frame, against reading the rows."""
    studio = found.studio
    bare = best_ms(lambda: list(studio.bases.finals_at(ANYWHERE)), 5)
    asked = {
        "unknown origin": lambda: unknown.at_place(studio, ANYWHERE, PAGE),
        "coverage by device": lambda: coverage.coverage(studio, Axis.DEVICE, ANYWHERE, PAGE),
        "coverage by shot": lambda: coverage.coverage(studio, Axis.SHOT, ANYWHERE, PAGE),
    }
    assert unknown.at_place(studio, ANYWHERE, PAGE).to_json()["asked"] == found.feature.finals
    return [(what, best_ms(ask, 3), bare, LIMIT) for what, ask in asked.items()]


def test_questions_cost_little_more_than_reading_the_final_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shelf(tmp_path / "small", LARGE // 10) as found:
        as_it_is(monkeypatch, found)
        small = time_used(found)
    with shelf(tmp_path / "large", LARGE) as found:
        as_it_is(monkeypatch, found)
        rows = [
            *time_every(found),
            ("what used a model, of ten times as much", time_used(found), small, TENFOLD),
        ]
        title = f"Questions about {found.feature.finals:,} final frames in {found.seen.size:,} entries"
    print_table(title, rows)
    assert all(ours <= limit * measure for _, ours, measure, limit in rows if limit is not None)
