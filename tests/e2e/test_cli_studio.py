"""`rakkan init` and `rakkan enrol`."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import Studio, found, snapshot
from tests.support.mishaps import mounted

INIT = ("init", "--studio", "Studio Kumo", "--production", "nightfall")


@pytest.fixture
def nowhere(tmp_path: Path) -> Studio:
    """No studio yet."""
    (tmp_path / "work").mkdir()
    return Studio(tmp_path / "shows" / "nightfall", tmp_path / "work")


def test_init_says_what_it_made_and_what_comes_next(nowhere: Studio) -> None:
    result = nowhere.ok(*INIT)
    assert "Studio “Studio Kumo”, production “nightfall”" in result.out
    assert "ledger.studio-kumo.example/nightfall" in result.out
    assert str(nowhere.trust) in result.out
    assert "Back up keys/ now" in result.out
    assert nowhere.size() == 2


def test_keys_are_for_their_owner_only(nowhere: Studio) -> None:
    nowhere.ok(*INIT)
    private = [nowhere.home, *(nowhere.home / "keys").rglob("*"), nowhere.home / "keys"]
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in private} == {0}


def test_the_trust_root_holds_only_what_may_be_handed_out(nowhere: Studio) -> None:
    nowhere.ok(*INIT)
    document = json.loads(nowhere.trust.read_text())
    assert set(document) == {"spec", "studio", "logs", "registrars", "manifestAnchors", "timestampAnchors"}
    assert "PRIVATE" not in nowhere.trust.read_text()


def test_a_second_init_touches_nothing(studio: Studio) -> None:
    before = snapshot(studio.home)
    studio.fails("home.exists", *INIT)
    assert snapshot(studio.home) == before


def test_a_database_alone_is_a_studio_too(nowhere: Studio) -> None:
    nowhere.home.mkdir(parents=True)
    (nowhere.home / "ledger.sqlite").write_bytes(b"somebody's only copy")
    result = nowhere(*INIT)
    assert (result.code, result.error) == (2, "home.exists")
    assert [path.name for path in nowhere.home.iterdir()] == ["ledger.sqlite"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--origin", "has space"), "key.malformed"),
        (("--origin", "a+b"), "key.malformed"),
        (("--studio", "line\nbreak"), "statement.field"),
        (("--production", "\x1b[2J"), "statement.field"),
        (("--device", "Über Station"), "statement.field"),
        (("--device", "../../keys/log"), "statement.field"),
        (("--device", ""), "statement.field"),
    ],
)
def test_names_that_nothing_could_carry_make_nothing(
    nowhere: Studio, options: tuple[str, str], code: str
) -> None:
    result = nowhere(*INIT, *options)
    assert (result.code, result.error) == (2, code), result
    assert not nowhere.home.exists() or list(nowhere.home.iterdir()) == []
    nowhere.ok(*INIT)


@pytest.mark.parametrize("name", ["스튜디오 구름", "名" * 80, "O'Neil & Söhne, “VFX”"])
def test_names_of_real_studios(tmp_path: Path, name: str) -> None:
    studio = found(tmp_path / "s", name)
    assert studio.verify(studio.sealed()).code == 0


@pytest.mark.parametrize("options", [("--studio", "X"), ("--production", "x"), ()])
def test_init_needs_two_names(nowhere: Studio, options: tuple[str, ...]) -> None:
    result = nowhere("init", *options)
    assert (result.code, "needs --studio and --production" in result.err) == (2, True)
    assert not nowhere.home.exists()


def test_a_home_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    for home in (tmp_path / "taken", tmp_path / "taken" / "below"):
        Studio(home, tmp_path).fails("target.not-writable", *INIT)


def test_a_full_disk_leaves_no_half_studio(nowhere: Studio) -> None:
    nowhere.home.mkdir(parents=True)
    for size in ("8k", "40k", "64k", "120k", "200k"):
        with mounted(nowhere.home, f"size={size}"):
            result = nowhere(*INIT)
            # SQLite calls a full disk a failing one when it cannot grow its shared memory file.
            kinds = {"target.no-space", "log.disk-full", "log.storage"}
            assert (result.code, result.error in kinds) == (2, True), result
            assert [path.name for path in nowhere.home.iterdir()] == []
            subprocess.run(["mount", "-o", "remount,size=8m", str(nowhere.home)], check=True)
            nowhere.ok(*INIT)


def test_upgrade_is_safe_to_repeat(studio: Studio) -> None:
    before = studio.rows("entry")
    for _ in range(2):
        assert "up to date" in studio.ok("init", "--upgrade").out
    assert studio.rows("entry") == before


def test_a_home_given_relative_to_the_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    studio = Studio(Path("here"), tmp_path)
    studio.ok(*INIT)
    assert (tmp_path / "here" / "studio.json").is_file()


# --- enrol -------------------------------------------------------------------------------------------------


def test_enrol_a_device_and_let_it_work(studio: Studio) -> None:
    assert studio.ok("enrol", "render-07").out == "The device “render-07” is enrolled: entry 2.\n"
    path = studio.png()
    studio.ok("record", path, "--device", "render-07")
    studio.ok("seal", path, "--device", "render-07")
    result = studio.verify(path)
    assert (result.code, result.json["signer"]) == (0, "render-07, Studio Kumo")


def test_one_device_records_and_another_seals(studio: Studio) -> None:
    studio.ok("enrol", "render-07")
    for kind in ("png", "tif", "mp4"):
        from tests.support.media import make

        path = studio.record(make(kind, studio.work))
        studio.ok("seal", path, "--device", "render-07")
        assert studio.verify(path).code in {0, 3}


def test_renewing_keeps_what_was_sealed_before(studio: Studio) -> None:
    before = studio.sealed("before.png")
    key = (studio.home / "keys/devices/workstation/statement.pem").read_bytes()
    studio.ok("enrol", "workstation")
    after = studio.sealed("after.png", seed=2)
    assert (studio.home / "keys/devices/workstation/statement.pem").read_bytes() == key
    for path in (before, after):
        assert studio.verify(path).code == 0
        assert studio("verify", path).code == 0


@pytest.mark.parametrize("name", ["", "UPPER", "a b", "../x", "x" * 64, ".hidden", "名前"])
def test_names_no_device_can_have(studio: Studio, name: str) -> None:
    studio.fails("statement.field", "enrol", "--", name)
    assert "x.pem" not in {path.name for path in studio.home.rglob("*")}
