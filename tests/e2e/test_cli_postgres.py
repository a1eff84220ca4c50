"""A studio whose log is in PostgreSQL, through the command line."""

import stat
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from ledger.adapters.home import Home
from ledger.adapters.settings import Settings
from ledger.errors import RefusedError
from ledger.wiring import enrolment
from tests.e2e.conftest import Studio
from tests.support.postgres import PostgresServer

INIT = ("init", "--studio", "Studio Kumo", "--production", "nightfall", "--database")


def studio_at(folder: Path) -> Studio:
    (folder / "work").mkdir(parents=True)
    return Studio(folder / "home", folder / "work")


def test_a_studio_works_on_postgres(
    tmp_path: Path, postgres_url: str, postgres_server: PostgresServer
) -> None:
    studio = studio_at(tmp_path)
    studio.ok(*INIT, postgres_url)
    assert not list(studio.home.glob("ledger.sqlite*"))
    frame = studio.work / "frame.exr"
    frame.write_bytes(b"\x76\x2f\x31\x01 a frame")
    studio.ok("record", frame, "--prompt", "a lantern")
    studio.ok("seal", frame)
    assert studio.ok("verify", frame).out.startswith("✓ Proven")
    studio.ok("publish")
    assert (studio.home / "log" / "checkpoint").exists()
    name = make_url(postgres_url).database or ""
    rows = "SELECT * FROM artifact ORDER BY log_id, idx, seq"
    before = postgres_server.run(rows, name=name)
    postgres_server.run("DELETE FROM artifact", "DELETE FROM tile", name=name)
    studio.ok("rebuild")
    assert postgres_server.run(rows, name=name) == before
    assert studio.ok("init", "--upgrade").out
    frame.write_bytes(b"\x76\x2f\x31\x01 another")
    assert studio("verify", frame).code == 1


def test_a_log_is_founded_once(tmp_path: Path, postgres_url: str) -> None:
    first, second = studio_at(tmp_path / "1"), studio_at(tmp_path / "2")
    first.ok(*INIT, postgres_url)
    refused = second(*INIT, postgres_url)
    assert (refused.error, refused.code) == ("home.exists", 2)
    assert list(second.home.iterdir()) == []
    second.ok(*INIT, postgres_url, "--origin", "ledger.kumo.example/second")
    first.ok("enrol", "render-07")


def test_a_studio_that_could_not_be_founded_leaves_no_log(
    tmp_path: Path,
    postgres_url: str,
    postgres_server: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    enrol, calls = enrolment._enrol, []

    def failing(home: Home, device: str, *rest: Any) -> int:
        calls.append(device)
        if device == "workstation":
            raise RefusedError("log.storage", "The second enrolment fails.")
        return enrol(home, device, *rest)

    studio = studio_at(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(enrolment, "_enrol", failing)
        assert studio(*INIT, postgres_url).error == "log.storage"
    assert calls == ["registrar", "workstation"]
    name = make_url(postgres_url).database or ""
    assert postgres_server.run("SELECT * FROM log", name=name) == []
    assert postgres_server.run("SELECT * FROM entry", name=name) == []
    studio.ok(*INIT, postgres_url)


def test_the_password_is_nobody_s_business(tmp_path: Path, postgres_url: str) -> None:
    studio = studio_at(tmp_path)
    with_password = postgres_url.replace("//postgres:@", "//postgres:hemlig@")
    shown = studio.ok(*INIT, with_password)
    assert "hemlig" not in shown.out + shown.err
    assert stat.S_IMODE((studio.home / "studio.json").stat().st_mode) == 0o600
    assert "hemlig" not in repr(Settings("s", "p", "o", "log", None, with_password))
    wrong = studio.process("enrol", "x", PGCONNECT_TIMEOUT="1")
    assert "hemlig" not in wrong.stdout + wrong.stderr


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("postgresql://u:hemlig@127.0.0.1:1/d", "log.storage"),
        ("mysql://u:hemlig@localhost/d", "database.url"),
        ("nonsense", "database.url"),
    ],
)
def test_a_database_that_cannot_be_used_leaves_no_studio(tmp_path: Path, url: str, code: str) -> None:
    studio = studio_at(tmp_path)
    result = studio(*INIT, url)
    assert (result.error, result.code) == (code, 2)
    assert "hemlig" not in result.out + result.err
    assert list(studio.home.iterdir()) == []
