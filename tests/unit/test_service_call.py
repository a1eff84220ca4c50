"""A call to a remote service: the statement's rules by their defects, and the summary of many attempts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ledger.core import canonical
from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.artifact import Artifact
from ledger.core.digest import sha256_hex
from ledger.core.predicates.service_call import (
    MAX_OUTPUTS,
    MAX_RUNS,
    CallOutcome,
    Run,
    ServiceCall,
    counted,
    summarised,
)
from ledger.core.statement import Statement
from ledger.errors import MalformedError
from tests.support.builders import DEVICE, FRAME, USED, commitment, digest, statement
from tests.support.defects import Change, nested, refusal
from tests.support.stated import SERVICE
from tests.support.stated_captures import refused_call, service_call

SECOND = timedelta(seconds=1)
REQUIRED = ["callId", "outcome", "service", "place", "actor", "started", "finished", "evidence"]


@pytest.mark.parametrize("name", REQUIRED)
def test_each_of_these_members_is_required(name: str) -> None:
    assert refusal(service_call(), nested(name))[0] == "statement.field"


def test_what_may_be_left_out_may_be_left_out() -> None:
    whole = service_call().to_json()
    together = {"runs", "attempts"}
    for name in set(whole) - set(REQUIRED) - together:
        document = {key: value for key, value in whole.items() if key != name}
        assert read_back(document) == document
    bare = {key: whole[key] for key in REQUIRED}
    assert read_back(bare) == bare


def read_back(document: dict[str, object]) -> object:
    whole = canonical.decode(statements.encode(statement(service_call()))) | {"predicate": document}
    return statements.decode(canonical.encode(whole)).predicate.to_json()


DEFECTS: dict[str, tuple[Change, str]] = {
    "unknown member": (nested("extra", value=1), "extra is not a field"),
    "key in the clear": (nested("idempotencyKey", value="1"), "idempotencyKey is not a field"),
    "unknown outcome": (nested("outcome", value="lost"), "outcome cannot be"),
    "ends before it starts": (nested("finished", value="2026-01-01T00:00:00Z"), "earlier than started"),
    "vendor with a slash": (nested("service", "vendor", value="a/b"), "hold a slash"),
    "terms without a time": (nested("terms", "fetched"), "terms.fetched"),
    "terms with a note": (nested("terms", "note", value=1), "terms.note"),
    "outputs out of order": (
        nested("outputs", value=sorted([FRAME, digest("a")], reverse=True)),
        "outputs must be sorted",
    ),
    "outputs of a refusal": (nested("outcome", value="refused"), "outputs go with a call that was accepted"),
    "no attempts, in words": (nested("attempts", value={}), "must not be an empty object"),
    "no attempt of a kind": (nested("attempts", "refused", value=0), "attempts.refused must be at least 1"),
    "attempts of another kind": (nested("attempts", "lost", value=1), "attempts.lost"),
    "run that is not counted": (nested("attempts", "failed"), "must count every attempt"),
    "count of a run that is not there": (nested("attempts", "throttled", value=4), "of all attempts"),
    "run of one, counted": (nested("runs", 1, "count", value=1), "count must be at least 2"),
    "run without an end": (nested("runs", 0, "until"), "until goes with a count"),
    "run that ends before it begins": (
        nested("runs", 0, "until", value="2026-01-01T00:00:00Z"),
        "until goes with a count",
    ),
    "run with a status of nobody": (nested("runs", 0, "status", value=7), "status must be at least 100"),
    "run with a code in prose": (nested("runs", 0, "code", value="your prompt"), "characters of ASCII"),
    "request of a long name": (nested("runs", 0, "requestId", value="x" * 129), "characters of ASCII"),
    "wait of nothing": (nested("runs", 0, "waited", value=0), "waited must be at least 1"),
    "wait of half a second": (nested("runs", 0, "waited", value="0.5"), "waited must be of type int"),
    "run with a note": (nested("runs", 0, "note", value=1), "runs[0].note"),
    "capture with a note": (nested("capture", "note", value=1), "capture.note"),
}


@pytest.mark.parametrize(("change", "words"), DEFECTS.values(), ids=DEFECTS)
def test_defect(change: Change, words: str) -> None:
    code, message = refusal(service_call(), change)
    assert (code, words in message) == ("statement.field", True), message


def test_an_output_is_a_digest() -> None:
    assert refusal(service_call(), nested("outputs", value=["frame.png"]))[0] == "digest.malformed"


def test_more_outputs_or_runs_than_an_entry_holds_are_refused() -> None:
    many = sorted(digest(str(number)) for number in range(MAX_OUTPUTS + 1))
    assert "outputs must be at most" in refusal(service_call(), nested("outputs", value=many))[1]
    runs = [Run(at=USED, outcome=CallOutcome.FAILED).to_json()] * (MAX_RUNS + 1)
    assert "runs must be at most" in refusal(refused_call(), nested("runs", value=runs))[1]


def test_the_subject_is_the_call() -> None:
    call = service_call()
    expected = sha256_hex(f"urn:rakkan:call:{call.call_id}".encode())
    assert call.subject == Artifact(f"call {call.call_id}", expected)
    for other in (Artifact("frame.png", expected), replace(call.subject, sha256=digest("frame"))):
        with pytest.raises(MalformedError):
            statements.encode(Statement((other,), call))
    with pytest.raises(MalformedError):
        statements.encode(Statement((call.subject, Artifact("frame.png", digest("frame"))), call))


def throttled(number: int, outcome: CallOutcome = CallOutcome.THROTTLED) -> Run:
    return Run(
        at=USED + number * SECOND,
        outcome=outcome,
        status=429,
        code="rate_limit_exceeded",
        request_id=f"req_{number}",
        took=10,
        waited=1000,
    )


def test_up_to_fifty_attempts_stand_each_by_itself() -> None:
    attempts = [throttled(number) for number in range(MAX_RUNS)]
    assert summarised(attempts) == tuple(attempts)


def test_a_flood_is_one_run_and_the_refusal_in_it_still_stands() -> None:
    attempts = [throttled(number) for number in range(10_000)]
    attempts[4_000] = throttled(4_000, CallOutcome.REFUSED)
    first, refused, last = summarised(attempts)
    assert (first.count, first.at, first.until) == (4_000, USED, USED + 3_999 * SECOND)
    assert (first.request_id, first.took, first.waited) == ("req_0", 40_000, 4_000_000)
    assert refused == attempts[4_000]
    assert (last.count, last.request_id) == (5_999, "req_4001")
    assert counted(attempts) == ((CallOutcome.THROTTLED, 9_999), (CallOutcome.REFUSED, 1))


def test_a_clock_that_is_set_back_makes_no_run_that_ends_before_it_begins() -> None:
    attempts = [throttled(-number) for number in range(60)]
    (run,) = summarised(attempts)
    assert (run.at, run.until) == (USED, USED)


def test_of_too_many_runs_the_first_and_the_last_stand_and_all_are_counted() -> None:
    attempts = [
        throttled(number, CallOutcome.FAILED if number % 2 else CallOutcome.THROTTLED)
        for number in range(10_000)
    ]
    found = summarised(attempts)
    assert found == (*attempts[:25], *attempts[-25:])
    flood = refused_call(outcome=CallOutcome.FAILED, attempts=counted(attempts), runs=found)
    decoded = statements.decode(statements.encode(statement(flood))).predicate
    assert isinstance(decoded, ServiceCall)
    assert sum(count for _, count in decoded.attempts) == 10_000


def test_the_largest_call_fits_into_an_entry() -> None:
    longest = "x" * 128
    run = replace(throttled(10**6), count=10**9, until=USED + 10**7 * SECOND, took=10**12, waited=10**12)
    runs = tuple(replace(run, code=longest, request_id=longest) for _ in range(MAX_RUNS))
    call = service_call(
        outputs=tuple(sorted(digest(str(number)) for number in range(MAX_OUTPUTS))),
        service=replace(SERVICE, product="p" * 1024, snapshot="s" * 1024),
        runs=runs,
        attempts=counted(runs),
        commitments=tuple(commitment(str(number)) for number in range(40)),
    )
    payload = statements.encode(Statement((call.subject,), call))
    assert len(dsse.sign(payload, DEVICE)) <= dsse.MAX_BYTES
