"""`rakkan erase`: the text is gone from the studio's files, and every proof still holds."""

from __future__ import annotations

import base64
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from ledger.adapters.sql.openings import SqlOpeningStore
from tests.e2e.conftest import LICENSOR, PROMPT, Studio

MADE = ("--action", "generate", "--tool", "painter 1.0", "--model", "sky", "--prompt", PROMPT)
WHY = ("--why", "data-subject-request")


@pytest.fixture
def sealed(studio: Studio) -> tuple[Studio, Path, int]:
    """A licensed studio, a file sealed with a secret prompt, and the index of its step."""
    studio.license()
    path = studio.record(studio.png(), *MADE)
    step = studio.size() - 1
    studio.ok("seal", path)
    studio.ok("publish")
    return studio, path, step


def commitments(studio: Studio, index: int) -> list[str]:
    found: list[str] = studio.ok("show", index).json["statement"]["predicate"]["_sd"]
    return found


def disclosures(studio: Studio) -> dict[str, str]:
    """Every opening that is kept, by its digest."""
    return dict(studio.rows("opening"))


def holders(folder: Path, *needles: bytes) -> list[str]:
    """The files under a folder that hold one of these byte strings."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(needle in path.read_bytes() for needle in needles)]


def traces(disclosure: str) -> list[bytes]:
    """What is left of a secret where it is left: its own bytes, or those of any part of its opening."""
    array: list[str] = json.loads(base64.urlsafe_b64decode(disclosure + "=" * (-len(disclosure) % 4)))
    salt, _, value = array
    pieces = [disclosure[at : at + 16] for at in range(0, len(disclosure) - 16, 16)]
    return [text.encode() for text in (value, salt, disclosure, *pieces[1:])]


def test_the_secret_is_gone_and_every_proof_holds(sealed: tuple[Studio, Path, int], tmp_path: Path) -> None:
    studio, path, step = sealed
    (digest,) = commitments(studio, step)
    secret = traces(disclosures(studio)[digest])
    assert holders(studio.home, *secret)  # or the search below finds nothing for another reason
    others = {item: text for item, text in disclosures(studio).items() if item != digest}
    before, entries = path.read_bytes(), studio.rows("entry")

    assert studio.ok("erase", path, *WHY).out == (
        f"Erased of entry {step}: prompt. The erasure is entry {len(entries)}.\n"
    )

    assert holders(studio.home, *secret) == []
    assert disclosures(studio) == others
    assert path.read_bytes() == before
    assert studio.rows("entry")[: len(entries)] == entries
    for offline in ((), ("--offline", "--trust", studio.trust)):
        assert studio.ok("verify", path, "--json", *offline).json["outcome"] == "proven"
    studio.ok("publish")
    rows = studio.projections()
    studio.ok("rebuild")
    assert studio.projections() == rows
    studio.ok("export", step, "--out", tmp_path / "handover")
    assert holders(studio.home, *secret) == []


def test_what_the_log_says_of_it(sealed: tuple[Studio, Path, int], tmp_path: Path) -> None:
    import hashlib

    studio, path, step = sealed
    (digest,) = commitments(studio, step)
    studio.ok("erase", path, *WHY, "--note", "asked by letter")
    entry = studio.size() - 1
    shown: dict[str, Any] = studio.ok("show", entry).json["statement"]
    studio.ok("export", step, "--out", tmp_path)
    envelope = tmp_path / f"entry-{step}.dsse.json"
    assert shown["subject"] == [
        {"digest": {"sha256": hashlib.sha256(envelope.read_bytes()).hexdigest()}, "name": envelope.name}
    ]
    assert (shown["predicate"]["digests"], shown["predicate"]["reason"]) == ([digest], WHY[1])
    assert "asked by letter" not in json.dumps(shown)
    on = shown["predicate"]["erased"]
    assert studio.ok("show", step).json["erased"] == {digest: {"entry": entry, "on": on}}
    assert "erased" not in studio.ok("show", 0).json

    studio.ok("erase", entry, "--why", "other")  # the note in its turn
    assert studio.ok("show", entry).json["erased"].keys() == set(shown["predicate"]["_sd"])


def test_a_grant_by_its_index_and_one_field_of_many(studio: Studio) -> None:
    contract = studio.work / "contract.pdf"
    contract.write_bytes(b"the contract")
    studio.license()
    covers = ("--covers", "sky", "--use", "output-final", "--from", "2026-01-01")
    studio.ok("grant", "add", "G-2", *covers, "--licensor", LICENSOR, "--contract", contract)
    grant = studio.size() - 1
    listed = studio.ok("erase", grant, "--dry-run").out
    assert sorted(line.split()[0] for line in listed.splitlines()[:-1]) == ["contract", "licensor"]
    studio.ok("erase", grant, "--field", "licensor", "--why", "contract-end")
    left = studio.ok("erase", grant, "--dry-run").out.splitlines()[:-1]
    assert [line.split()[0] for line in left] == ["contract"]
    (digest,) = (line.split()[1] for line in left)
    assert studio.ok("erase", digest, "--why", "mistake").out.startswith(
        f"Erased of entry {grant}: contract."
    )


def test_a_digest_that_begins_with_a_dash_is_no_option(studio: Studio) -> None:
    for digest in ("-" + "9" * 42, "--" + "a" * 41):
        for order in ((digest, *WHY), (*WHY, digest)):
            found = studio("erase", *order)
            assert "No such option" not in found.err
            assert "disclosure.none" in found.err or "commit" in found.err, found.err


def test_a_dry_run_changes_nothing(sealed: tuple[Studio, Path, int]) -> None:
    studio, path, step = sealed
    before, kept = studio.state(), disclosures(studio)
    (digest,) = commitments(studio, step)
    for what in (path, step, digest):
        assert studio.ok("erase", what, "--dry-run").out.splitlines()[0] == f"prompt {digest}"
    assert (studio.state(), disclosures(studio)) == (before, kept)


def test_a_crash_between_the_entry_and_the_deletion_is_completed(
    sealed: tuple[Studio, Path, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    studio, path, step = sealed
    (digest,) = commitments(studio, step)
    with monkeypatch.context() as patch:
        patch.setattr(SqlOpeningStore, "erase", lambda store, digests: 1 / 0)
        assert studio("erase", path, *WHY).code == 70
    size = studio.size()
    assert digest in disclosures(studio)
    assert "prompt" in studio.ok("erase", path, "--dry-run").out
    assert f"(entry {size - 1}); made sure of it" in studio.ok("erase", path, *WHY).out
    assert (digest in disclosures(studio), studio.size()) == (False, size)
    assert f"(entry {size - 1}); made sure of it" in studio.ok("erase", path, *WHY).out
    assert studio.size() == size


def test_a_restored_opening_is_erased_again(sealed: tuple[Studio, Path, int]) -> None:
    studio, path, step = sealed
    (digest,) = commitments(studio, step)
    backup = disclosures(studio)
    studio.ok("erase", path, *WHY)
    size = studio.size()
    with sqlite3.connect(studio.home / "ledger.sqlite") as connection:
        connection.execute("INSERT INTO opening VALUES (?, ?)", (digest, backup[digest]))
    connection.close()
    assert studio.ok("erase", "--again").out == "Openings that had come back and were erased again: 1.\n"
    assert (digest in disclosures(studio), studio.size()) == (False, size)
    assert holders(studio.home, *traces(backup[digest])) == []
    assert " 0.\n" in studio.ok("erase", "--again").out


def test_what_cannot_be_erased(sealed: tuple[Studio, Path, int]) -> None:
    studio, path, step = sealed
    (digest,) = commitments(studio, step)
    studio.fails("erase.nothing", "erase", 0, *WHY)
    studio.fails("erase.unknown", "erase", digest[::-1], *WHY)
    studio.fails("erase.not-here", "erase", path, "--field", "prmopt", *WHY)
    studio.fails("log.no-such-entry", "erase", 999, *WHY)
    studio.fails("log.no-such-entry", "erase", "0" * 64, *WHY)
    studio.fails("log.no-such-entry", "erase", studio.png("other.png", 9), *WHY)
    with sqlite3.connect(studio.home / "ledger.sqlite") as connection:
        connection.execute("DELETE FROM opening WHERE digest = ?", (digest,))
    connection.close()
    studio.fails("erase.not-here", "erase", path, *WHY)


@pytest.mark.parametrize(
    "arguments", [(), ("0",), ("0", "--again", *WHY), ("--again", "--why", "whim"), ("0", "--why", "a text")]
)
def test_a_command_that_makes_no_sense(studio: Studio, arguments: tuple[str, ...]) -> None:
    before = studio.state()
    assert studio("erase", *arguments).code == 2
    assert studio.state() == before
