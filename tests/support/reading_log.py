"""A log on SQLite that readers can ask, filled without admission: what matters is how much there is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.adapters.sql.basis import SqlBasisStore
from ledger.adapters.sql.reading import SqlReadingStore
from ledger.adapters.sql.store import SqlEntryStore
from ledger.core.statement import Statement
from ledger.service.log.projection import project
from ledger.service.studio import Studio
from ledger.testing import AdmitAll
from tests.support.bare_studio import studio_on
from tests.support.builders import envelope
from tests.support.log import ORIGIN, database

BATCH = 1_000


@contextmanager
def readable(folder: Path) -> Iterator[Studio]:
    """Open a studio on a database, with nobody enrolled."""
    with database(folder) as engine:
        yield studio_on(
            SqlEntryStore(engine, ORIGIN),
            SqlBasisStore(engine, ORIGIN),
            AdmitAll(project),
            SqlReadingStore(engine, ORIGIN),
        )


def fill(studio: Studio, statements: Iterable[Statement]) -> None:
    """Append the statements, signed."""
    batch: list[bytes] = []
    for statement in statements:
        batch.append(envelope(statement.predicate, subjects=statement.subjects))
        if len(batch) == BATCH:
            studio.log.append(batch)
            batch = []
    if batch:
        studio.log.append(batch)
