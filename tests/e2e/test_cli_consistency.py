"""`rakkan consistency`, and what `rakkan export` hands out: made in a studio, checked without it."""

from __future__ import annotations

import json
import sqlite3
from base64 import b64encode
from pathlib import Path

import pytest
import scitt_cose

from ledger.adapters.home import Home
from ledger.adapters.sql.checkpoints import SqlCheckpointStore
from ledger.adapters.sql.engine import open_database
from ledger.core.checkpoint import parse_checkpoint, sign_checkpoint
from ledger.core.merkle import leaf_hash
from ledger.core.note import NoteSigner, parse_note
from ledger.ports import Signer
from ledger.testing import SeedSigner
from tests.e2e.conftest import Result, Studio, copied, snapshot, stranger
from tests.support.log import proof as naive_proof


@pytest.fixture(scope="module")
def grown(founded: Studio, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A studio whose log was published at 2 and at 5 entries. Never written to."""
    studio = copied(founded, tmp_path_factory.mktemp("grown"))
    studio.ok("publish")
    (studio.work / "old").write_bytes((studio.home / "log" / "checkpoint").read_bytes())
    for number in range(3):
        studio.record(studio.png(f"{number}.png", number))
    studio.ok("publish")
    (studio.work / "new").write_bytes((studio.home / "log" / "checkpoint").read_bytes())
    return studio


def vkey(studio: Studio) -> str:
    return str(json.loads(studio.trust.read_text())["logs"][0])


def log_key(studio: Studio) -> NoteSigner:
    """The log's own key: what a thief or a careless copy of the studio signs with."""
    place = Home(studio.home, None)
    signers: list[Signer] = list(place.log_signers())
    return NoteSigner(place.settings().origin, signers[0])


def forked(studio: Studio, name: str, size: int) -> Path:
    """A checkpoint by the log's key of a tree that the log never had."""
    key = log_key(studio)
    path = studio.work / name
    path.write_bytes(sign_checkpoint(key.name, size, bytes(range(32)), [key]))
    return path


def offline(folder: Path, studio: Studio, *arguments: object) -> Result:
    """The command on a machine without the studio, with the log's public key."""
    return stranger(folder)("consistency", *arguments, "--key", vkey(studio))


# --- the studio proves -------------------------------------------------------------------------------------


def test_between_sizes_between_checkpoints_and_mixed(grown: Studio) -> None:
    old, new = grown.work / "old", grown.work / "new"
    by_size = grown.ok("consistency", "2", "5", "--json").json
    assert grown.ok("consistency", old, new, "--json").json == by_size
    assert grown.ok("consistency", old, "5", "--json").json == by_size
    assert (by_size["old"]["size"], by_size["new"]["size"]) == (2, 5)
    assert by_size["new"]["root"] == new.read_text().split("\n")[2]
    with sqlite3.connect(grown.home / "ledger.sqlite") as connection:
        rows = connection.execute("SELECT envelope FROM entry ORDER BY idx").fetchall()
    connection.close()
    expected = naive_proof(2, [leaf_hash(bytes(row[0])) for row in rows])
    assert by_size["proof"] == [b64encode(item).decode() for item in expected]


def test_it_says_so_in_words(grown: Studio) -> None:
    out = grown.ok("consistency", "2", "5").out
    origin = (grown.work / "new").read_text().split("\n")[0]
    assert out.startswith(f"Proven: {origin} with 5 entries begins with all 2, unchanged.\n  old root  ")
    assert out.count("\n") == 3 + len(grown.ok("consistency", "2", "5", "--json").json["proof"])


def test_a_receipt_of_long_ago_is_an_old_checkpoint(grown: Studio, tmp_path: Path) -> None:
    studio = copied(grown, tmp_path)
    studio.ok("export", "1", "--out", studio.work)
    studio.record(studio.png("later.png", 9))
    found = studio.ok("consistency", studio.work / "entry-1.tlog-proof", "6", "--json").json
    assert (found["old"]["size"], found["new"]["size"]) == (5, 6)


@pytest.mark.parametrize("sizes", [("5", "2"), ("2", "6"), ("2", "99999999999999999999")])
def test_sizes_that_the_log_never_had_are_refused(grown: Studio, sizes: tuple[str, str]) -> None:
    result = grown("consistency", *sizes)
    assert (result.code, result.out) == (2, "")
    assert result.error in {"log.no-such-entry", "file.missing"}


def test_a_checkpoint_of_a_tree_that_the_log_never_had_is_a_fork(grown: Studio, tmp_path: Path) -> None:
    studio = copied(grown, tmp_path)
    fork = forked(studio, "fork", 4)
    for arguments in ((fork, "5"), ("2", fork), (fork, studio.work / "new")):
        studio.fails("log.conflict", "consistency", *arguments, exit_code=1)
    studio.fails("log.rollback", "consistency", "2", forked(studio, "ahead", 9))


def test_another_log_s_checkpoint_is_undecided(grown: Studio, elsewhere: Studio) -> None:
    elsewhere.ok("publish")
    result = grown("consistency", elsewhere.home / "log" / "checkpoint", "5")
    assert (result.code, result.error) == (3, "checkpoint.origin")


def test_a_changed_checkpoint_is_altered(grown: Studio, tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    changed.write_text((grown.work / "old").read_text().replace("\n2\n", "\n3\n"))
    result = grown("consistency", changed, "5")
    assert (result.code, result.error) == (1, "note.signature")


def test_a_proof_is_written_only_to_a_signed_checkpoint(grown: Studio, tmp_path: Path) -> None:
    grown.fails("checkpoint.missing", "consistency", "2", "4", "--out", tmp_path / "proof")
    assert not (tmp_path / "proof").exists()
    for name in ("five.txt", "five.cose"):
        grown.ok("consistency", "2", "5", "--out", tmp_path / name)
    grown.ok("consistency", "2", "4", "--out", tmp_path / "four.cose")
    assert (tmp_path / "five.txt").read_bytes().endswith((grown.work / "new").read_bytes())
    assert (tmp_path / "five.txt").read_text().startswith("old 2\n")


# --- the stranger checks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["proof.txt", "proof.cose"])
def test_a_stranger_checks_with_the_key_alone(grown: Studio, tmp_path: Path, form: str) -> None:
    old, new, proof = grown.work / "old", grown.work / "new", tmp_path / form
    made = grown.ok("consistency", old, new, "--out", proof, "--json").json
    result = offline(tmp_path / "court", grown, old, new, "--proof", proof, "--json")
    assert (result.code, result.json) == (0, made)


def test_a_stranger_sees_a_fork_in_two_checkpoints_alone(grown: Studio, tmp_path: Path) -> None:
    studio = copied(grown, tmp_path / "copy")
    result = offline(tmp_path / "court", studio, forked(studio, "fork", 5), studio.work / "new")
    assert (result.code, result.error) == (1, "log.conflict")


def test_a_stranger_refuses_a_rewritten_past(grown: Studio, tmp_path: Path) -> None:
    studio = copied(grown, tmp_path / "copy")
    studio.ok("consistency", "2", "5", "--out", tmp_path / "proof.txt")
    fork, new = forked(studio, "fork", 2), studio.work / "new"
    result = offline(tmp_path / "court", studio, fork, new, "--proof", tmp_path / "proof.txt")
    assert (result.code, result.error) == (1, "proof.mismatch")


def test_without_a_proof_a_stranger_cannot_decide(grown: Studio, tmp_path: Path) -> None:
    result = offline(tmp_path / "court", grown, grown.work / "old", grown.work / "new")
    assert (result.code, result.error) == (3, "proof.missing")


def test_with_another_key_a_stranger_cannot_decide(grown: Studio, tmp_path: Path) -> None:
    old, new = grown.work / "old", grown.work / "new"
    origin = old.read_text().split("\n")[0]
    other = NoteSigner(origin, SeedSigner("other")).verifier.vkey
    result = stranger(tmp_path / "court")("consistency", old, new, "--key", other)
    assert (result.code, result.error) == (3, "key.unknown")


@pytest.mark.parametrize(
    "arguments",
    [
        ("2", "5", "--key", "KEY"),
        ("old", "5", "--key", "KEY"),
        ("old", "new", "--proof", "old"),
        ("old", "new", "--key", "KEY", "--out", "proof"),
        ("old", "new", "--key", "no vkey"),
        ("old", "nothing", "--key", "KEY"),
        ("old", "new", "--key", "KEY", "--proof", "old"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(grown: Studio, arguments: tuple[str, ...]) -> None:
    names = {"old": grown.work / "old", "new": grown.work / "new", "KEY": vkey(grown)}
    before = snapshot(grown.work)
    result = grown("consistency", *(names.get(item, item) for item in arguments))
    assert (result.code, result.out) == (2, "")
    assert "Traceback" not in result.err
    assert snapshot(grown.work) == before


def test_a_process_of_its_own_ends_with_the_exit_code(grown: Studio) -> None:
    """Where the user meets it."""
    assert grown.process("consistency", "2", "5").returncode == 0
    old, new = grown.work / "old", grown.work / "new"
    done = grown.process("consistency", old, new, "--key", vkey(grown), "--json")
    assert done.returncode == 3
    assert json.loads(done.stderr)["error"]["code"] == "proof.missing"


# --- export ------------------------------------------------------------------------------------------------


def test_what_is_exported_leads_to_the_cosigned_checkpoint(grown: Studio, tmp_path: Path) -> None:
    studio = copied(grown, tmp_path / "copy")
    key = log_key(studio)
    stated = parse_checkpoint((studio.work / "new").read_bytes())
    note = sign_checkpoint(
        key.name, 5, stated.root, [key, NoteSigner("witness.example", SeedSigner("witness"))]
    )
    engine = open_database(f"sqlite:///{studio.home / 'ledger.sqlite'}")
    SqlCheckpointStore(engine, key.name).put(5, note)
    engine.dispose()
    studio.record(studio.png("later.png", 9))
    studio.ok("export", "3", "--out", tmp_path)
    receipt = (tmp_path / "entry-3.tlog-proof").read_bytes()
    assert receipt.endswith(note)
    bundle = json.loads((tmp_path / "entry-3.sigstore.json").read_bytes())
    (entry,) = bundle["verificationMaterial"]["tlogEntries"]
    assert entry["inclusionProof"]["checkpoint"]["envelope"] == note.decode()
    assert [line.name for line in parse_note(note).signatures] == [key.name, "witness.example"]


def test_scitt_cose_accepts_an_exported_receipt(grown: Studio, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    grown.ok("export", "3", "--out", tmp_path)
    key = Ed25519PublicKey.from_public_bytes(log_key(grown).verifier.public_key)
    judged = scitt_cose.verify_receipt(
        (tmp_path / "entry-3.cose").read_bytes(),
        leaf_entry_hex=(tmp_path / "entry-3.dsse.json").read_bytes().hex(),
        log_public_key_pem=key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    )
    assert (judged.ok, judged.leaf_index, judged.tree_size) == (True, 3, 5)
