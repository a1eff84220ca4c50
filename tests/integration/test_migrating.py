"""Many processes are told to migrate at once: one does, the others wait, and all find the new schema."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from ledger.adapters.sql.engine import open_database
from ledger.errors import UsageError
from tests.support.postgres import PostgresServer

ROOT = Path(__file__).resolve().parents[2]
WORK = """
import logging, sys
logging.basicConfig(level=logging.WARNING, stream=sys.stdout, format="%(message)s")
logging.getLogger("alembic.runtime.migration").setLevel(logging.INFO)
from ledger.adapters.sql.schema import upgrade
sys.stdin.readline()
upgrade(sys.argv[1])
"""


def old(url: str) -> None:
    """Make a database of the first version."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(ROOT / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()


def race(url: str) -> list[int]:
    """Let four processes upgrade at once; return how many migrations each ran."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORK, url],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("\n")
        worker.stdin.flush()
    said = [worker.communicate(timeout=60)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * 4, said
    return sorted(text.count("Running upgrade") for text in said)


def _once(url: str) -> None:
    old(url)
    with pytest.raises(UsageError, match="another version"):
        open_database(url)
    *others, one = race(url)
    assert others == [0, 0, 0]
    assert one >= 3
    open_database(url).dispose()


def test_on_sqlite_exactly_one_of_four_migrates(tmp_path: Path) -> None:
    _once(f"sqlite:///{tmp_path / 'ledger.sqlite'}")


def test_on_postgresql_exactly_one_of_four_migrates(postgres_server: PostgresServer) -> None:
    _once(postgres_server.url(postgres_server.new()))
