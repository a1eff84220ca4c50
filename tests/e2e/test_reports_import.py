"""`rakkan reports import`: a bundle from a studio, and what the receiver's own Rakkan knows from then on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import Studio, copied, stranger
from tests.support.bundles import forged, opened
from tests.support.cleared import policy
from tests.support.media import noise, picture_bytes


@pytest.fixture(scope="module")
def delivery(shot_once: Studio, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A studio that sealed a shot and made its report for a distributor. Never written to."""
    studio = copied(shot_once, tmp_path_factory.mktemp("delivery"))
    studio.ok("seal", studio.work / "sh020.1001.png")
    options = ("--view", "distributor", "--out", studio.work / "out")
    studio.ok("report", "--production", "nightfall", *policy(studio), *options)
    return studio


@pytest.fixture
def receiver(delivery: Studio, tmp_path: Path) -> Studio:
    """Somebody with a Rakkan, the bundle, the trust root and two delivered files."""
    other = stranger(tmp_path / "receiver")
    for path in (delivery.work / "out" / "bundle.zip", delivery.trust):
        shutil.copy(path, other.work)
    for name in ("sh020.1001.png", "sh030.1001.png"):
        shutil.copy(delivery.work / name, other.work)
    return other


def imported(receiver: Studio) -> None:
    receiver.ok("reports", "import", receiver.work / "bundle.zip", "--trust", receiver.work / "trust.json")


def test_a_sealed_file_is_proven_after_the_import(receiver: Studio) -> None:
    file = receiver.work / "sh020.1001.png"
    assert receiver("verify", file, "--json").json["outcome"] == "undecided"
    imported(receiver)
    imported(receiver)  # the same again is fine
    found = receiver("verify", file, "--json")
    assert (found.code, found.json["outcome"]) == (0, "proven")
    assert found.json["auditReport"]["now"] == "cleared"
    assert "cleared when made" in receiver("verify", file).out


def test_a_file_without_a_manifest_is_recorded(receiver: Studio) -> None:
    imported(receiver)
    found = receiver("verify", receiver.work / "sh030.1001.png", "--json")
    assert (found.code, found.json["outcome"]) == (3, "recorded")
    assert found.json["auditReport"]["policy"] == "house"


def test_a_file_that_the_bundle_does_not_know_stays_unknown(receiver: Studio) -> None:
    imported(receiver)
    file = receiver.work / "other.png"
    file.write_bytes(picture_bytes("PNG", noise(seed=99)))
    found = receiver("verify", file, "--json")
    assert (found.code, found.json["outcome"], "auditReport" in found.json) == (3, "undecided", False)


def test_what_is_not_proven_is_not_kept(receiver: Studio, elsewhere: Studio) -> None:
    bundle, trust = receiver.work / "bundle.zip", receiver.work / "trust.json"
    good = bundle.read_bytes()
    receiver.fails("bundle.not-proven", "reports", "import", bundle, "--trust", elsewhere.trust, exit_code=3)
    files = opened(good)
    bundle.write_bytes(forged({**files, "README.txt": b"another"}))
    receiver.fails("bundle.altered", "reports", "import", bundle, "--trust", trust, exit_code=1)
    bundle.write_bytes(good[:-5])
    receiver.fails("bundle.malformed", "reports", "import", bundle, "--trust", trust)
    receiver.fails("file.missing", "reports", "import", receiver.work / "none.zip", "--trust", trust)
    assert not (receiver.home / "received").exists()


def test_a_ledger_of_one_s_own_speaks_first(delivery: Studio, tmp_path: Path) -> None:
    studio = copied(delivery, tmp_path)
    studio.ok("reports", "import", studio.work / "out" / "bundle.zip", "--trust", studio.trust)
    found = studio("verify", studio.work / "sh030.1001.png", "--json")
    assert (found.json["outcome"], "auditReport" in found.json) == ("recorded", False)


def test_the_verifier_is_the_one_that_came_with_the_bundle(delivery: Studio, tmp_path: Path) -> None:
    out = tmp_path / "mine.pyz"
    said = stranger(tmp_path / "nobody").ok("reports", "verifier", "--out", out).out
    assert out.read_bytes() == (delivery.work / "out" / "verify.pyz").read_bytes()
    digest = said.split()[0]
    with_bundle = opened((delivery.work / "out" / "bundle.zip").read_bytes())
    assert digest.encode() in with_bundle["README.txt"]
    assert json.loads(with_bundle["MANIFEST.json"])["view"] == "distributor"
