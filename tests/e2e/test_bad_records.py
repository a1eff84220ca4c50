"""Files that were not recorded, or sealed by somebody else; and a sentence for every code."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.codes import CODES
from tests.e2e.conftest import Studio, checks, codes, sidecar
from tests.support.media import make


def test_not_recorded(studio: Studio) -> None:
    result = studio.fails("seal.not-recorded", "seal", studio.png())
    assert "rakkan record" in result.err


def test_changed_after_recording(studio: Studio) -> None:
    path = studio.record(studio.png())
    path.write_bytes(path.read_bytes() + b"x")
    studio.fails("seal.not-recorded", "seal", path)


def test_sealed_by_somebody_else_needs_a_record_first(
    studio: Studio, elsewhere: Studio, tmp_path: Path
) -> None:
    foreign = studio.png("foreign.png", 77)
    elsewhere.record(foreign)
    elsewhere.ok("seal", foreign)
    studio.fails("seal.not-recorded", "seal", foreign)


@pytest.mark.parametrize("damage", ["cut", "flipped", "giant"])
def test_a_damaged_inbound_sidecar(studio: Studio, damage: str) -> None:
    path = studio.record(make("exr", studio.work))
    studio.ok("seal", path)
    store = sidecar(path).read_bytes()
    exr_again = studio.work / "again.exr"
    exr_again.write_bytes(path.read_bytes() + b" ")
    bad = {"cut": store[: len(store) // 2], "flipped": b"\xff" + store[1:], "giant": store + bytes(3 << 20)}
    sidecar(exr_again).write_bytes(bad[damage])
    studio.record(exr_again)
    code = "manifest.too-large" if damage == "giant" else "manifest.malformed"
    studio.fails(code, "seal", exr_again)


def test_every_code_of_the_issue_has_its_own_sentence() -> None:
    wanted = (
        "file.unreadable file.malformed file.empty file.not-a-file file.wrong-extension file.changed "
        "seal.already-sealed seal.not-recorded target.not-writable target.no-space key.certificate-mismatch "
        "certificate.expired clock.before-enrolment manifest.malformed trust.malformed key.missing "
        "key.permissions key.passphrase home.missing home.schema log.busy"
    )
    sentences = [CODES[code] for code in wanted.split(" ")]
    assert len(set(sentences)) == len(sentences)


def test_a_manifest_from_an_unknown_signer_is_undecided(studio: Studio, elsewhere: Studio) -> None:
    foreign = studio.png("foreign.png", 78)
    elsewhere.record(foreign)
    elsewhere.ok("seal", foreign)
    result = studio.verify(foreign)
    assert (result.code, checks(result)["signer"], checks(result)["claim"]) == (3, "undecided", "passed")
    assert "signingCredential.untrusted" in codes(result)
