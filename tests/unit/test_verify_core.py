"""The verdict, check by check and branch by branch, from readings built by hand.

`report` verifies the sealed frame of a `Story`; each test changes one thing and looks at the check that it
belongs to.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from ledger.core.artifact import Artifact, Role
from ledger.core.checkpoint import sign_checkpoint
from ledger.core.envelope import pae
from ledger.core.evidence import Evidence, LoggedEnvelope
from ledger.core.manifest import LEDGER_ENTRY, Reading
from ledger.core.note import NoteSigner
from ledger.core.predicates import Predicate
from ledger.core.predicates.model import Training, TrainingStage
from ledger.core.receipt import format_receipt, parse_receipt
from ledger.core.report import Check, Outcome, Status, VerificationReport
from ledger.core.trust import TrustRoot
from ledger.core.verify import Asked, Sighting, verify
from ledger.core.verify.ledger_checks import MAX_ENTRIES
from ledger.core.verify.manifest_checks import codes, reachable_manifests, severity
from ledger.errors import MalformedError, UndecidedError
from ledger.testing import SeedSigner
from tests.support.builders import (
    DAY,
    DEVICE,
    END,
    FRAME,
    GOOD,
    INVENTORY,
    NOW,
    ORIGIN,
    OTHER,
    REGISTRAR,
    SIGNER,
    START,
    USED,
    WEIGHTS,
    BuiltLog,
    Story,
    dataset,
    digest,
    enrolment,
    envelope,
    examined,
    findings,
    grant,
    ingredient,
    manifest,
    model,
    reading,
    registrar_enrolment,
    seal,
    step,
)

P, F, U = Status.PASSED, Status.FAILED, Status.UNDECIDED
STORY = Story()
WITHOUT_DATA_HASH = tuple(code for code in GOOD if code != "assertion.dataHash.match")


def report(
    read: Reading | None,
    trust: TrustRoot | None = STORY.trust,
    now: datetime = NOW,
    asked: Asked | None = None,
    **changes: Any,
) -> VerificationReport:
    return verify(examined(read, **changes), trust, now, asked)


def of_manifest(name: str, **changes: Any) -> Check:
    """Return one check of a file whose manifest and evidence are good, but for the reading's changes."""
    return report(reading(manifest("active", STORY.whole), **changes)).check(name)


def of_evidence(name: str, entries: Sequence[LoggedEnvelope], trust: TrustRoot = STORY.trust) -> Check:
    return report(reading(manifest("active", Evidence(FRAME, tuple(entries)))), trust).check(name)


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


# --- log ------------------------------------------------------------------------------------------


def test_a_swapped_receipt_fails() -> None:
    one, two = STORY.log.logged(STORY.step, STORY.device)
    swapped = (LoggedEnvelope(one.envelope, two.receipt), LoggedEnvelope(two.envelope, one.receipt))
    check = of_evidence("log", swapped)
    assert check.status is F
    assert check.codes[0] in ("proof.mismatch", "proof.malformed")


def test_a_changed_envelope_fails() -> None:
    one = STORY.log.logged(STORY.step)[0]
    check = of_evidence("log", [LoggedEnvelope(one.envelope.replace(b"A", b"B", 1), one.receipt)])
    assert (check.status, check.codes) == (F, ("proof.mismatch",))


def test_a_changed_root_fails() -> None:
    one = STORY.log.logged(STORY.step)[0]
    receipt = parse_receipt(one.receipt)
    other = BuiltLog(entries=STORY.log.entries[:2]).checkpoint()
    text, _, signature = other.partition(b"\n\n")
    forged = receipt.checkpoint.partition(b"\n\n")[0] + b"\n\n" + signature
    assert text
    assert forged != receipt.checkpoint
    check = of_evidence(
        "log", [LoggedEnvelope(one.envelope, format_receipt(replace(receipt, checkpoint=forged)))]
    )
    assert (check.status, check.codes) == (F, ("note.signature",))


@pytest.mark.parametrize("data", [b"", b"\xff", b"{}", b"x" * 70_000])
def test_a_receipt_that_is_none_fails(data: bytes) -> None:
    check = report(
        reading(manifest("active")), asked=Asked((), (LoggedEnvelope(STORY.log.entries[0], data),), FRAME)
    ).check("log")
    assert (check.status, check.codes) == (F, ("receipt.malformed",))


def test_an_unknown_log_is_undecided() -> None:
    elsewhere = Story(BuiltLog(origin="log.elsewhere.example"))
    check = of_evidence("log", elsewhere.whole.entries)
    assert (check.status, check.codes) == (U, ("checkpoint.origin",))


def test_a_log_under_a_known_name_with_an_unknown_key_is_undecided() -> None:
    imposter = Story(BuiltLog(key=SeedSigner("imposter")))
    found = report(reading(manifest("active", imposter.whole)))
    assert (found.check("log").status, found.check("log").codes) == (U, ("key.unknown",))
    assert found.outcome is Outcome.UNDECIDED


def test_a_checkpoint_that_only_a_witness_signed_is_undecided() -> None:
    witness = NoteSigner("witness.example", SeedSigner("witness"))
    receipt = parse_receipt(STORY.log.receipt(STORY.step))
    note = sign_checkpoint(ORIGIN, 6, bytes(32), [STORY.log.signer, witness])
    body, _, lines = note.partition(b"\n\n")
    only = body + b"\n\n" + lines.splitlines(keepends=True)[1]
    item = LoggedEnvelope(STORY.log.entries[STORY.step], format_receipt(replace(receipt, checkpoint=only)))
    trust = replace(STORY.trust, logs=(*STORY.trust.logs, witness.verifier.vkey))
    check = of_evidence("log", [item], trust)
    assert (check.status, check.codes) == (U, ("key.unknown",))


def test_one_entry_of_an_unknown_log_leaves_the_others_proven() -> None:
    foreign = Story(BuiltLog(origin="log.elsewhere.example")).whole.entries[:1]
    found = report(reading(manifest("active", Evidence(FRAME, STORY.whole.entries + foreign))))
    assert found.check("log").status is U
    assert found.check("statement").status is P
    assert found.check("subject").status is P


def test_two_trees_of_one_size_are_a_fork() -> None:
    fork = Story()
    fork.log.entries[fork.step] = envelope(step(step_id="another"))
    check = of_evidence("log", [*STORY.log.logged(STORY.step), *fork.log.logged(fork.device)])
    assert (check.status, check.codes) == (F, ("log.conflict",))
    assert "fork" in check.words


def test_two_entries_at_one_index_are_a_fork() -> None:
    """The trees have different sizes, so no two checkpoints contradict each other openly."""
    fork = Story()
    fork.log.entries[fork.step] = envelope(step(step_id="another"))
    fork.log.add(seal())
    check = of_evidence("log", [*STORY.log.logged(STORY.step), *fork.log.logged(fork.step)])
    assert (check.status, check.codes) == (F, ("log.conflict",))


def test_one_entry_with_two_receipts_is_one_entry() -> None:
    grown = Story()
    early = grown.log.logged(*grown.all)
    grown.log.add(seal())
    found = report(reading(manifest("active", Evidence(FRAME, early + grown.log.logged(*range(6))))))
    assert found.outcome is Outcome.PROVEN
    assert found.check("log").words.startswith("6 entries")
    assert len(found.steps) == 1
    assert [len(thing.grants) for thing in found.things] == [1, 1]


def test_an_entry_given_twice_is_one_entry() -> None:
    found = report(reading(manifest("active", Evidence(FRAME, STORY.whole.entries * 3))))
    assert found.outcome is Outcome.PROVEN
    assert len(found.steps) == 1


def crowd(count: int) -> Asked:
    """Return entries of an unknown log: each costs a look, none is proven."""
    shown = Story(BuiltLog(origin="log.elsewhere.example")).log.logged(0)[0]
    return Asked(
        (), tuple(LoggedEnvelope(shown.envelope + b"%d" % n, shown.receipt) for n in range(count)), FRAME
    )


def test_more_entries_than_any_file_has_are_not_looked_at() -> None:
    within = report(reading(), asked=crowd(MAX_ENTRIES)).check("log")
    assert (within.status, within.codes) == (U, ("checkpoint.origin",))
    beyond = report(reading(), asked=crowd(MAX_ENTRIES + 1)).check("log")
    assert (beyond.status, beyond.codes) == (U, ("checkpoint.origin", "manifest.too-large"))


def test_the_file_s_own_entries_are_looked_at_first() -> None:
    found = report(reading(manifest("active", STORY.whole)), asked=crowd(10_000))
    assert found.check("subject").status is P
    assert found.check("log").status is U


# --- statement ------------------------------------------------------------------------------------


def told(*extra: Callable[[Story], object], trust: TrustRoot = STORY.trust) -> VerificationReport:
    """Return the report on a story that went on; each step of the plot may append to the log."""
    story = Story()
    for plot in extra:
        plot(story)
    return report(reading(manifest("active", story.evidence())), trust)


def statement_check(
    *extra: Callable[[Story], object], trust: TrustRoot = STORY.trust
) -> tuple[Status, tuple[str, ...]]:
    check = told(*extra, trust=trust).check("statement")
    return check.status, check.codes


def test_a_step_by_a_stranger_is_undecided() -> None:
    assert statement_check(lambda s: s.log.add(step(), OTHER)) == (U, ("key.unknown",))


def test_a_step_by_a_key_enrolled_later_is_undecided() -> None:
    late = enrolment(OTHER, device="ws-02")
    found = told(lambda s: s.log.add(step(step_id="2"), OTHER), lambda s: s.log.add(late))
    check = found.check("statement")
    assert (check.status, check.codes) == (U, ("key.unknown",))
    assert found.outcome is Outcome.UNDECIDED


def test_a_step_after_its_enrolment_is_good() -> None:
    early = enrolment(OTHER, device="ws-02")
    found = told(lambda s: s.log.add(early), lambda s: s.log.add(step(step_id="2"), OTHER))
    assert found.check("statement").status is P
    assert "ws-02" in found.check("statement").words


def test_the_enrolment_of_a_device_may_be_missing_from_the_evidence() -> None:
    story = Story()
    shown = story.evidence(story.step, story.registrar, story.model, story.dataset, story.grant)
    found = report(reading(manifest("active", shown)))
    assert found.check("statement").codes == ("key.unknown",)
    assert found.outcome is Outcome.UNDECIDED


WRONG_ROLE: dict[str, tuple[Predicate, Any]] = {
    "grant by a device": (grant(), DEVICE),
    "model by a device": (model(), DEVICE),
    "dataset by a device": (dataset(), DEVICE),
    "enrolment by a device": (enrolment(OTHER, device="ws-02"), DEVICE),
    "registrar by a device": (registrar_enrolment(OTHER), DEVICE),
    "step by the registrar": (step(step_id="2"), REGISTRAR),
}


@pytest.mark.parametrize(("predicate", "signer"), WRONG_ROLE.values(), ids=WRONG_ROLE)
def test_a_key_that_may_not_say_this_fails(predicate: Predicate, signer: Any) -> None:
    assert statement_check(lambda s: s.log.add(predicate, signer)) == (F, ("key.not-valid",))


def test_an_enrolment_by_a_device_admits_nobody() -> None:
    found = told(
        lambda s: s.log.add(enrolment(OTHER, device="ws-02"), DEVICE),
        lambda s: s.log.add(step(step_id="2"), OTHER),
    )
    assert len(found.steps) == 1


def test_a_device_that_enrols_itself_as_registrar_stays_a_device() -> None:
    found = told(
        lambda s: s.log.add(registrar_enrolment(DEVICE), DEVICE),
        lambda s: s.log.add(grant(grant_id="own"), DEVICE),
    )
    assert found.check("statement").status is F
    assert [item.grant_id for item in found.things[0].grants] == ["LIC-7"]


def test_a_forged_signature_fails() -> None:
    class Forger:
        keyid = DEVICE.keyid

        def sign(self, message: bytes) -> bytes:
            return OTHER.sign(message)

    assert statement_check(lambda s: s.log.add(step(step_id="2"), Forger())) == (F, ("envelope.signature",))  # type: ignore[arg-type]


def test_of_two_signatures_the_known_one_counts() -> None:
    found = told(lambda s: s.log.add(step(step_id="2"), OTHER, DEVICE))
    assert found.check("statement").status is P
    assert len(found.steps) == 2


def test_a_known_key_s_wrong_signature_fails_beside_a_good_one() -> None:
    class Forger:
        keyid = REGISTRAR.keyid

        def sign(self, message: bytes) -> bytes:
            return OTHER.sign(pae(message))

    plot = lambda s: s.log.add(step(step_id="2"), DEVICE, Forger())  # noqa: E731
    assert statement_check(plot) == (F, ("envelope.signature",))


def test_of_two_known_keys_one_must_be_allowed() -> None:
    assert statement_check(lambda s: s.log.add(step(step_id="2"), REGISTRAR, DEVICE)) == (P, ())
    assert statement_check(lambda s: s.log.add(grant(grant_id="2"), DEVICE, OTHER)) == (F, ("key.not-valid",))


def test_a_second_registrar_enrolled_by_the_first() -> None:
    found = told(
        lambda s: s.log.add(registrar_enrolment(OTHER, device="second")),
        lambda s: s.log.add(grant(grant_id="LIC-8"), OTHER),
    )
    assert found.outcome is Outcome.PROVEN
    assert [item.grant_id for item in found.things[0].grants] == ["LIC-7", "LIC-8"]


def test_a_registrar_enrolled_by_the_second() -> None:
    third = SeedSigner("third")
    found = told(
        lambda s: s.log.add(registrar_enrolment(OTHER, device="second")),
        lambda s: s.log.add(registrar_enrolment(third, device="third"), OTHER),
        lambda s: s.log.add(grant(grant_id="LIC-9"), third),
    )
    assert found.outcome is Outcome.PROVEN


def test_a_registrar_the_trust_root_does_not_pin_is_undecided() -> None:
    trust = replace(STORY.trust, registrars=(OTHER.public_key,))
    assert statement_check(trust=trust) == (U, ("key.unknown",))


def test_a_registrar_is_one_in_each_log_that_the_root_names() -> None:
    """Enrolments do not carry over from log to log; the pinned registrar does."""
    other = Story(BuiltLog(origin="ledger.example/second", key=SeedSigner("second log")))
    trust = replace(STORY.trust, logs=(STORY.log.vkey, other.log.vkey))
    strange = other.log.logged(other.step)
    found = report(reading(manifest("active", Evidence(FRAME, STORY.whole.entries + strange))), trust)
    assert found.check("log").status is P
    assert found.check("statement").codes == ("key.unknown",)


def test_a_renewed_device_is_judged_by_the_enrolment_before_each_step() -> None:
    later = USED + 200 * DAY
    found = told(
        lambda s: s.log.add(
            enrolment(valid_from=later - DAY, valid_until=END + 300 * DAY, certificate=digest("new"))
        ),
        lambda s: s.log.add(step(step_id="2", started=later, finished=later)),
        lambda s: s.log.add(step(step_id="from the spool")),
    )
    assert found.check("statement").status is P
    assert len(found.steps) == 3


@pytest.mark.parametrize("moment", [START - DAY, END])
def test_a_step_outside_the_key_s_validity_is_undecided(moment: datetime) -> None:
    plot = lambda s: s.log.add(step(step_id="2", started=moment, finished=moment))  # noqa: E731
    assert statement_check(plot) == (U, ("key.not-valid",))


def test_an_entry_of_a_newer_kind_is_in_the_log_and_undecided() -> None:
    import json

    from ledger.core import canonical
    from ledger.core import envelope as dsse
    from ledger.core import statement as statements
    from tests.support.builders import statement

    document = json.loads(statements.encode(statement(step())))
    document["predicateType"] = "https://rakkan.org/step/v2"
    newer = dsse.sign(canonical.encode(document), DEVICE)
    found = told(lambda s: s.log.add(newer))
    assert found.check("log").status is P
    assert found.check("statement").codes == ("statement.predicate-type",)
    assert found.check("statement").status is U


@pytest.mark.parametrize("data", [b"hello", b"{}", envelope(step()) + b"\n"])
def test_an_entry_that_is_no_envelope_is_in_the_log_and_wrong(data: bytes) -> None:
    found = told(lambda s: s.log.add(data))
    assert found.check("log").status is P
    assert found.check("statement").status is F


def test_an_enrolment_of_no_key_fails() -> None:
    broken = enrolment(OTHER, device="ws-02", public_key=b"nonsense")
    assert statement_check(lambda s: s.log.add(broken)) == (F, ("key.malformed",))


# --- subject --------------------------------------------------------------------------------------


def subject_check(read: Reading | None, asked: Asked | None = None, **changes: Any) -> tuple[Status, str]:
    check = report(read, asked=asked, **changes).check("subject")
    return check.status, check.words


REWRITTEN: dict[str, Any] = {"media_type": "image/jpeg", "pixels": lambda: None}
"""A file whose bytes and picture the library changed when it sealed: a JPEG whose tables were moved."""


def never() -> str:
    raise AssertionError("the picture was decoded for nothing")


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


# --- materials and grants -------------------------------------------------------------------------


def used(*materials: Artifact, **changes: Any) -> Predicate:
    return step(materials=materials, **changes)


MODEL = Artifact("studio-xl", WEIGHTS, role=Role.MODEL)


def with_step(predicate: Predicate, *plot: Callable[[Story], object]) -> VerificationReport:
    """Return the report on a story whose one step is another."""

    def replace_step(story: Story) -> None:
        story.log.entries[story.step] = envelope(predicate)

    return told(replace_step, *plot)


def test_a_step_that_names_nothing_needs_nothing() -> None:
    found = with_step(used(Artifact("plate", digest("plate"), role=Role.PARENT)))
    assert found.things == ()
    assert [found.check(name).status for name in ("materials", "grants")] == [P, P]


def test_what_a_step_does_not_name_is_not_named() -> None:
    """The evidence holds a model's registration; the step did not use it."""
    assert with_step(used()).things == ()


def test_an_unregistered_model_is_undecided() -> None:
    found = with_step(used(Artifact("leaked.ckpt", digest("leaked"), role=Role.MODEL)))
    assert found.check("materials").status is U
    assert "leaked.ckpt" in found.check("materials").words
    assert (found.check("grants").status, found.check("grants").codes) == (U, ("grant.missing",))


def test_a_model_that_is_registered_as_a_dataset_is_not_registered() -> None:
    found = with_step(used(Artifact("plates", INVENTORY, role=Role.MODEL)))
    assert found.check("materials").status is U


def test_a_registered_model_without_a_grant_is_undecided() -> None:
    shown = STORY.evidence(STORY.step, STORY.registrar, STORY.device, STORY.dataset, STORY.model)
    found = report(reading(manifest("active", shown)))
    assert found.check("materials").status is P
    assert found.check("grants").codes == ("grant.missing",)
    assert found.outcome is Outcome.UNDECIDED


def granted(**changes: Any) -> Callable[[Story], object]:
    def plot(story: Story) -> None:
        both = (Artifact("studio-xl", WEIGHTS), Artifact("plates.csv", INVENTORY))
        story.log.entries[story.grant] = envelope(grant(**changes), subjects=both)

    return plot


@pytest.mark.parametrize(
    ("term", "status"),
    [
        ({"valid_until": USED}, U),
        ({"valid_from": USED + DAY}, U),
        ({"valid_from": USED}, P),
        ({"valid_until": USED + DAY}, P),
        ({"valid_until": None}, P),
    ],
    ids=["ended before", "began after", "began then", "ended since", "perpetual"],
)
def test_a_grant_counts_at_the_time_of_use(term: dict[str, Any], status: Status) -> None:
    found = told(granted(**term))
    assert found.check("grants").status is status
    assert {grant.in_term for thing in found.things for grant in thing.grants} == {status is P}


def test_a_grant_about_something_else_covers_nothing() -> None:
    def plot(story: Story) -> None:
        story.log.entries[story.grant] = envelope(grant(), subjects=(Artifact("x", digest("x")),))

    assert told(plot).check("grants").codes == ("grant.missing",)


def test_every_use_needs_a_grant_of_its_time() -> None:
    late = step(step_id="2", started=USED + 100 * DAY, finished=USED + 100 * DAY)
    once = told(granted(valid_until=USED + DAY), lambda s: s.log.add(late))
    assert once.check("grants").status is U
    again = told(
        granted(valid_until=USED + DAY),
        lambda s: s.log.add(late),
        lambda s: s.log.add(
            grant(grant_id="LIC-8", valid_from=USED + 50 * DAY),
            subjects=(Artifact("studio-xl", WEIGHTS), Artifact("plates.csv", INVENTORY)),
        ),
    )
    assert again.check("grants").status is P
    assert "LIC-7, LIC-8" in again.check("grants").words


def test_a_first_use_without_a_grant_is_not_mended_by_a_later_one() -> None:
    late = step(step_id="2", started=USED + 100 * DAY, finished=USED + 100 * DAY)
    found = told(granted(valid_from=USED + 50 * DAY), lambda s: s.log.add(late))
    assert found.check("grants").status is U


def test_the_training_of_a_model_counts_with_it() -> None:
    def plot(story: Story) -> None:
        two = tuple(Training(word, digest(word), TrainingStage.FOUNDATION) for word in ("web", "scans"))
        story.log.entries[story.model] = envelope(model(training=two))

    found = told(plot)
    assert [(thing.name, thing.stages) for thing in found.things] == [
        ("studio-xl", ()),
        ("web", ("foundation",)),
        ("scans", ("foundation",)),
    ]
    assert "dataset “web”, dataset “scans”" in found.check("materials").words


def test_a_model_that_is_the_file_itself_is_judged_now() -> None:
    shown = STORY.evidence(STORY.model, STORY.registrar, STORY.dataset, STORY.grant, subject=WEIGHTS)
    read = reading(manifest("active", shown, bound_sha256=None), embedded=False)
    today = report(read, sha256=WEIGHTS, media_type="application/octet-stream", pixels=never)
    assert today.check("grants").status is P
    later = report(read, now=END, sha256=WEIGHTS, media_type="application/octet-stream", pixels=never)
    assert later.check("grants").status is U


def test_a_grant_by_a_device_covers_nothing() -> None:
    def plot(story: Story) -> None:
        both = (Artifact("studio-xl", WEIGHTS), Artifact("plates.csv", INVENTORY))
        story.log.entries[story.grant] = envelope(grant(), DEVICE, subjects=both)

    found = told(plot)
    assert found.check("grants").codes == ("grant.missing",)
    assert found.outcome is Outcome.ALTERED


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


def test_the_file_s_own_word_comes_before_the_ledger_s() -> None:
    asked = Asked((Sighting(3, "x", "bytes"),), STORY.whole.entries, WEIGHTS)
    status, words = subject_check(reading(manifest("active", STORY.whole)), asked)
    assert (status, "Entry 5" in words) == (P, True)


def test_an_error_that_is_undecided_stays_so() -> None:
    error = UndecidedError("manifest.too-large", "The store is too large.")
    assert report(None, unreadable=error).outcome is Outcome.UNDECIDED
