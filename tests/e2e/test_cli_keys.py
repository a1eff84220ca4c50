"""`rakkan key`: keys that end, and a log that gets another key, as a studio meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ledger.core.checkpoint import open_checkpoint
from ledger.core.note import parse_note, parse_vkey
from tests.e2e.conftest import Studio, checks, codes, found


def keys(studio: Studio) -> list[dict[str, object]]:
    found: list[dict[str, object]] = studio.ok("key", "list", "--json").json
    return found


def signatures(studio: Studio) -> int:
    """Publish, and return how many keys signed the checkpoint."""
    studio.ok("publish")
    return len(parse_note((studio.home / "log" / "checkpoint").read_bytes()).signatures)


def test_a_revoked_device_signs_nothing_more_and_its_files_stay_proven(studio: Studio) -> None:
    studio.license()
    before = studio.sealed("before.png", "--action", "generate", "--tool", "p 1", "--model", "sky")
    studio.ok("key", "revoke", "workstation", "--why", "lost")
    assert studio.verify(before).json["outcome"] == "proven"
    assert studio("verify", before, "--json").json["outcome"] == "proven"
    studio.fails("key.missing", "record", studio.png("after.png", 2), "--action", "generate", "--tool", "p 1")


def test_a_revoked_device_that_is_enrolled_again_gets_another_key(studio: Studio) -> None:
    studio.ok("key", "revoke", "workstation", "--why", "stolen")
    studio.ok("enrol", "workstation")
    first, second = (key for key in keys(studio) if key["device"] == "workstation")
    assert (first["ended"], second["ended"]) == (2, None)
    assert first["keyid"] != second["keyid"]
    assert studio.verify(studio.sealed()).code != 1


def test_a_kept_key_is_worth_nothing_after_its_revocation(studio: Studio, tmp_path: Path) -> None:
    """The thief has the key files, and the home: the log refuses."""
    files = {
        path: path.read_bytes() for name in ("keys", "certificates") for path in _files(studio.home / name)
    }
    studio.ok("key", "revoke", "workstation", "--why", "stolen")
    for path, data in files.items():
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            path.chmod(0o600)
    studio.fails("key.revoked", "record", studio.png(), "--action", "generate", "--tool", "p 1")


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_suspect_entries_become_undecided_where_the_ledger_is_asked(studio: Studio) -> None:
    path = studio.sealed()
    studio.ok("key", "revoke", "workstation", "--why", "stolen", "--suspect-from", 2)
    online = studio("verify", path, "--json")
    assert online.code == 3
    assert "key.suspect" in codes(online)
    assert checks(studio.verify(path))["statement"] == "passed"  # the file alone cannot know


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        ("key.registrar", ("registrar", "--why", "lost")),
        ("key.unknown", ("ws-99", "--why", "lost")),
        ("statement.field", ("../x", "--why", "lost")),
        ("log.no-such-entry", ("workstation", "--why", "lost", "--suspect-from", 2)),
    ],
)
def test_what_cannot_be_revoked(studio: Studio, code: str, arguments: tuple[object, ...]) -> None:
    studio.fails(code, "key", "revoke", *arguments)
    studio.record(studio.png())


def test_a_new_log_key_takes_over_in_two_steps(studio: Studio, tmp_path: Path) -> None:
    old = parse_vkey(json.loads(studio.trust.read_text())["logs"][0])
    assert signatures(studio) == 1
    studio.ok("key", "rotate")
    new = parse_vkey(json.loads(studio.trust.read_text())["logs"][1])
    assert signatures(studio) == 2
    checkpoint = (studio.home / "log" / "checkpoint").read_bytes()
    assert open_checkpoint(checkpoint, [old]) == open_checkpoint(checkpoint, [new])
    studio.ok("key", "rotate", "--finish")
    assert signatures(studio) == 1
    open_checkpoint((studio.home / "log" / "checkpoint").read_bytes(), [new])
    assert [key["ended"] for key in keys(studio) if key["role"] == "log"] == [3, None]
    studio.ok("rebuild")


def test_the_old_trust_root_still_proves_what_was_sealed_after_the_rotation(
    studio: Studio, tmp_path: Path
) -> None:
    """Whoever trusts the old key follows the announcement to the new one, by the file alone."""
    studio.license()
    handed_out = tmp_path / "old-trust.json"
    handed_out.write_bytes(studio.trust.read_bytes())
    made = ("--action", "generate", "--tool", "p 1", "--model", "sky")
    before = studio.sealed("before.png", *made)
    studio.ok("key", "rotate")
    during = studio.sealed("during.png", *made, seed=2)
    studio.ok("key", "rotate", "--finish")
    after = studio.sealed("after.png", *made, seed=3)
    for trust in (handed_out, studio.trust):
        for path in (before, during, after):
            result = studio("verify", path, "--offline", "--trust", trust, "--json")
            assert result.json["outcome"] == "proven", (trust.name, path.name, codes(result))


def test_rotating_can_be_repeated_until_it_has_succeeded(studio: Studio) -> None:
    studio.ok("key", "rotate")
    studio.ok("key", "rotate")
    assert [key["since"] for key in keys(studio) if key["role"] == "log"] == [None, 2]
    assert len(json.loads(studio.trust.read_text())["logs"]) == 2


def test_finishing_needs_a_beginning(studio: Studio) -> None:
    studio.fails("key.missing", "key", "rotate", "--finish")


def test_a_log_key_that_nobody_trusts_signs_nothing(studio: Studio, tmp_path: Path) -> None:
    """Somebody put another studio's key file in place of ours."""
    path = studio.home / "keys" / "log.pem"
    path.write_bytes(found(tmp_path / "other").home.joinpath("keys/log.pem").read_bytes())
    studio.fails("key.untrusted", "record", studio.png(), "--action", "draw", "--tool", "p 1")
