"""Whether the record is about this file."""

from dataclasses import replace
from typing import Any

import pytest

from ledger.core.artifact import Artifact
from ledger.core.manifest import LEDGER_ENTRY, Reading
from ledger.core.predicates import Predicate
from ledger.core.report import Outcome, Status
from ledger.core.verify import Asked, Sighting
from ledger.errors import MalformedError
from tests.support.builders import (
    DAY,
    FRAME,
    GOOD,
    INVENTORY,
    OTHER,
    SIGNER,
    USED,
    WEIGHTS,
    Story,
    digest,
    enrolment,
    envelope,
    grant,
    ingredient,
    manifest,
    reading,
    seal,
    step,
)
from tests.support.verdicts import STORY, WITHOUT_DATA_HASH, F, P, U, never, report


def subject_check(read: Reading | None, asked: Asked | None = None, **changes: Any) -> tuple[Status, str]:
    check = report(read, asked=asked, **changes).check("subject")
    return check.status, check.words


REWRITTEN: dict[str, Any] = {"media_type": "image/jpeg", "pixels": lambda: None}
"""A file whose bytes and picture the library changed when it sealed: a JPEG whose tables were moved."""


def test_tied_by_the_bytes() -> None:
    read = reading(manifest("active", STORY.whole, bound_sha256=None), embedded=False)
    status, words = subject_check(read, sha256=FRAME, pixels=never)
    assert (status, "recorded bytes are these bytes" in words) == (P, True)


def test_tied_by_the_binding() -> None:
    status, words = subject_check(reading(manifest("active", STORY.whole)), pixels=never)
    assert (status, "without its manifest" in words) == (P, True)


@pytest.mark.parametrize(
    "changes",
    [
        {"informational": ["assertion.dataHash.additionalExclusionsPresent"]},
        {"success": [*GOOD, "assertion.dataHash.additionalExclusionsPresent"]},
        {"success": WITHOUT_DATA_HASH, "failure": ["assertion.dataHash.mismatch"]},
        {"success": WITHOUT_DATA_HASH},
        {"success": [*WITHOUT_DATA_HASH, "assertion.bmffHash.match"]},
        {"failure": ["assertion.boxesHash.mismatch"]},
    ],
    ids=[
        "exclusions",
        "exclusions as success",
        "mismatch",
        "unchecked",
        "another binding holds",
        "another binding does not",
    ],
)
def test_a_binding_that_does_not_hold_or_leaves_something_out_ties_nothing(changes: dict[str, Any]) -> None:
    stranger = replace(SIGNER, certificate_sha256=digest("another device"))
    read = reading(manifest("active", STORY.whole, signer=stranger), **changes)
    assert subject_check(read, **REWRITTEN)[0] is U


def unbound(**changes: Any) -> Reading:
    return reading(manifest("active", STORY.whole, bound_sha256=None, **changes))


def test_tied_by_the_pixels() -> None:
    status, words = subject_check(unbound())
    assert (status, "sample for sample" in words) == (P, True)


def test_other_bytes_than_the_sealed_ones_are_nobody_s_word() -> None:
    own = manifest("active", STORY.whole, bound_sha256=None)
    changed = reading(own, success=WITHOUT_DATA_HASH, failure=["assertion.dataHash.mismatch"])
    assert subject_check(changed, **REWRITTEN)[0] is U


def test_another_picture_in_a_lossless_format_fails() -> None:
    assert subject_check(unbound(), pixels=lambda: digest("other"))[0] is F


def test_another_picture_in_a_lossy_format_is_the_sealer_s_word() -> None:
    status, words = subject_check(unbound(), pixels=lambda: digest("other"), media_type="image/jpeg")
    assert (status, "so says the device" in words) == (P, True)


def test_tied_by_the_sealer_s_word() -> None:
    assert subject_check(unbound(), **REWRITTEN)[0] is P


@pytest.mark.parametrize("certificate", [None, digest("another device")])
def test_nobody_else_s_word_counts(certificate: str | None) -> None:
    signer = replace(SIGNER, certificate_sha256=certificate)
    assert subject_check(unbound(signer=signer), **REWRITTEN)[0] is U
    assert subject_check(unbound(signer=None), **REWRITTEN)[0] is U


def test_the_sealer_s_renewed_certificate_counts() -> None:
    story = Story()
    story.log.add(enrolment(valid_from=USED + DAY, certificate=digest("renewed")))
    signer = replace(SIGNER, certificate_sha256=digest("renewed"))
    read = reading(manifest("active", story.evidence(), bound_sha256=None, signer=signer))
    assert subject_check(read, **REWRITTEN)[0] is P


def test_another_device_s_certificate_under_the_same_name_does_not() -> None:
    story = Story()
    story.log.add(enrolment(OTHER, certificate=digest("namesake")))
    signer = replace(SIGNER, certificate_sha256=digest("namesake"))
    read = reading(manifest("active", story.evidence(), bound_sha256=None, signer=signer))
    assert subject_check(read, **REWRITTEN)[0] is U


def test_a_picture_that_cannot_be_decoded_decides_nothing() -> None:
    def broken() -> str:
        raise MalformedError("file.malformed", "cut short")

    assert subject_check(unbound(signer=None), pixels=broken)[0] is U
    assert subject_check(unbound(signer=None), pixels=lambda: None)[0] is U


STRANGER = replace(SIGNER, common_name="Mallory", certificate_sha256=digest("mallory"))


@pytest.mark.parametrize(("media_type", "status"), [("image/png", F), ("image/jpeg", U)])
def test_a_stranger_s_manifest_with_a_copied_ledger_entry_proves_nothing(
    media_type: str, status: Status
) -> None:
    """Mallory paints another picture and copies the evidence of ours into a manifest of his own."""
    other = manifest("active", STORY.whole, signer=STRANGER, bound_sha256=digest("mallory's picture"))
    read = reading(other, failure=["signingCredential.untrusted"], trust_list=None)
    found = report(read, media_type=media_type, pixels=lambda: digest("mallory's pixels"))
    assert found.check("subject").status is status
    assert found.check("signer").status is U
    assert found.outcome is not Outcome.PROVEN


def test_a_stranger_who_lies_about_the_hash_is_caught_by_the_bytes() -> None:
    lie = manifest("active", STORY.whole, signer=STRANGER, bound_sha256=FRAME)
    read = reading(lie, success=WITHOUT_DATA_HASH, failure=["assertion.dataHash.mismatch"], trust_list=None)
    found = report(read, **REWRITTEN)
    assert found.check("subject").status is U
    assert found.outcome is Outcome.ALTERED


def test_a_subject_that_no_entry_is_about() -> None:
    shown = STORY.evidence(subject=digest("something else"))
    found = report(reading(manifest("active", shown)))
    assert found.check("subject").status is U
    assert found.log is None


def test_an_ancestor_s_evidence_does_not_speak_for_the_file() -> None:
    """The file's own assertion is damaged; its parent's, by the same device, is about another file."""
    own = manifest("active", None, ingredients=(ingredient(),), assertions={LEDGER_ENTRY: {"spec": "?"}})
    found = report(reading(own, manifest("parent", STORY.whole)), **REWRITTEN)
    assert found.check("log").status is P
    assert found.check("subject").status is U


@pytest.mark.parametrize("predicate", [grant(), seal()], ids=["grant", "seal"])
def test_a_grant_or_a_seal_is_no_record_of_the_file(predicate: Predicate) -> None:
    story = Story()
    about = story.log.add(predicate, subjects=(Artifact("x", digest("x")),))
    shown = story.evidence(about, *story.all, subject=digest("x"))
    assert subject_check(reading(manifest("active", shown)), sha256=digest("x"))[0] is U


def test_of_several_records_of_one_digest_one_is_enough() -> None:
    story = Story()
    first = Artifact("a.png", FRAME, "image/png", digest("wrong pixels"))
    story.log.entries[story.step] = envelope(step(step_id="wrong"), subjects=(first,))
    story.log.add(step(step_id="right"))
    assert subject_check(reading(manifest("active", story.evidence(), bound_sha256=None)))[0] is P


def test_a_dataset_is_its_own_record() -> None:
    shown = STORY.evidence(STORY.dataset, STORY.registrar, STORY.grant, subject=INVENTORY)
    found = report(
        reading(manifest("active", shown, bound_sha256=None), embedded=False),
        sha256=INVENTORY,
        media_type="text/csv",
        pixels=never,
    )
    assert found.outcome is Outcome.PROVEN
    assert [(thing.kind, thing.licensed) for thing in found.things] == [("dataset", True)]


def test_the_file_s_own_word_comes_before_the_ledger_s() -> None:
    asked = Asked((Sighting(3, "x", "bytes"),), STORY.whole.entries, WEIGHTS)
    status, words = subject_check(reading(manifest("active", STORY.whole)), asked)
    assert (status, "Entry 5" in words) == (P, True)
