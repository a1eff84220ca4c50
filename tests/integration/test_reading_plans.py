"""Every question of a reader uses an index, and sorts nothing that is as long as the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from ledger.adapters.sql.reading import SqlReadingStore
from ledger.service.clear.store import ANYWHERE, Where
from ledger.service.reading.entries import FILES, STEPS
from ledger.service.reading.store import Place, ReadingStore
from tests.support.builders import digest
from tests.support.log import ORIGIN, database

BYTES = digest("bytes")
PLANS: dict[str, tuple[Callable[[ReadingStore], object], str]] = {
    "makers": (
        lambda s: s.made(BYTES, 9),
        "INDEX artifact_sha256 (log_id=? AND <expr>=? AND <expr>=? AND idx<?)",
    ),
    "users": (
        lambda s: s.uses(BYTES, 3, 9),
        "INDEX artifact_sha256 (log_id=? AND <expr>=? AND <expr>=? AND idx>? AND idx<?)",
    ),
    "twins": (lambda s: s.seen(BYTES, 9), "INDEX artifact_pixels (log_id=? AND <expr>=?)"),
    "files": (
        lambda s: s.subjects(FILES, Place(3), 9, "night"),
        "INDEX sqlite_autoindex_artifact_1 (log_id=? AND idx>? AND idx<?)",
    ),
    "entries": (
        lambda s: s.statements(STEPS, 3, 9, BYTES),
        "INDEX statement_predicate_type (log_id=? AND predicate_type=? AND idx>? AND idx<?)",
    ),
    "steps of a shot": (
        lambda s: s.steps(Where("sq", "sh", "comp"), 3, 9),
        "INDEX basis_entry_shot (log_id=? AND shot=?",
    ),
    "steps": (lambda s: s.steps(ANYWHERE, 3, 9), "basis_entry_1 (log_id=? AND idx>? AND idx<?)"),
    "shots": (lambda s: s.shots("sh", 3), "COVERING INDEX basis_entry_shot (log_id=? AND shot>?)"),
    "types": (lambda s: s.types([7]), "sqlite_autoindex_statement_1 (log_id=? AND idx=?)"),
    "types of many": (lambda s: s.types(range(500)), "sqlite_autoindex_statement_1 (log_id=? AND idx=?)"),
    "keys of many": (lambda s: s.keyids(range(500)), "sqlite_autoindex_statement_1 (log_id=? AND idx=?)"),
    "steps using": (
        lambda s: s.steps_using([BYTES], 3, 9, 5),
        "INDEX artifact_sha256 (log_id=? AND <expr>=? AND <expr>=?)",
    ),
    "since": (
        lambda s: s.first_since(datetime(2026, 1, 1, tzinfo=UTC)),
        "sqlite_autoindex_head_1 (log_id=?)",
    ),
}
SORTED = {"twins", "steps of a shot"}
"""What is sorted for an answer: the files with one picture, the steps of one shot."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with database(tmp_path) as engine:
        yield engine


@pytest.mark.parametrize("question", PLANS)
def test_the_index_is_used(engine: Engine, question: str) -> None:
    ask, index = PLANS[question]
    store = SqlReadingStore(engine, ORIGIN)
    asked: list[tuple[str, Any]] = []

    @event.listens_for(engine, "before_cursor_execute")
    def _note(_connection: Any, _cursor: Any, sql: str, parameters: Any, *_: Any) -> None:
        asked.append((sql, parameters))

    ask(store)
    sql, parameters = next(one for one in asked if one[0].startswith("SELECT"))
    with engine.begin() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters).all()
    steps = [step.detail for step in plan]
    assert any(index in step for step in steps), steps
    assert question in SORTED or not any("TEMP B-TREE FOR ORDER" in step for step in steps), steps
