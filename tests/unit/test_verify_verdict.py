"""The verdict as a whole, and what the ledger adds to it when it is asked."""

from typing import Any

import pytest

from ledger.core.report import Outcome, Status, VerificationReport
from ledger.core.verify import Asked, Sighting
from ledger.errors import MalformedError, UndecidedError
from tests.support.builders import (
    FRAME,
    ORIGIN,
    digest,
    manifest,
    reading,
)
from tests.support.verdicts import STORY, WITHOUT_DATA_HASH, F, P, U, report

# --- as a whole -----------------------------------------------------------------------------------


def test_everything_right_is_proven() -> None:
    found = report(reading(manifest("active", STORY.whole)))
    assert found.outcome is Outcome.PROVEN
    assert {check.name: check.status for check in found.checks} == dict.fromkeys(
        [
            "bytes",
            "claim",
            "signer",
            "time",
            "ancestry",
            "log",
            "statement",
            "subject",
            "history",
            "materials",
            "grants",
        ],
        P,
    )
    assert (found.signer, found.log) == ("ws-01, Studio X", ORIGIN)
    assert [thing.name for thing in found.things] == ["studio-xl", "plates"]
    assert [item.action for item in found.steps] == ["generate"]
    assert found.facts == {
        "mediaType": "image/png",
        "manifest": "active",
        "c2paState": "Trusted",
        "form": "embedded",
        "trustList": "Studio X",
        "certificateSerial": "17",
        "certificatePurposes": "1.3.6.1.4.1.62558.2.1 1.3.6.1.5.5.7.3.4",
    }


def test_a_bare_file_is_undecided() -> None:
    found = report(None)
    assert found.outcome is Outcome.UNDECIDED
    assert found.check("claim").codes == ("verify.no-manifest",)
    assert {check.status for check in found.checks} == {U}
    assert (found.signer, found.log, found.things, found.steps) == (None, None, (), ())


def test_an_unreadable_manifest_is_undecided_under_its_own_code() -> None:
    error = MalformedError("manifest.malformed", "The store is cut short.")
    check = report(None, unreadable=error).check("claim")
    assert (check.status, check.words, check.codes) == (U, error.message, ("manifest.malformed",))


def test_a_store_without_its_active_manifest_is_undecided() -> None:
    found = report(reading(manifest("active", STORY.whole), active="nowhere"))
    assert found.outcome is Outcome.UNDECIDED
    assert found.check("claim").codes == ("manifest.malformed",)


def test_a_manifest_without_ledger_entry_is_undecided() -> None:
    found = report(reading())
    assert found.outcome is Outcome.UNDECIDED
    for name in ("log", "statement", "subject", "materials", "grants"):
        assert found.check(name).status is U


def test_without_a_trust_root_nothing_is_proven_and_nothing_failed() -> None:
    found = report(reading(manifest("active", STORY.whole), trust_list=None), trust=None)
    assert found.outcome is Outcome.UNDECIDED
    assert found.check("log").codes == ("checkpoint.origin",)
    assert found.check("bytes").status is P


def test_checks_do_not_wait_for_each_other() -> None:
    """A changed file is altered, and its record is proven all the same."""
    found = report(
        reading(
            manifest("active", STORY.whole),
            success=WITHOUT_DATA_HASH,
            failure=["assertion.dataHash.mismatch"],
        )
    )
    assert found.outcome is Outcome.ALTERED
    assert found.check("bytes").status is F
    assert [found.check(name).status for name in ("claim", "log", "statement", "grants")] == [P] * 4


def test_a_remote_manifest_is_told_and_not_fetched() -> None:
    found = report(reading(remote_url="https://x.example/m.c2pa", embedded=False))
    assert found.facts["remoteManifest"] == "https://x.example/m.c2pa"
    assert found.facts["form"] == "sidecar"


# --- the ledger, when it was asked ----------------------------------------------------------------


def test_offline_nothing_is_said_about_the_ledger() -> None:
    assert "ledger" not in {check.name for check in report(None).checks}


@pytest.mark.parametrize(
    ("sightings", "status", "code"),
    [
        ((), U, "log.no-such-entry"),
        ((Sighting(5, "frame.1001.png", "bytes"),), P, "ledger.bytes"),
        ((Sighting(5, "frame.1001.png", "pixels"),), U, "ledger.pixels"),
    ],
)
def test_what_the_ledger_knows(sightings: tuple[Sighting, ...], status: Status, code: str) -> None:
    check = report(None, asked=Asked(sightings, (), None)).check("ledger")
    assert (check.status, check.codes) == (status, (code,))


def stripped(**changes: Any) -> VerificationReport:
    asked = Asked((Sighting(5, "frame.1001.png", "pixels"),), STORY.whole.entries, FRAME)
    return report(None, asked=asked, **changes)


def test_a_stripped_file_is_found_by_its_picture() -> None:
    found = stripped()
    assert found.check("subject").status is P
    assert found.check("grants").status is P
    assert found.outcome is Outcome.UNDECIDED
    assert found.log == ORIGIN


def test_a_stripped_file_with_another_picture_is_not() -> None:
    assert stripped(pixels=lambda: digest("other")).check("subject").status is F
    assert stripped(pixels=lambda: None).check("subject").status is U


def test_an_error_that_is_undecided_stays_so() -> None:
    error = UndecidedError("manifest.too-large", "The store is too large.")
    assert report(None, unreadable=error).outcome is Outcome.UNDECIDED
