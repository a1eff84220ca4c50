"""The log itself: publish, rebuild, show, export; and what must never be in it."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.core.checkpoint import parse_checkpoint
from tests.e2e.conftest import LICENSOR, PROMPT, ROOT, Shot, Studio, copied, snapshot


def test_publish_then_rebuild_ends_with_the_same_rows(shot: Shot, tmp_path: Path) -> None:
    studio = copied(shot.studio, tmp_path / "copy")
    before, entries, openings = studio.projections(), studio.rows("entry"), studio.rows("opening")
    assert studio.ok("publish").out.startswith(f"{studio.size()} entries published to ")
    published = snapshot(studio.home / "log")
    with sqlite3.connect(studio.home / "ledger.sqlite") as connection:
        for table in ("artifact", "statement", "tile"):
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - a name from the line above
    connection.close()
    assert studio.projections() != before
    result = studio.ok("rebuild")
    assert result.out == f"Recomputed everything from {studio.size()} entries; the root is the signed one.\n"
    assert studio.projections() == before
    assert (studio.rows("entry"), studio.rows("opening")) == (entries, openings)
    studio.ok("publish")
    assert snapshot(studio.home / "log") == published
    assert studio("verify", studio.work / shot.files["png"].name).code == 0


def test_rebuild_refuses_a_changed_entry(studio: Studio) -> None:
    studio.sealed()
    before = studio.projections()
    with sqlite3.connect(studio.home / "ledger.sqlite") as connection:
        connection.execute("UPDATE entry SET envelope = replace(envelope, 'a', 'b') WHERE idx = 2")
    connection.close()
    result = studio("rebuild")
    assert (result.code, result.error) == (1, "log.corrupt"), result
    assert studio.projections() == before


def test_a_database_from_yesterday_signs_nothing(studio: Studio) -> None:
    backup = (studio.home / "ledger.sqlite").read_bytes()
    path = studio.record(studio.png())
    (studio.home / "ledger.sqlite").write_bytes(backup)
    for arguments in (("record", path), ("publish",), ("export", "0"), ("enrol", "laptop")):
        result = studio(*arguments)
        assert (result.code, result.error) == (2, "log.rollback"), result
        assert "restore the newer database" in result.err


def test_publish_elsewhere(tmp_path: Path) -> None:
    from tests.e2e.conftest import found

    studio = found(tmp_path / "s", "Studio Kumo", "--publish-to", str(tmp_path / "site" / "log"))
    studio.ok("publish")
    assert (tmp_path / "site" / "log" / "checkpoint").read_text().split("\n")[1] == "2"


def test_publish_over_another_log(studio: Studio, elsewhere: Studio) -> None:
    elsewhere.ok("publish")
    (studio.home / "log").mkdir()
    (studio.home / "log" / "checkpoint").write_bytes((elsewhere.home / "log" / "checkpoint").read_bytes())
    result = studio("publish")
    assert (result.code, result.error) == (1, "log.conflict")


# --- show and export ---------------------------------------------------------------------------------------


def test_show_by_index_file_and_digest(studio: Studio) -> None:
    path = studio.record(studio.png())
    by_file = studio.ok("show", path).json
    digest = by_file["statement"]["subject"][0]["digest"]["sha256"]
    assert set(by_file) == {"index", "signedBy", "statement"}
    assert studio.ok("show", "2").json == studio.ok("show", digest).json == by_file
    studio.ok("seal", path)
    assert studio.ok("show", path).json["statement"]["predicateType"] == "https://rakkan.org/seal/v1"


@pytest.mark.parametrize(
    "what", ["7", "99999999999999999999999", "²", "٣", "-1", "0" * 64, "nothing.png", "n" * 5000, "", "."]
)
def test_show_what_is_not_there(studio: Studio, what: str) -> None:
    result = studio("show", "--", what)
    assert result.code == 2, result
    assert result.error in {"log.no-such-entry", "file.not-a-file"}
    assert result.out == ""


def test_export_writes_five_files_and_overwrites_only_its_own(studio: Studio, tmp_path: Path) -> None:
    path = studio.record(studio.png())
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("kept")
    for _ in range(2):
        names = studio.ok("export", path, "--out", tmp_path / "out").out.split()
        assert [Path(name).name for name in names] == [
            "entry-2.dsse.json",
            "entry-2.tlog-proof",
            "entry-2.cose",
            "entry-2.sigstore.json",
            "entry-2.pub",
        ]
    assert {item.name for item in (tmp_path / "out").iterdir()} == {
        "notes.txt",
        *(Path(n).name for n in names),
    }
    assert Path(names[1]).read_text().startswith("c2sp.org/tlog-proof@v1\n")
    assert Path(names[4]).read_text().startswith("-----BEGIN PUBLIC KEY-----\n")


# --- privacy -----------------------------------------------------------------------------------------------


def _everything(studio: Studio) -> Iterator[Path]:
    for folder in (studio.home, studio.work):
        yield from (path for path in folder.rglob("*") if path.is_file())


SECRETS = [PROMPT, "nobody may read about", LICENSOR, "the contract between two people"]


@pytest.fixture(scope="module")
def secretive(shot: Shot, tmp_path_factory: pytest.TempPathFactory) -> tuple[Studio, list[str]]:
    """A studio with a contract, and everything that must not be found in what it hands out."""
    from hashlib import sha256

    folder = tmp_path_factory.mktemp("secretive")
    studio = copied(shot.studio, folder)
    contract = folder / "contract.pdf"
    contract.write_bytes(SECRETS[3].encode())
    said = ("--use", "output-final", "--from", "2026-01-01", "--licensor", LICENSOR)
    studio.ok("grant", "add", "G-2", "--covers", "sky", *said, "--contract", contract)
    studio.ok("publish")
    return studio, [*SECRETS, sha256(contract.read_bytes()).hexdigest()]


def test_secrets_are_in_the_openings_and_nowhere_else(secretive: tuple[Studio, list[str]]) -> None:
    """base64 included: what is encoded is not hidden."""
    studio, secrets = secretive
    import base64

    needles = [secret.encode() for secret in secrets]
    # Base64 of a text depends on where in a group of three it begins.
    needles += [
        base64.b64encode(b"x" * shift + secret)[4:-4] for secret in tuple(needles) for shift in range(3)
    ]
    holders = {
        path.name
        for path in _everything(studio)
        if path.name != "ledger.sqlite" and any(needle in path.read_bytes() for needle in needles)
    }
    assert holders == set()
    assert not any(needle in _without_openings(studio) for needle in needles)
    assert len(studio.rows("opening")) == 4


def _without_openings(studio: Studio) -> bytes:
    """The database as it is once the openings are erased."""
    copy = studio.home.parent / "erased.sqlite"
    copy.write_bytes((studio.home / "ledger.sqlite").read_bytes())
    with sqlite3.connect(copy) as connection:
        assert connection.execute("DELETE FROM opening").rowcount == 4
    connection.execute("VACUUM")
    connection.close()
    return copy.read_bytes()


def test_erasing_every_opening_leaves_every_proof(
    secretive: tuple[Studio, list[str]], tmp_path: Path
) -> None:
    studio = copied(secretive[0], tmp_path)
    with sqlite3.connect(studio.home / "ledger.sqlite") as connection:
        connection.execute("DELETE FROM opening")
    connection.close()
    studio.ok("rebuild")
    studio.ok("publish")
    assert studio("verify", next(studio.work.glob("frame-png.*"))).code == 0


def test_no_private_key_leaves_the_folder_of_keys(secretive: tuple[Studio, list[str]]) -> None:
    studio = secretive[0]
    keys = {path for path in _everything(studio) if b"PRIVATE KEY" in path.read_bytes()}
    assert keys == set((studio.home / "keys").rglob("*.pem"))
    assert {path.stat().st_mode & 0o777 for path in keys} == {0o600}
    assert (studio.home / "ledger.sqlite").stat().st_mode & 0o077 == 0


def test_what_is_handed_out_names_no_machine(secretive: tuple[Studio, list[str]]) -> None:
    """No folder's name gets into manifests, tiles or receipts."""
    studio = secretive[0]
    needles = [str(studio.work).encode(), str(studio.home).encode()]
    for folder in (studio.work, studio.home / "log", studio.home / "manifests"):
        for path in folder.rglob("*"):
            data = path.read_bytes() if path.is_file() else b""
            assert not [needle for needle in needles if needle in data], path


def test_the_log_holds_only_digests_of_the_prompt(shot: Shot) -> None:
    steps = [
        shot.studio.ok("show", str(index)).json["statement"]["predicate"]
        for index in range(shot.studio.size())
    ]
    commitments = [step["_sd"] for step in steps if "stepId" in step]
    assert commitments
    assert all(re.fullmatch(r"[\w-]{43}", digest) for found in commitments for digest in found)
    assert PROMPT not in json.dumps(steps)


def test_publishing_can_go_on_until_it_is_stopped(studio: Studio) -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "ledger", "publish", "--every", "1"],
        env=studio.environment(),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline().startswith("2 entries published")
        studio.record(studio.png())
        assert process.stdout.readline().startswith("3 entries published")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        out, err = process.communicate()
    assert (out, err) == ("", "")
    assert parse_checkpoint((studio.home / "log" / "checkpoint").read_bytes()).size == 3
