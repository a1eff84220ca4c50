"""Look-ups of bases use the index that was made for them: SQLite easily walks the whole log instead."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from ledger.adapters.sql.basis import SqlBasisStore
from ledger.core.rights.basis import ItemKind
from ledger.service.clear.store import BasisStore, Where
from tests.support.builders import digest
from tests.support.log import ORIGIN, database

BYTES = digest("bytes")
PLANS: dict[str, tuple[Callable[[BasisStore], object], str]] = {
    "files by bytes": (lambda s: s.links([BYTES], 9, made=False), "artifact_sha256 (log_id=? AND <expr>=?)"),
    "makers by bytes": (
        lambda s: s.links([BYTES], 9, made=True),
        "artifact_sha256 (log_id=? AND <expr>=? AND <expr>=?)",
    ),
    "files by pixels": (lambda s: s.twins([BYTES], 9, made=False), "artifact_pixels (log_id=? AND <expr>=?)"),
    "rows of an entry": (lambda s: s.rows([7]), "sqlite_autoindex_artifact_1 (log_id=? AND idx=?)"),
    "entries": (lambda s: s.entries([7]), "sqlite_autoindex_basis_entry_1 (log_id=? AND idx=?)"),
    "steps of a shot": (
        lambda s: list(s.steps_at(Where("sq", "sh"))),
        "basis_entry_shot (log_id=? AND shot=?",
    ),
    "steps of an episode": (
        lambda s: list(s.finals_at(Where(episode="ep"))),
        "basis_entry_episode (log_id=? AND episode=?",
    ),
    "steps on a basis": (lambda s: list(s.steps_on([7])), "basis_entry_basis (log_id=? AND basis=?)"),
    "items": (lambda s: s.items([7]), "sqlite_autoindex_basis_item_1 (log_id=? AND id=?)"),
    "items about": (
        lambda s: s.items_about([(ItemKind.MODEL, BYTES)]),
        "basis_item_sha256 (log_id=? AND sha256=?)",
    ),
    "a basis": (lambda s: s.find_basis(b""), "sqlite_autoindex_basis_2 (log_id=? AND key=?)"),
    "members": (lambda s: s.members([7]), "sqlite_autoindex_basis_1 (log_id=? AND id=?)"),
    "final files in order": (
        lambda s: list(s.finals_at(Where())),
        "sqlite_autoindex_basis_final_1 (log_id=?",
    ),
}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with database(tmp_path) as engine:
        yield engine


@pytest.mark.parametrize("question", PLANS)
def test_the_index_is_used(engine: Engine, question: str) -> None:
    ask, index = PLANS[question]
    store = SqlBasisStore(engine, ORIGIN)
    asked: list[tuple[str, Any]] = []

    @event.listens_for(engine, "before_cursor_execute")
    def _note(_connection: Any, _cursor: Any, sql: str, parameters: Any, *_: Any) -> None:
        asked.append((sql, parameters))

    ask(store)
    sql, parameters = next(one for one in asked if one[0].startswith("SELECT"))
    with engine.begin() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters).all()
    steps = [step.detail for step in plan]
    assert any(f"INDEX {index}" in step for step in steps), steps
    assert not any(step.startswith("SCAN") or "TEMP B-TREE" in step for step in steps), steps
