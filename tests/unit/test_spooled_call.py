"""The account of a call in a record: read strictly, and stated as it stands there."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ledger.core import statement as statements
from ledger.core.digest import sha256_hex
from ledger.core.predicates.service_call import MAX_OUTPUTS, CallOutcome, Run
from ledger.core.predicates.step import Place
from ledger.core.spooled import Spooled, read_spooled
from ledger.core.spooled_call import read_call, stated
from ledger.core.statement import Statement
from ledger.errors import MalformedError
from tests.support.builders import digest
from tests.support.calls import ACCOUNT, record
from tests.support.defects import Change, nested

PLACE = Place("nightfall", "sq010", "sh0020")


def spooled(**changes: Any) -> Spooled:
    return read_spooled(record(**changes))


def test_what_a_hook_wrote_is_what_is_read() -> None:
    found = read_call(ACCOUNT)
    assert (found.call_id, found.outcome, found.model) == ("c-1", CallOutcome.ACCEPTED, "painter-2026-01-15")
    assert found.attempts[0] == Run(
        at=datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC),
        outcome=CallOutcome.THROTTLED,
        status=429,
        code="rate_limit_exceeded",
        request_id="req_1",
        took=12,
        waited=1003,
    )
    assert found.terms is not None
    assert found.terms.sha256 == digest("terms")


DEFECTS: dict[str, tuple[Change, str]] = {
    "no name": (nested("id"), "call.id"),
    "no outcome": (nested("outcome"), "call.outcome"),
    "unknown outcome": (nested("outcome", value="lost"), "call.outcome"),
    "a key": (nested("apiKey", value="x"), "call.apiKey"),
    "attempts that are none": (nested("attempts", value={}), "call.attempts"),
    "attempt at no time": (nested("attempts", 0, "at"), "call.attempts[0].at"),
    "attempt at some time": (nested("attempts", 0, "at", value="now"), "call.attempts[0].at"),
    "attempt with its message": (
        nested("attempts", 0, "message", value="your prompt"),
        "call.attempts[0].message",
    ),
    "attempt that took a fraction": (nested("attempts", 0, "took", value=1.5), "call.attempts[0].took"),
    "attempt with half a status": (nested("attempts", 0, "status", value=42), "call.attempts[0].status"),
    "terms without a digest": (nested("terms", "sha256"), "call.terms.sha256"),
    "terms with a path": (nested("terms", "path", value="/terms"), "call.terms.path"),
    "account with a line break": (nested("account", value="a\nb"), "call.account"),
}


@pytest.mark.parametrize(("change", "where"), DEFECTS.values(), ids=DEFECTS)
def test_defect(change: Change, where: str) -> None:
    account = read_spooled(record()).call
    assert account is not None
    document = {**account, "attempts": [dict(item) for item in account["attempts"]]}
    document["terms"] = dict(document["terms"])
    change(document)
    with pytest.raises(MalformedError) as error:
        read_call(document)
    assert (error.value.code, where in error.value.message) == ("capture.malformed", True)


def test_it_is_stated_as_it_stands() -> None:
    found, account = spooled(), read_call(ACCOUNT)
    made = stated(
        found, account, place=PLACE, actor="actor:1", outputs=(digest("b"), digest("a"), digest("a"))
    )
    payload = statements.encode(Statement((made.subject,), made))
    assert statements.decode(payload).predicate == made
    assert made.attempts == ((CallOutcome.ACCEPTED, 1), (CallOutcome.THROTTLED, 1))
    assert made.outputs == tuple(sorted((digest("a"), digest("b"))))
    assert (made.plan_tier, made.account) == ("enterprise", "account:2c41")
    assert b"a lantern in the rain" not in payload


def test_ten_thousand_throttled_attempts_fit() -> None:
    attempt = ACCOUNT["attempts"][0]
    account = read_call({**ACCOUNT, "outcome": "throttled", "attempts": [attempt] * 10_000})
    made = stated(spooled(outputs=[]), account, place=PLACE, actor="actor:1")
    assert len(statements.encode(Statement((made.subject,), made))) < 4_000
    assert made.attempts == ((CallOutcome.THROTTLED, 10_000),)


def test_more_outputs_than_an_entry_holds_are_left_to_the_step() -> None:
    many = [sha256_hex(b"%d" % number) for number in range(MAX_OUTPUTS + 1)]
    assert stated(spooled(), read_call(ACCOUNT), place=PLACE, actor="actor:1", outputs=many).outputs == ()


@pytest.mark.parametrize(
    ("changes", "account", "words"),
    [
        ({"service": None, "plan": None}, {}, "service is missing"),
        ({}, {"outcome": "refused"}, "outputs go with"),
    ],
)
def test_what_cannot_be_stated(changes: dict[str, Any], account: dict[str, Any], words: str) -> None:
    with pytest.raises(MalformedError) as error:
        stated(spooled(**changes), read_call({**ACCOUNT, **account}), place=PLACE, actor="actor:1")
    assert (error.value.code, words in error.value.message) == ("capture.malformed", True)
