"""The verifier against hostile evidence: it always answers, and never calls what is missing a forgery."""

import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.evidence import Evidence, LoggedEnvelope
from ledger.core.manifest import LEDGER_ENTRY, Finding, IngredientFacts, Reading
from ledger.core.report import Outcome, Status, VerificationReport
from ledger.core.trust import TrustRoot
from ledger.core.verify import Asked, verify
from ledger.core.verify.ledger_checks import MAX_ENTRIES
from ledger.testing import SeedSigner
from tests.property.test_canonical_properties import values
from tests.support.builders import (
    FRAME,
    NOW,
    OTHER,
    BuiltLog,
    Story,
    enrolment,
    examined,
    manifest,
    reading,
    seal,
    step,
)

STORY = Story()
GOOD = STORY.evidence().to_json()
ENTRIES = STORY.whole.entries
NEEDED = {item for item in ENTRIES if item.envelope != STORY.log.entries[STORY.registrar]}
"""The registrar's own enrolment is not: the trust root pins its key."""
any_json = st.recursive(
    values | st.floats() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)


def judged(
    read: Reading | None, asked: Asked | None = None, trust: TrustRoot | None = None
) -> VerificationReport:
    found = verify(examined(read), trust or STORY.trust, NOW, asked)
    assert found.verdict
    assert found.to_json()
    return found


def with_assertion(value: Any) -> Reading:
    return reading(manifest("active", assertions={LEDGER_ENTRY: value}))


@given(any_json)
def test_any_assertion_is_answered(value: Any) -> None:
    assert judged(with_assertion(value)).outcome is Outcome.UNDECIDED


@given(st.sampled_from(["spec", "subject", "entries"]), any_json)
def test_any_member_of_the_assertion_is_answered(name: str, value: Any) -> None:
    assert judged(with_assertion({**GOOD, name: value})).outcome is not Outcome.PROVEN


@given(st.sampled_from(["envelope", "receipt"]), st.integers(0, 5), any_json)
def test_any_entry_is_answered(name: str, number: int, value: Any) -> None:
    entries = [dict(entry) for entry in GOOD["entries"]]
    entries[number][name] = value
    assert judged(with_assertion({**GOOD, "entries": entries})).outcome is not Outcome.PROVEN


@given(st.lists(st.tuples(st.binary(max_size=50), st.binary(max_size=50)), max_size=5))
def test_any_bytes_from_a_ledger_are_answered(pairs: list[tuple[bytes, bytes]]) -> None:
    asked = Asked((), tuple(LoggedEnvelope(*pair) for pair in pairs), FRAME)
    assert judged(reading(), asked).outcome is not Outcome.PROVEN


@given(st.permutations(range(6)))
def test_a_receipt_belongs_to_one_envelope(order: list[int]) -> None:
    pairs = zip(ENTRIES, [ENTRIES[place] for place in order], strict=True)
    swapped = tuple(LoggedEnvelope(one.envelope, two.receipt) for one, two in pairs)
    found = judged(reading(manifest("active", Evidence(FRAME, swapped))))
    assert found.check("log").status is (Status.PASSED if order == list(range(6)) else Status.FAILED)


@given(st.lists(st.sampled_from(ENTRIES), min_size=1, max_size=15))
def test_entries_that_are_missing_or_repeated_are_never_a_forgery(entries: list[LoggedEnvelope]) -> None:
    found = judged(reading(manifest("active", Evidence(FRAME, tuple(entries)))))
    assert found.outcome is not Outcome.ALTERED
    assert (found.outcome is Outcome.PROVEN) == (set(entries) >= NEEDED)


@given(st.permutations(ENTRIES))
def test_the_order_of_the_evidence_does_not_matter(entries: list[LoggedEnvelope]) -> None:
    found = judged(reading(manifest("active", Evidence(FRAME, tuple(entries)))))
    assert found == judged(reading(manifest("active", STORY.whole)))


FOREIGN = Story(BuiltLog(origin="log.elsewhere.example")).whole.entries
IMPOSTER = Story(BuiltLog(key=SeedSigner("imposter"))).whole.entries


@given(st.lists(st.sampled_from([*ENTRIES, *FOREIGN, *IMPOSTER]), min_size=1, max_size=12))
def test_what_no_known_log_signed_is_never_a_forgery(entries: list[LoggedEnvelope]) -> None:
    found = judged(reading(manifest("active", Evidence(FRAME, tuple(entries)))))
    assert found.outcome is not Outcome.ALTERED


@given(st.integers(0, 5), st.sampled_from(["envelope", "receipt"]), st.data())
def test_no_byte_of_the_evidence_can_be_another(number: int, name: str, data: st.DataObject) -> None:
    """A changed byte may make a signer unknown, and then proves nothing; it never stays proven."""
    good: bytes = getattr(ENTRIES[number], name)
    place = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != good[place]))
    changed = replace(ENTRIES[number], **{name: good[:place] + bytes([other]) + good[place + 1 :]})
    entries = (*ENTRIES[:number], changed, *ENTRIES[number + 1 :])
    asked = Asked((), entries, FRAME)
    found = judged(reading(manifest("active")), asked)
    assert found.check("log").status is not Status.PASSED


codes = st.text(max_size=10) | st.sampled_from(
    [
        "claimSignature.mismatch",
        "signingCredential.untrusted",
        "timeStamp.trusted",
        "assertion.dataHash.match",
    ]
)
found_codes = st.lists(st.builds(Finding, codes, st.text(max_size=3), st.text(max_size=3)), max_size=4).map(
    tuple
)
labels = st.sampled_from(["active", "parent", "third", None])
ingredients = st.builds(
    IngredientFacts,
    st.text(max_size=5),
    st.sampled_from(["parentOf", "componentOf", "inputTo", "?"]),
    labels,
    st.just(()),
    found_codes,
    st.booleans(),
)


@given(
    st.dictionaries(
        st.sampled_from(["active", "parent", "third"]),
        st.lists(ingredients, max_size=3).map(tuple),
        max_size=3,
    ),
    found_codes,
    found_codes,
    found_codes,
    found_codes,
)
def test_any_reading_is_answered(
    graph: dict[str, tuple[IngredientFacts, ...]],
    success: tuple[Finding, ...],
    informational: tuple[Finding, ...],
    failure: tuple[Finding, ...],
    deltas: tuple[Finding, ...],
) -> None:
    shown = {label: manifest(label, STORY.whole, ingredients=items) for label, items in graph.items()}
    read = replace(
        reading(),
        manifests=shown,
        success=success,
        informational=informational,
        failure=failure,
        deltas=deltas,
    )
    found = judged(read)
    if failure or deltas:
        assert found.outcome is not Outcome.PROVEN


def test_ten_thousand_strangers_take_no_long_time() -> None:
    shown = FOREIGN[0]
    many = tuple(LoggedEnvelope(shown.envelope, shown.receipt + b"%d" % number) for number in range(10_000))
    start = time.monotonic()
    assert judged(reading(), Asked((), many, FRAME)).outcome is not Outcome.PROVEN
    assert time.monotonic() - start < 10


@pytest.mark.slow
def test_as_many_good_entries_as_are_looked_at_take_no_long_time() -> None:
    """Each one proven and signed by a device: the dearest evidence that can be had."""
    log = Story().log
    for number in range(MAX_ENTRIES - 6):
        log.add(step(step_id=str(number)))
    entries = log.logged(*range(len(log.entries)))
    start = time.monotonic()
    found = judged(reading(manifest("active", Evidence(FRAME, entries))))
    assert time.monotonic() - start < 30
    assert found.outcome is Outcome.PROVEN
    assert len(found.steps) == MAX_ENTRIES - 5


def test_an_outsider_s_entries_in_a_trusted_log_are_never_a_forgery() -> None:
    """Whoever may append may append a stranger's envelope; that does not make the frame altered."""
    story = Story()
    for predicate in (step(step_id="x"), seal(), enrolment(OTHER, device="x")):
        story.log.add(predicate, OTHER)
    found = judged(reading(manifest("active", story.evidence())))
    assert found.outcome is Outcome.UNDECIDED
    assert found.check("subject").status is Status.PASSED
