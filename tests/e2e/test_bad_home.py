"""A studio's home or trust root that is missing, damaged or of another version."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import Studio
from tests.support.mishaps import RECORD

NEED_A_HOME = [
    ("record", "x.png"),
    ("seal", "x.png"),
    ("show", "0"),
    ("export", "0"),
    ("publish",),
    ("rebuild",),
    ("enrol", "laptop"),
    ("init", "--upgrade"),
    ("dataset", "add", "x", "x.csv"),
    ("model", "add", "x", "x.bin"),
]


@pytest.mark.parametrize("arguments", NEED_A_HOME, ids=" ".join)
def test_no_home(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    nobody = Studio(tmp_path / "nowhere", tmp_path)
    result = nobody.fails("home.missing", *arguments)
    assert "rakkan init" in result.err
    assert not (tmp_path / "nowhere").exists()


def test_a_database_of_another_schema(studio: Studio) -> None:
    with sqlite3.connect(studio.home / "ledger.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.close()
    studio.fails("home.schema", "record", studio.png(), *RECORD)
    studio.fails("home.schema", "verify", studio.png())


def test_a_database_that_is_none(studio: Studio) -> None:
    (studio.home / "ledger.sqlite").write_bytes(b"this is no database, but it is long enough to be one" * 40)
    result = studio("record", studio.png(), *RECORD)
    assert (result.code, result.error) == (1, "log.corrupt")


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("studio.json", b"{", "home.malformed"),
        ("studio.json", b"{}", "home.malformed"),
        ("studio.json", b"\xff", "home.malformed"),
        ("trust.json", b"{", "trust.malformed"),
        ("trust.json", b"[]", "trust.malformed"),
    ],
)
def test_a_damaged_home(studio: Studio, name: str, content: bytes, code: str) -> None:
    (studio.home / name).write_bytes(content)
    result = studio.fails(code, "record", studio.png(), *RECORD)
    assert name in result.err


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: "{",
        lambda text: "[1, 2]",
        lambda text: "null",
        lambda text: text.replace('"logs"', '"log"'),
        lambda text: text.replace("trust-root/v1", "trust-root/v9"),
        lambda text: text.replace('"registrars": [', '"registrars": ["AAAA",'),
        lambda text: text.replace("+", "*", 1),
        lambda text: text.replace("BEGIN CERTIFICATE", "BEGIN CERTIFICAT"),
        lambda text: text.replace("{", '{"studio": "twice",', 1),
        lambda text: text + "x" * 2_000_000,
    ],
)
def test_a_malformed_trust_root(studio: Studio, change: Callable[[str], str]) -> None:
    path = studio.sealed()
    trust = studio.work / "trust.json"
    trust.write_text(change(studio.trust.read_text()))
    studio.fails("trust.malformed", "verify", path, "--offline", "--trust", trust)
