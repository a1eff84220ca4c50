"""The place of a statement in its device's chain: what it may say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ledger.core.predicates import read_predicate
from ledger.core.predicates.capture import Capture, Event, Layer
from ledger.errors import MalformedError
from tests.support.stated import finding, step_v2, training_run
from tests.support.stated_captures import lost_record, service_call

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
CAPTURE = Capture(
    sequence=3,
    previous="ab" * 32,
    layer=Layer.RUN,
    hook="strace 6.1",
    event=Event.PUBLISH,
    captured=MOMENT,
    clock_off=-120,
    missed=("a.exr",),
    superseded=("b.exr", "c.exr"),
)


@pytest.mark.parametrize("make", [step_v2, service_call, training_run, finding, lost_record])
def test_it_comes_back_in_every_statement_that_a_device_numbers(make: Callable[..., Any]) -> None:
    made = make(capture=CAPTURE)
    assert read_predicate(made.TYPE, made.to_json()) == made


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda it: it.update(sequence=-1), "previous"),
        (lambda it: it.update(sequence=0), "previous"),
        (lambda it: it.pop("previous"), "previous"),
        (lambda it: it.update(layer="guess"), "layer"),
        (lambda it: it.update(event="release"), "event"),
        (lambda it: it.update(hook=""), "hook"),
        (lambda it: it.update(captured="2026-03-01"), "captured"),
        (lambda it: it.update(clockOff="soon"), "clockOff"),
        (lambda it: it.update(superseded=["c.exr", "b.exr"]), "superseded"),
        (lambda it: it.update(colour="red"), "colour"),
    ],
)
def test_what_it_may_not_say(change: Callable[[dict[str, Any]], object], field: str) -> None:
    document = replace(lost_record(), capture=CAPTURE).to_json()
    change(document["capture"])
    with pytest.raises(MalformedError, match=field) as caught:
        read_predicate(lost_record().TYPE, document)
    assert caught.value.code == "statement.field"


def test_the_first_record_has_none_before_it() -> None:
    made = lost_record(capture=replace(CAPTURE, sequence=0, previous=None))
    assert "previous" not in made.to_json()["capture"]
    assert read_predicate(made.TYPE, made.to_json()) == made
