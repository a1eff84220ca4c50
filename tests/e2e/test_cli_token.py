"""A studio whose log's key never was a file: made in a token, used there, refused without it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger.core.checkpoint import open_checkpoint
from ledger.core.note import parse_vkey
from tests.e2e.conftest import Result, Studio
from tests.support.token import PIN, Token, new_token, seen_here, stop

NAMES = ("--studio", "Studio Kumo", "--production", "nightfall")
STEP = ("--action", "draw", "--tool", "Krita 5.2")


@dataclass(frozen=True)
class Kumo:
    """A studio that is not founded yet, and its token. The PIN is in a file."""

    token: Token
    studio: Studio
    pin: Path

    def uri(self, path: str = "token=studio;object=log") -> str:
        return self.token.uri(path, f"&pin-source=file:{self.pin}")

    def found(self, uri: str | None = None) -> Result:
        return self.studio("init", *NAMES, "--log-key", uri or self.uri())


@pytest.fixture
def kumo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kumo:
    token, pin = new_token(tmp_path / "token"), tmp_path / "pin"
    seen_here(token, monkeypatch)
    (tmp_path / "work").mkdir()
    pin.write_text(PIN)
    pin.chmod(0o600)
    return Kumo(token, Studio(tmp_path / "home", tmp_path / "work"), pin)


def holders(folder: Path, needle: bytes) -> set[str]:
    """The names of the files that hold these bytes."""
    return {path.name for path in folder.rglob("*") if path.is_file() and needle in path.read_bytes()}


def test_a_whole_studio_with_its_log_key_in_a_token(kumo: Kumo) -> None:
    studio = kumo.studio
    assert kumo.found().code == 0
    path = studio.png()
    for command in (("record", path, *STEP), ("seal", path), ("publish",), ("rebuild",)):
        studio.ok(*command)

    (vkey,) = json.loads(studio.trust.read_text())["logs"]
    checkpoint = (studio.home / "log" / "checkpoint").read_bytes()
    assert open_checkpoint(checkpoint, [parse_vkey(vkey)]).size == 4
    assert holders(studio.home, b"PRIVATE KEY").isdisjoint({"log.pem"})
    assert json.loads((studio.home / "studio.json").read_text())["logKey"] == kumo.uri()
    assert holders(studio.home, PIN.encode()) == set()
    (kumo.token.folder / "tokens").rename(kumo.token.folder / "away")  # a stranger needs no token
    stop(kumo.token)
    assert "passed" in studio.verify(path).json["checks"][0]["status"]


@pytest.mark.slow
def test_the_pin_may_come_from_the_environment(kumo: Kumo) -> None:
    """And each command is a process of its own."""
    environment = {**kumo.token.environment, "RAKKAN_PIN": PIN}
    for command in (("init", *NAMES, "--log-key", kumo.token.uri()), ("publish",)):
        done = kumo.studio.process(*command, stdout=-1, **environment)
        assert done.returncode == 0, done.stderr
        assert PIN not in done.stdout + done.stderr
    refused = kumo.studio.process("publish", stdout=-1, **{**environment, "RAKKAN_PIN": "0000-wrong"})
    assert (refused.returncode, "[pkcs11.pin]" in refused.stderr) == (2, True)
    assert holders(kumo.studio.home, PIN.encode()) == set()


def test_without_the_token_or_its_pin_nothing_is_signed(kumo: Kumo, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kumo.found().code == 0
    studio, step = kumo.studio, ("record", kumo.studio.png(), *STEP)
    held, away = kumo.token.folder / "tokens", kumo.token.folder / "away"
    held.rename(away)
    held.mkdir()
    stop(kumo.token)
    studio.fails("pkcs11.token", *step)
    held.rmdir()
    away.rename(held)
    seen_here(kumo.token, monkeypatch)
    kumo.pin.write_text("0000-wrong")
    studio.fails("pkcs11.pin", *step)
    kumo.pin.write_text(PIN)
    studio.ok(*step)


def test_another_key_of_the_token_does_not_go_on_with_the_log(kumo: Kumo) -> None:
    assert kumo.found().code == 0
    settings, path = kumo.studio.home / "studio.json", kumo.studio.png()
    other = Studio(kumo.studio.home.with_name("other"), kumo.studio.work)
    other.ok("init", *NAMES, "--log-key", kumo.uri("token=studio;object=other"))
    settings.write_text(settings.read_text().replace("object=log", "object=other"))
    kumo.studio.fails("key.untrusted", "record", path, *STEP)


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("keys/log.pem", "pkcs11.uri"),
        ("pkcs11:token=studio;object=log?module-path=/nowhere.so", "pkcs11.driver"),
        ("", "pkcs11.token"),
    ],
)
def test_a_studio_that_cannot_be_founded_leaves_nothing(kumo: Kumo, uri: str, code: str) -> None:
    result = kumo.found(uri or kumo.uri("token=nowhere;object=log"))
    assert (result.code, result.error) == (2, code)
    assert list(kumo.studio.home.rglob("*")) == []
    assert kumo.found().code == 0
