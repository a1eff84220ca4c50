"""The checks that rest on the manifest, branch by branch, from readings built by hand."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from ledger.core.manifest import Reading
from ledger.core.report import Check, Status
from ledger.core.verify.manifest_checks import codes, reachable_manifests, severity
from tests.support.builders import (
    DAY,
    END,
    GOOD,
    NOW,
    SIGNER,
    START,
    USED,
    findings,
    ingredient,
    manifest,
    reading,
)
from tests.support.verdicts import STORY, WITHOUT_DATA_HASH, F, P, U, of_manifest, report

# --- bytes and claim ------------------------------------------------------------------------------

BINDINGS = ["dataHash", "bmffHash", "boxesHash", "collectionHash"]


@pytest.mark.parametrize("kind", BINDINGS)
def test_a_binding_that_holds(kind: str) -> None:
    check = of_manifest("bytes", success=[*WITHOUT_DATA_HASH, f"assertion.{kind}.match"])
    assert (check.status, check.codes) == (P, (f"assertion.{kind}.match",))


@pytest.mark.parametrize("kind", [*BINDINGS, "multiAssetHash"])
@pytest.mark.parametrize("defect", ["mismatch", "malformed"])
def test_a_binding_that_does_not(kind: str, defect: str) -> None:
    code = f"assertion.{kind}.{defect}"
    assert of_manifest("bytes", failure=[code]).status is F
    assert of_manifest("claim", failure=[code]).status is P


@pytest.mark.parametrize(
    "code",
    [
        "assertion.dataHash.additionalExclusionsPresent",
        "assertion.multiAssetHash.match",
        "assertion.hashedURI.match",
    ],
)
def test_what_binds_only_a_part_binds_nothing(code: str) -> None:
    assert of_manifest("bytes", success=[*WITHOUT_DATA_HASH, code]).status is U


@pytest.mark.parametrize(
    "code",
    [
        "claimSignature.mismatch",
        "claimSignature.missing",
        "claim.missing",
        "claim.malformed",
        "claim.cbor.invalid",
        "claim.multiple",
        "claim.hardBindings.missing",
        "assertion.multipleHardBindings",
        "assertion.hardBinding.redacted",
        "assertion.hashedURI.mismatch",
        "assertion.missing",
        "assertion.undeclared",
        "assertion.outsideManifest",
        "assertion.selfRedacted",
        "assertion.notRedacted",
        "assertion.cbor.invalid",
        "assertion.action.redacted",
        "assertion.external-reference.hashMismatch",
        "assertion.cloud-data.hardBinding",
        "hashedURI.mismatch",
        "hashedURI.missing",
        "manifest.multipleParents",
        "manifest.update.invalid",
        "manifest.compressed.invalid",
        "general.error",
        "livevideo.segment.invalid",
        "something.nobody.knows",
        "",
    ],
)
def test_what_contradicts_the_claim_is_failed(code: str) -> None:
    assert of_manifest("claim", failure=[code]).status is F


@pytest.mark.parametrize(
    "code",
    [
        "algorithm.unsupported",
        "assertion.inaccessible",
        "manifest.inaccessible",
        "manifest.unknownProvenance",
    ],
)
def test_what_was_not_at_hand_leaves_the_claim_undecided(code: str) -> None:
    check = of_manifest("claim", failure=[code])
    assert (check.status, check.codes) == (U, (code,))
    assert "changed" not in check.words


def test_one_failure_among_undecided_codes_fails() -> None:
    assert of_manifest("claim", failure=["algorithm.unsupported", "claimSignature.mismatch"]).status is F


def test_a_claim_signature_nobody_checked_is_undecided() -> None:
    assert of_manifest("claim", success=["assertion.dataHash.match"]).status is U


# --- signer ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        "signingCredential.untrusted",
        "signingCredential.expired",
        "signingCredential.invalid",
        "signingCredential.ocsp.revoked",
        "signingCredential.ocsp.unknown",
        "signingCredential.ocsp.inaccessible",
        "cawg.x509.credential.untrusted",
        "cawg.ica.untrusted_issuer",
    ],
)
def test_a_signer_that_cannot_be_relied_on_is_undecided(code: str) -> None:
    check = of_manifest("signer", failure=[code])
    assert (check.status, check.codes) == (U, (code,))
    assert of_manifest("claim", failure=[code]).status is P


@pytest.mark.parametrize(
    "code",
    ["cawg.x509.signature.mismatch", "cawg.identity.assertion.mismatch", "signingCredential.new", "cawg.new"],
)
def test_a_signer_s_statement_that_contradicts_itself_is_failed(code: str) -> None:
    assert of_manifest("signer", failure=[code]).status is F


def test_an_unknown_signer_is_no_forgery() -> None:
    check = of_manifest("signer", failure=["signingCredential.untrusted"], trust_list=None)
    assert check.status is U
    assert "no evidence of forgery" in check.words


@pytest.mark.parametrize("trust_list", [None, "urn:rakkan:trust:timestamp", "[system_anchors]", ""])
def test_the_list_that_accepted_the_signer_must_be_for_claims(trust_list: str | None) -> None:
    """The library accepts a claim signer from a list of time stamp authorities."""
    assert of_manifest("signer", trust_list=trust_list).status is U


def signed_by(**changes: Any) -> Reading:
    return reading(manifest("active", STORY.whole, signer=replace(SIGNER, **changes)))


@pytest.mark.parametrize("ekus", [(), ("1.3.6.1.5.5.7.3.8",), ("1.3.6.1.5.5.7.3.9",), ("1.3.6.1.5.5.7.3.3",)])
def test_a_certificate_for_another_purpose_signs_no_claims(ekus: tuple[str, ...]) -> None:
    """Only time stamping, only OCSP signing, only code signing: the library takes the first two."""
    check = report(signed_by(ekus=ekus)).check("signer")
    assert (check.status, check.codes) == (U, ("signingCredential.invalid",))


@pytest.mark.parametrize("eku", ["1.3.6.1.4.1.62558.2.1", "1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.36"])
def test_a_certificate_for_claims_does(eku: str) -> None:
    assert report(signed_by(ekus=(eku, "1.3.6.1.5.5.7.3.8"))).check("signer").status is P


def test_an_unreadable_certificate_is_undecided() -> None:
    found = report(reading(manifest("active", STORY.whole, signer=None)))
    assert found.check("signer").status is U
    assert found.check("time").status is U
    assert found.signer is None


# --- time -----------------------------------------------------------------------------------------


def at(now: datetime, signed_at: datetime | None = None, **changes: Any) -> Check:
    read = reading(manifest("active", STORY.whole, signed_at=signed_at), **changes)
    return report(read, now=now).check("time")


def test_within_the_certificate_no_time_stamp_is_needed() -> None:
    assert at(NOW).status is P
    assert at(START).status is P


@pytest.mark.parametrize("now", [START - DAY, END, END + DAY])
def test_outside_the_certificate_one_is(now: datetime) -> None:
    assert at(now).status is U


def test_a_trusted_time_stamp_outlives_the_certificate() -> None:
    check = at(END + DAY, USED, success=[*GOOD, "timeStamp.validated", "timeStamp.trusted"])
    assert check.status is P
    assert "2026-03-01 12:00:00" in check.words


@pytest.mark.parametrize(
    "code", ["timeStamp.untrusted", "timeStamp.outsideValidity", "timeStamp.credentialInvalid"]
)
def test_a_time_stamp_by_nobody_is_like_none(code: str) -> None:
    assert at(NOW, USED, informational=[code]).status is P
    check = at(END + DAY, USED, informational=[code])
    assert (check.status, check.codes) == (U, (code,))


@pytest.mark.parametrize("code", ["timeStamp.mismatch", "timeStamp.malformed"])
def test_a_time_stamp_of_another_signature_is_told(code: str) -> None:
    check = at(NOW, USED, informational=[code])
    assert (check.status, check.codes) == (U, (code,))
    assert at(NOW, USED, informational=[code], success=[*GOOD, "timeStamp.trusted"]).status is P


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("timeStamp.mismatch", F),
        ("timeStamp.malformed", F),
        ("timeStamp.untrusted", U),
        ("timeStamp.outsideValidity", U),
        ("timeStamp.credentialInvalid", U),
        ("claimSignature.outsideValidity", U),
        ("timeOfSigning.outsideValidity", U),
        ("timeStamp.new", F),
    ],
)
def test_what_the_library_calls_a_failure_of_time(code: str, status: Status) -> None:
    assert at(NOW, USED, failure=[code]).status is status
    assert of_manifest("claim", failure=[code]).status is P


def test_a_trusted_time_stamp_without_a_time_says_nothing() -> None:
    assert at(END + DAY, None, success=[*GOOD, "timeStamp.trusted"]).status is U


# --- ancestry -------------------------------------------------------------------------------------


def with_parent(parent: Any, *others: Any, **changes: Any) -> Check:
    read = reading(manifest("active", STORY.whole, ingredients=(parent,)), *others, **changes)
    assert read.state == "Trusted"
    return report(read).check("ancestry")


def test_a_sound_parent() -> None:
    check = with_parent(ingredient(), manifest("parent"))
    assert check.status is P
    assert check.words.startswith("One ancestor")


def test_a_parent_without_a_manifest_claims_nothing() -> None:
    assert with_parent(ingredient(None, validated=False)).status is P


def test_a_tampered_parent_under_state_trusted_is_failed() -> None:
    bad = ingredient(failures=findings("assertion.dataHash.mismatch"))
    check = with_parent(bad, manifest("parent"))
    assert (check.status, check.codes) == (F, ("assertion.dataHash.mismatch",))
    assert "plate.png" in check.words


def test_a_tampered_grandparent_is_found_too() -> None:
    bad = ingredient("grandparent", title="scan.tiff", failures=findings("claimSignature.mismatch"))
    check = with_parent(ingredient(), manifest("parent", None, ingredients=(bad,)), manifest("grandparent"))
    assert check.status is F
    assert "scan.tiff" in check.words


def test_a_parent_by_an_unknown_signer_is_undecided() -> None:
    check = with_parent(ingredient(failures=findings("signingCredential.untrusted")), manifest("parent"))
    assert check.status is U


def test_a_parent_nobody_validated_is_undecided() -> None:
    check = with_parent(ingredient(validated=False), manifest("parent"))
    assert (check.status, check.codes) == (U, ("ingredient.unvalidated",))


def test_a_parent_that_was_taken_out_of_the_store_is_failed() -> None:
    check = with_parent(ingredient())
    assert (check.status, check.codes) == (F, ("ingredient.manifest.missing",))


def test_what_changed_since_the_maker_looked_counts() -> None:
    check = with_parent(ingredient(), manifest("parent"), deltas=findings("assertion.hashedURI.mismatch"))
    assert check.status is F


@pytest.mark.parametrize("code", ["ingredient.manifest.mismatch", "ingredient.claimSignature.missing"])
def test_a_link_to_an_ancestor_that_does_not_hold(code: str) -> None:
    assert with_parent(ingredient(), manifest("parent"), failure=[code]).status is F
    assert of_manifest("claim", failure=[code]).status is P


def test_a_circle_of_manifests_ends() -> None:
    first = manifest("active", STORY.whole, ingredients=(ingredient("parent"),))
    second = manifest("parent", None, ingredients=(ingredient("active"),))
    assert [facts.label for facts in reachable_manifests(reading(first, second))] == ["active", "parent"]
    assert report(reading(first, second)).check("ancestry").status is P


def test_a_manifest_nothing_leads_to_speaks_for_nothing() -> None:
    stray = manifest("stray", STORY.whole, ingredients=(ingredient(failures=findings("claim.missing")),))
    found = report(reading(manifest("active"), stray))
    assert found.check("ancestry").status is P
    assert found.check("log").status is U


def test_severity_is_the_worst() -> None:
    assert severity(()) is P
    assert severity(findings("signingCredential.untrusted")) is U
    assert severity(findings("signingCredential.untrusted", "x")) is F
    assert codes(findings("a", "b", "a")) == ("a", "b")
