"""The bases of a feature: projecting them, reading them for every final frame, and what a dataset touches.

The bare measure is the closure query: everything under one frame, by a recursive query over ``artifact``, as
one would ask for each frame where no basis is kept.
"""

from __future__ import annotations

import gc
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text

from ledger.adapters.profiles import load
from ledger.adapters.sql.basis import SqlBasisStore
from ledger.adapters.sql.store import SqlEntryStore
from ledger.core.predicates import Step
from ledger.core.predicates.delivery import Deliverable, Delivery
from ledger.core.predicates.reasons import Verdict
from ledger.core.predicates.step import StepAction
from ledger.core.rights.basis import Item, ItemKind
from ledger.core.rights.clearance import Engine
from ledger.core.statement import Statement
from ledger.service.clear.batch import Taken
from ledger.service.clear.projecting import BATCH, Projector
from ledger.service.clear.store import Final, Where, unpack
from tests.bench.feature import BEGUN, DATASETS, MODELS, Feature, registry
from tests.bench.table import best_ms, print_table
from tests.support.bases import hold
from tests.support.log import ORIGIN, database

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]
FEATURE = Feature()
CLOSURE = text(
    """WITH RECURSIVE up (prefix, idx) AS (
        SELECT :prefix, NULL
    UNION
        SELECT NULL, made.idx FROM up CROSS JOIN artifact AS made
        WHERE made.log_id = 1 AND substr(made.sha256, 1, 16) = up.prefix AND made.role = 'subject'
    UNION
        SELECT substr(read.sha256, 1, 16), NULL FROM up CROSS JOIN artifact AS read
        WHERE read.log_id = 1 AND read.idx = up.idx AND read.role NOT IN ('subject', 'model', 'dataset'))
    SELECT DISTINCT used.sha256, up.idx FROM up CROSS JOIN artifact AS used
    WHERE used.log_id = 1 AND used.idx = up.idx AND used.role IN ('model', 'dataset')"""
)
"""Written to be fast: each entry and each digest is looked at once, and the joins are kept in their order."""


@dataclass(frozen=True)
class Cinema:
    engine: Database
    store: SqlBasisStore
    entries: int
    files: int
    seconds: float


@pytest.fixture(scope="module")
def cinema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cinema]:
    with database(tmp_path_factory.mktemp("feature")) as engine:
        found = projected(engine)
        gc.collect()  # what projecting remembered is not there when somebody asks
        yield found


def projected(engine: Database) -> Cinema:
    """Project the feature; the time is without that of writing the log's own rows."""
    store, entries = SqlBasisStore(engine, ORIGIN), SqlEntryStore(engine, ORIGIN)
    sheets: dict[int, Statement] = {}
    projector = Projector(store, sheets.__getitem__)  # nothing is late: only what guides is read again
    statements, files, seconds = FEATURE.statements(), 0, 0.0
    while batch := list(islice(statements, BATCH)):
        first = projector.mark.size
        hold(entries, batch, first)
        files += sum(len(statement.subjects) for statement in batch)
        taken = [Taken(index, statement) for index, statement in enumerate(batch, first)]
        sheets |= {each.index: each.statement for each in taken if _draws(each.statement)}
        begun = time.perf_counter()
        assert projector.project(taken)
        seconds += time.perf_counter() - begun
    return Cinema(engine, store, projector.mark.size, files, seconds)


def _draws(statement: Statement) -> bool:
    return isinstance(statement.predicate, Step) and statement.predicate.action is StepAction.DRAW


def read_all(store: SqlBasisStore) -> tuple[list[Final], dict[int, frozenset[Item]]]:
    """Return every final frame, and the distinct bases as the engine takes them."""
    finals = list(store.finals_at(Where()))
    members = {
        basis: unpack(packed) for basis, packed in store.members({row.basis for row in finals}).items()
    }
    items = store.items(frozenset[int]().union(*members.values()))
    return finals, {basis: frozenset(items[item] for item in held) for basis, held in members.items()}


def closure(cinema: Cinema, frames: Sequence[Final]) -> float:
    """Return the milliseconds that the closure query takes for one of these frames, on average."""
    with cinema.engine.connect() as connection:
        begun = time.perf_counter()
        for frame in frames:
            wanted = {"prefix": frame.sha256[:16]}
            assert connection.execute(CLOSURE, wanted).all()
        return (time.perf_counter() - begun) * 1000 / len(frames)


def test_reading_every_final_frame_against_the_closure_of_each(cinema: Cinema) -> None:
    finals, bases = read_all(cinema.store)
    assert len(finals) == FEATURE.finals
    sampled = closure(cinema, finals[:: len(finals) // 200])
    every = best_ms(lambda: read_all(cinema.store), 5)
    rows: list[tuple[str, float, float, float | None]] = [
        (f"{len(finals):,} frames, {len(bases):,} bases", every, sampled * len(finals), None),
        ("one frame, from its place", one_frame(cinema, finals), sampled, None),
    ]
    print_table("bases against the closure query of every frame", rows)
    sys.stdout.write(f"{every * 1000 / len(finals):.1f} µs a frame\n")


def test_clearing_every_final_frame_against_judging_each_by_its_closure(cinema: Cinema) -> None:
    profile, facts, at = load("broadcast-jp"), registry(), BEGUN + timedelta(days=320)
    delivery = Delivery(None, Deliverable.FINAL, profile.media, profile.territories)

    def clear() -> Counter[tuple[Verdict, Verdict]]:
        finals, bases = read_all(cinema.store)
        engine = Engine(facts, profile, delivery, at)
        found = {number: engine.clear(basis) for number, basis in bases.items()}
        return Counter((found[row.basis].then.verdict, found[row.basis].now.verdict) for row in finals)

    finals, bases = read_all(cinema.store)
    sampled = finals[:: len(finals) // 200]
    judged = best_ms(
        lambda: [Engine(facts, profile, delivery, at).clear(bases[row.basis]) for row in sampled], 1
    )
    each = closure(cinema, sampled) + judged / len(sampled)
    every = best_ms(clear, 5)
    rows: list[tuple[str, float, float, float | None]] = [
        (f"{len(finals):,} frames, read and cleared", every, each * len(finals), None),
        ("one frame, cold", one_frame(cinema, finals) + judged / len(sampled), each, None),
    ]
    print_table("clearing a feature against judging every frame by its own closure", rows)
    sys.stdout.write(f"{every * 1000 / len(finals):.1f} µs a frame; {clear()}\n")


def one_frame(cinema: Cinema, finals: Sequence[Final]) -> float:
    """Return the milliseconds from a frame's place to the items of its basis, for frames not asked before."""
    wanted = finals[:: len(finals) // 50]
    begun = time.perf_counter()
    for final in wanted:
        frames = (final.first or 0, final.last or 0)
        found = cinema.store.finals_at(Where(final.sequence, final.shot, frames=frames))
        basis = next(each.basis for each in found if each.sha256 == final.sha256)
        assert cinema.store.items(unpack(cinema.store.members([basis])[basis]))
    return (time.perf_counter() - begun) * 1000 / len(wanted)


def test_projecting_a_feature(cinema: Cinema) -> None:
    mark = cinema.store.mark()
    sys.stdout.write(
        f"\nprojecting {cinema.entries:,} entries, {cinema.files:,} files: {cinema.seconds:.1f} s, "
        f"{cinema.seconds * 1e6 / cinema.entries:.0f} µs an entry, "
        f"{cinema.seconds * 1e6 / cinema.files:.1f} µs a file; {mark.bases:,} bases of {mark.items:,} items\n"
    )


def test_the_blast_radius_of_a_dataset(cinema: Cinema) -> None:
    weights = [sha256 for name, sha256 in MODELS if "dataset-7" in DATASETS[name]]
    things = [(ItemKind.MODEL, sha256) for sha256 in weights]

    def blast() -> tuple[int, int, int]:
        store = cinema.store
        bases = store.bases_with(store.items_about(things))
        steps = [row.index for row in store.steps_on(bases)]
        return len(bases), len(steps), sum(1 for _ in store.finals_of(steps))

    bases, steps, frames = blast()
    sys.stdout.write(
        f"\nblast radius of a dataset: {best_ms(blast, 5):.0f} ms for {bases:,} bases, {steps:,} steps, "
        f"{frames:,} final frames\n"
    )
