"""`rakkan backup` of a log in PostgreSQL, and the way back that docs/operations/backup.md describes."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.e2e.conftest import Studio
from tests.support.postgres import PostgresServer


@pytest.mark.skipif(shutil.which("pg_dump") is None, reason="pg_dump is not installed")
def test_a_dump_comes_back_into_an_empty_database(
    tmp_path: Path, postgres_url: str, postgres_server: PostgresServer
) -> None:
    (tmp_path / "work").mkdir()
    studio = Studio(tmp_path / "home", tmp_path / "work")
    studio.ok("init", "--studio", "Studio Kumo", "--production", "nightfall", "--database", postgres_url)
    studio.record(studio.png())
    made = studio("backup", tmp_path / "copy")
    if made.error == "backup.pg-dump" and "version" in made.err:
        pytest.skip("pg_dump is older than the server")
    assert made.code == 0, made.err
    assert "ledger.pgdump" in json.loads((tmp_path / "copy/backup.json").read_text())["files"]
    studio.fails("restore.postgres", "restore", tmp_path / "copy")

    empty = make_url(postgres_url).set(database=postgres_server.new()).render_as_string(hide_password=False)
    dump = tmp_path / "copy/ledger.pgdump"
    subprocess.run(["pg_restore", "--no-owner", "--dbname", empty, dump], check=True)
    again = Studio(tmp_path / "again", studio.work)
    shutil.copytree(tmp_path / "copy/home", again.home)
    shutil.copytree(studio.home / "keys", again.home / "keys")
    shutil.copyfile(studio.home / "last-signed", again.home / "last-signed")
    settings = json.loads((again.home / "studio.json").read_text())
    (again.home / "studio.json").write_text(json.dumps({**settings, "database": empty}))
    again.ok("fsck")
    again.record(again.png("b.png", 2))


def test_a_server_that_refuses_a_dump_leaves_no_backup(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work").mkdir()
    studio = Studio(tmp_path / "home", tmp_path / "work")
    studio.ok("init", "--studio", "Studio Kumo", "--production", "nightfall", "--database", postgres_url)
    monkeypatch.setenv("PATH", str(tmp_path))
    result = studio("backup", tmp_path / "copy")
    assert result.error == "backup.pg-dump"
    assert not list(tmp_path.glob("*copy*"))
