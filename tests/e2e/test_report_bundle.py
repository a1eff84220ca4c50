"""`bundle.zip` and `verify.pyz`: what is handed over, checked where there is no Rakkan."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import cryptography
import pytest

from ledger.core.audit.bundle import MANIFEST, SIGNATURE, SUMS
from ledger.core.fields import format_time
from tests.e2e.conftest import Studio, copied
from tests.support.bundles import exit_code, forged, opened
from tests.support.cleared import place, policy


@cache
def at() -> tuple[str, str]:
    """Return the moment of all reports of this file: the first one's."""
    return "--at", format_time(datetime.now(UTC).replace(microsecond=0))


def handed_over(studio: Studio, name: str, *options: str) -> Path:
    """Return the folder of a report of the whole production."""
    folder = studio.work / name
    studio.ok("report", "--production", "nightfall", *policy(studio), *at(), *options, "--out", folder)
    return folder


def check(folder: Path, *options: object, bundle: Path | None = None) -> tuple[int, dict[str, Any]]:
    """Run the program that came with the bundle, with nothing of ours on its path."""
    command = [
        sys.executable,
        "-I",
        folder / "verify.pyz",
        bundle or folder / "bundle.zip",
        "--json",
        *options,
    ]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=120)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def failed(outcome: dict[str, Any]) -> dict[str, list[str]]:
    """Return what was said by each check that did not pass."""
    return {item["check"]: item["said"] for item in outcome["checks"] if item["result"] != "passed"}


@pytest.fixture(scope="session")
def handing(shot_once: Studio, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A studio with a report in each view. Never written to."""
    studio = copied(shot_once, tmp_path_factory.mktemp("handing"))
    for view in ("studio", "distributor", "insurer", "public"):
        handed_over(studio, view, "--view", view)
    handed_over(studio, "rights-holder", "--view", "rights-holder", "--party", "mori")
    return studio


@pytest.mark.parametrize("view", ["studio", "distributor", "insurer", "rights-holder", "public"])
def test_it_is_proven_with_the_trust_root(handing: Studio, view: str) -> None:
    code, outcome = check(handing.work / view, "--trust", handing.trust)
    assert (code, outcome["outcome"], failed(outcome)) == (0, "proven", {})


def test_it_is_proven_with_the_log_s_key_or_the_digest_of_the_trust_root(handing: Studio) -> None:
    from ledger.core.digest import sha256_hex

    vkey = json.loads(handing.trust.read_text())["logs"][0]
    for option in (("--log-key", vkey), ("--trust-sha256", sha256_hex(handing.trust.read_bytes()))):
        code, outcome = check(handing.work / "studio", *option)
        assert (code, failed(outcome)) == (0, {})


def test_without_an_anchor_it_says_what_it_can_and_cannot_decide(handing: Studio) -> None:
    code, outcome = check(handing.work / "studio")
    assert (code, outcome["outcome"], list(failed(outcome))) == (3, "cannot decide", ["anchors"])


def test_another_studio_s_trust_root_decides_nothing(handing: Studio, elsewhere: Studio) -> None:
    code, outcome = check(handing.work / "studio", "--trust", elsewhere.trust)
    assert code == 3
    assert set(failed(outcome)) >= {"entries", "checkpoint", "signature"}


def test_the_same_report_is_the_same_bundle(shot_once: Studio, tmp_path: Path) -> None:
    studio = copied(shot_once, tmp_path)
    one, two = handed_over(studio, "one"), handed_over(studio, "two")
    assert (one / "verify.pyz").read_bytes() == (two / "verify.pyz").read_bytes()
    files, again = (opened((folder / "bundle.zip").read_bytes()) for folder in (one, two))
    # The signature of the PDF says when it was made; so do the lists that have its digest.
    assert {name for name in files if files[name] != again[name]} <= {"report.pdf", SUMS, MANIFEST, SIGNATURE}
    assert list(files) == list(again)


def test_the_public_gets_no_envelope_and_no_name(handing: Studio) -> None:
    with zipfile.ZipFile(handing.work / "public" / "bundle.zip") as bundle:
        parts = {name: bundle.read(name) for name in bundle.namelist()}
    with zipfile.ZipFile(BytesIO(parts["report.xlsx"])) as workbook:
        parts |= {f"report.xlsx/{name}": workbook.read(name) for name in workbook.namelist()}
    texts = {name: data for name, data in parts.items() if not name.endswith((".pdf", ".xlsx"))}
    assert len(texts) > 40
    assert not any(b'"payload"' in data for name, data in texts.items() if name != SIGNATURE)
    names = re.compile(rb"sh010|final\.1001|\b(?:sky|mori|G-7)\b")
    assert {name: found for name, data in texts.items() if (found := names.findall(data))} == {}


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "cut short": lambda data: data[:-100],
    "longer": lambda data: data + b"more",
    "longer in front": lambda data: b"more" + data,
    "empty": lambda data: b"",
    "a word of the report": lambda data: data.replace(b'"cleared"', b'"blocked"', 1),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_is_found(handing: Studio, tmp_path: Path, change: str) -> None:
    folder = handing.work / "studio"
    bad = tmp_path / "bundle.zip"
    bad.write_bytes(CHANGES[change]((folder / "bundle.zip").read_bytes()))
    assert bad.read_bytes() != (folder / "bundle.zip").read_bytes()
    code, outcome = check(folder, "--trust", handing.trust, bundle=bad)
    assert (code, outcome["outcome"]) in {(1, "altered"), (2, "no bundle")}


def test_an_entry_is_taken_out_with_its_receipt(handing: Studio, tmp_path: Path) -> None:
    folder = handing.work / "studio"
    command = [sys.executable, "-I", folder / "verify.pyz", folder / "bundle.zip", "--extract", "5"]
    done = subprocess.run(
        [*map(str, command), "--out", str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert [Path(line).name for line in done.stdout.split()] == ["entry-5.dsse.json", "entry-5.tlog-proof"]
    from ledger.core.receipt import parse_receipt, verify_receipt
    from ledger.core.trust import parse_trust

    trust = parse_trust(handing.trust.read_bytes())
    entry = (tmp_path / "entry-5.dsse.json").read_bytes()
    receipt = parse_receipt((tmp_path / "entry-5.tlog-proof").read_bytes())
    origin = trust.logs[0].split("+")[0]
    assert verify_receipt(receipt, entry, trust.log_verifiers(origin)).size == handing.size()


def test_it_needs_nothing_but_cryptography_and_no_network(handing: Studio, tmp_path: Path) -> None:
    site = Path(cryptography.__file__).parents[1]
    alone = tmp_path / "alone"
    alone.mkdir()
    for name in ("cryptography", "cffi", "pycparser"):
        if (site / name).exists():
            shutil.copytree(site / name, alone / name)
    for path in site.glob("_cffi_backend*"):
        shutil.copy(path, alone)
    cut = ["unshare", "-rn"] if shutil.which("unshare") else []
    if cut and subprocess.run([*cut, "true"], check=False, capture_output=True).returncode:
        cut = []  # a kernel that gives no name spaces to users: then without this part
    folder = handing.work / "studio"
    command = [*cut, sys.executable, "-S", "verify.pyz", "bundle.zip", "--trust", str(handing.trust)]
    done = subprocess.run(
        command,
        cwd=folder,
        env={"PYTHONPATH": str(alone), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.endswith("\nProven.\n")


@pytest.fixture(scope="session")
def issued(shot_once: Studio, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """Two issued reports, the second after more work. Never written to."""
    studio = copied(shot_once, tmp_path_factory.mktemp("issued"))
    handed_over(studio, "first", "--issue")
    studio.record(studio.png("sh030.1001.png", 5), "--action", "draw", *place("sh030"))
    handed_over(studio, "second", "--issue")
    return studio


def said_of(outcome: dict[str, Any], key: str) -> list[str]:
    return next(item["said"] for item in outcome["checks"] if item["check"] == key)


def test_an_issued_bundle_is_held_against_its_entry_and_the_last_report(issued: Studio) -> None:
    for name in ("first", "second"):
        code, outcome = check(issued.work / name, "--trust", issued.trust)
        assert (code, failed(outcome)) == (0, {})
        assert said_of(outcome, "issue")[0].startswith("registrar issued it: entry ")
    assert said_of(outcome, "tree")[-1] == (
        "The log begins with all 15 entries that the last report stood on."
    )


@pytest.mark.parametrize(
    ("name", "code", "error"),
    [("issued.dsse.json", 1, "bundle.other-issue"), ("receipt.tlog-proof", 1, "proof.mismatch")],
)
def test_the_entry_of_another_report_is_found(
    issued: Studio, tmp_path: Path, name: str, code: int, error: str
) -> None:
    folder = Path(shutil.copytree(issued.work / "second", tmp_path / "swapped"))
    shutil.copy(issued.work / "first" / name, folder)
    found, outcome = check(folder, "--trust", issued.trust)
    assert (found, list(failed(outcome))) == (code, ["issue"])
    assert error in str(failed(outcome))


def test_an_entry_without_a_receipt_was_not_taken_in(issued: Studio, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(issued.work / "second", tmp_path / "kept back"))
    (folder / "receipt.tlog-proof").unlink()
    found, outcome = check(folder, "--trust", issued.trust)
    assert (found, list(failed(outcome))) == (3, ["issue"])


def test_what_a_view_hides_is_opened_by_name(handing: Studio, shot_once: Studio, tmp_path: Path) -> None:
    studio = copied(shot_once, tmp_path)
    folder = handed_over(studio, "opened", "--view", "public", "--disclose", "shots/1/name")
    code, outcome = check(folder, "--trust", studio.trust)
    assert (code, failed(outcome)) == (0, {})
    assert said_of(outcome, "openings") == ['shots/1/name: "sq010/sh010"']
    for name in ("shots/99/name", "nothing", "entry/99", "entry/x", "entry/0"):
        options = ("--view", "public", "--disclose", name, "--out", studio.work / "none")
        studio.fails(
            "report.no-such-part", "report", "--production", "nightfall", *policy(studio), *at(), *options
        )


def test_an_opening_of_another_report_opens_nothing(
    handing: Studio, shot_once: Studio, tmp_path: Path
) -> None:
    studio = copied(shot_once, tmp_path)
    folder = handed_over(studio, "opened", "--view", "public", "--disclose", "shots/1/name")
    files = opened((handing.work / "public" / "bundle.zip").read_bytes())
    files["evidence/openings.txt"] = opened((folder / "bundle.zip").read_bytes())["evidence/openings.txt"]
    assert exit_code(forged(files), handing.trust.read_bytes()) == 1


def started(folder: Path, code: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the verifier's file after this code, in a Python without anything else."""
    program = (
        f"import runpy, sys; {code}; sys.argv = ['verify.pyz', 'bundle.zip']; runpy.run_path('verify.pyz')"
    )
    command = [sys.executable, *options, "-c", program]
    return subprocess.run(command, cwd=folder, env={}, capture_output=True, text=True, check=False)


def test_what_it_needs_is_said_and_is_no_verdict(handing: Studio) -> None:
    folder = handing.work / "studio"
    old = started(folder, "sys.version_info = (3, 9, 18)")
    assert (old.returncode, old.stderr) == (2, "verify.pyz needs Python 3.11 or later; this is 3.9.\n")
    bare = started(folder, "pass", "-I", "-S")
    assert (bare.returncode, bare.stderr) == (2, "verify.pyz needs the package cryptography, 47 or later.\n")


def test_its_first_file_is_read_by_old_pythons(handing: Studio) -> None:
    import ast

    with zipfile.ZipFile(handing.work / "studio" / "verify.pyz") as app:
        ast.parse(app.read("__main__.py"), feature_version=(3, 6))


def cosigned(studio: Studio, name: str) -> str:
    """Have a witness cosign the log as it is, and the studio ask for that; return the witness's policy."""
    from ledger.adapters.home import Home
    from ledger.adapters.witness_settings import WitnessSettings
    from ledger.core.note import Note, format_note, parse_note
    from ledger.wiring import open_studio
    from tests.support.witness import cosigner_key

    signer = cosigner_key(name)
    with open_studio(Home(studio.home, None)) as opened_studio:
        head = opened_studio.log.head()
        note = parse_note(head.checkpoint)
        line = signer.cosign(note.text, 1_790_000_000)
        opened_studio.checkpoints.put(head.size, format_note(Note(note.text, (*note.signatures, line))))
    vkey = json.loads(studio.trust.read_text())["logs"][0]
    asked = f"log {vkey}\nwitness {name} {signer.verifier.vkey}\nquorum {name}\n"
    WitnessSettings(studio.home).save(asked.encode(), fail_closed=False)
    return asked


def test_witnesses_are_named_and_asked_for(shot_once: Studio, tmp_path: Path) -> None:
    studio = copied(shot_once, tmp_path)
    mine = studio.work / "mine.policy"
    mine.write_text(cosigned(studio, "one"))
    folder = handed_over(studio, "cosigned")
    for options in ((), ("--policy", mine)):
        code, outcome = check(folder, "--trust", studio.trust, *options)
        assert (code, failed(outcome)) == (0, {})
        assert "witness.example/one cosigned it at 2026-09-21 14:13 UTC." in said_of(outcome, "checkpoint")
    other = studio.work / "other.policy"
    other.write_text(cosigned(copied(shot_once, tmp_path / "other"), "another"))
    code, outcome = check(folder, "--trust", studio.trust, "--policy", other)
    assert (code, list(failed(outcome))) == (3, ["checkpoint"])
    assert "witness.quorum" in str(failed(outcome))
