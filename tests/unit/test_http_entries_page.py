"""The page for clients says the numbers that the code keeps to."""

from __future__ import annotations

import pytest

from api.intake import SLICE
from api.routes.entries import WINDOW
from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.artifact import Artifact
from ledger.core.digest import sha256_hex
from ledger.core.envelope import MAX_BYTES
from ledger.errors import MalformedError
from ledger.service.capture.upload import MAX_BODY, MAX_ENTRIES, IntakeSettings, Pace
from tests.architecture.project import ROOT
from tests.support.builders import DEVICE, statement, step

PAGE = " ".join((ROOT / "docs/spec/http-entries.md").read_text(encoding="utf-8").split())


@pytest.mark.parametrize(
    "words",
    [
        f"| one envelope | {MAX_BYTES:,} bytes |",
        f"{MAX_ENTRIES:,} entries, {MAX_BODY >> 20} MiB",
        f"{Pace().grace_seconds:.0f} seconds, and one more for each {Pace().rate >> 10} KiB",
        f"lines of a stream | {Pace().idle_seconds:.0f} seconds |",
        f"{IntakeSettings().max_waiting:,} and {IntakeSettings().max_waiting_bytes >> 20} MiB",
        f"each process | {IntakeSettings().max_bulk_bytes >> 20} MiB |",
        f"slices of {SLICE} entries",
        f"a window of {WINDOW * SLICE} entries",
    ],
)
def test_a_limit_is_what_the_page_says(words: str) -> None:
    assert words in PAGE


def test_one_signature_covers_as_many_frames_as_the_page_says() -> None:
    assert "about 380 frames" in PAGE

    def signed(frames: int) -> bytes:
        subjects = [
            Artifact(f"sh0020_comp_v003.{1001 + number}.exr", sha256_hex(b"%d" % number))
            for number in range(frames)
        ]
        return dsse.sign(statements.encode(statement(step(), *subjects)), DEVICE)

    assert len(signed(380)) <= MAX_BYTES
    with pytest.raises(MalformedError):
        signed(395)
