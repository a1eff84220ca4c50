"""Whether the log holds the record, from receipts built and broken by hand."""

from dataclasses import replace

import pytest

from ledger.core.checkpoint import sign_checkpoint
from ledger.core.evidence import Evidence, LoggedEnvelope
from ledger.core.note import NoteSigner, format_note, parse_note
from ledger.core.receipt import format_receipt, parse_receipt
from ledger.core.report import Outcome
from ledger.core.verify import Asked
from ledger.core.verify.ledger_checks import MAX_ENTRIES
from ledger.testing import SeedSigner
from tests.support.builders import (
    FRAME,
    ORIGIN,
    BuiltLog,
    Story,
    envelope,
    manifest,
    reading,
    seal,
    step,
)
from tests.support.verdicts import STORY, F, P, U, of_evidence, report
from tests.support.witness import cosigner_key


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


def test_cosignatures_that_nobody_here_knows_change_nothing() -> None:
    """Receipts lead to cosigned checkpoints of several sizes; a trust root need not name the witnesses."""
    witnesses = [cosigner_key("mori"), cosigner_key("kawa", post_quantum=True)]
    plain = STORY.log.logged(*STORY.all)
    shown = []
    for index in STORY.all:
        (item,) = STORY.log.logged(index, size=max(index + 1, 4))
        receipt = parse_receipt(item.receipt)
        note = parse_note(receipt.checkpoint)
        lines = [witness.cosign(note.text, 1_767_322_245) for witness in witnesses]
        cosigned = format_note(replace(note, signatures=(*note.signatures, *lines)))
        shown.append(LoggedEnvelope(item.envelope, format_receipt(replace(receipt, checkpoint=cosigned))))
    found = report(reading(manifest("active", Evidence(FRAME, tuple(shown)))))
    assert found.to_json() == report(reading(manifest("active", Evidence(FRAME, plain)))).to_json()
    assert found.check("log").status is P


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
