"""The ledger-entry assertion: it comes back, and anything else is refused under one code."""

from typing import Any

import pytest

from ledger.core.evidence import SPEC, Evidence, LoggedEnvelope, read_evidence
from ledger.errors import MalformedError
from tests.support.builders import FRAME, Story

GOOD = Story().evidence().to_json()


def test_it_comes_back() -> None:
    assert read_evidence(GOOD) == Story().evidence()
    assert read_evidence(GOOD).to_json() == GOOD


def test_the_first_entry_stays_first() -> None:
    story = Story()
    assert read_evidence(GOOD).entries[0] == story.log.logged(story.step)[0]


ENTRY = {"envelope": "{}", "receipt": "x"}
CASES: dict[str, Any] = {
    "nothing": None,
    "text": "hello",
    "list": [GOOD],
    "empty": {},
    "another version": {**GOOD, "spec": SPEC + "1"},
    "no subject": {name: GOOD[name] for name in ("spec", "entries")},
    "no entries": {name: GOOD[name] for name in ("spec", "subject")},
    "empty entries": {**GOOD, "entries": []},
    "entries as an object": {**GOOD, "entries": {}},
    "entry as text": {**GOOD, "entries": ["x"]},
    "entry without receipt": {**GOOD, "entries": [{"envelope": "{}"}]},
    "entry without envelope": {**GOOD, "entries": [{"receipt": "{}"}]},
    "entry with a note": {**GOOD, "entries": [{**ENTRY, "note": "x"}]},
    "envelope as bytes": {**GOOD, "entries": [{**ENTRY, "envelope": [1, 2]}]},
    "envelope with half a surrogate pair": {**GOOD, "entries": [{**ENTRY, "envelope": "\ud800"}]},
    "receipt with half a surrogate pair": {**GOOD, "entries": [{**ENTRY, "receipt": "\udfff"}]},
    "unknown field": {**GOOD, "note": "x"},
}


@pytest.mark.parametrize("value", CASES.values(), ids=CASES)
def test_refused(value: Any) -> None:
    with pytest.raises(MalformedError) as error:
        read_evidence(value)
    assert error.value.code == "manifest.malformed"


@pytest.mark.parametrize("subject", ["0" * 63, "A" * 64, ""])
def test_the_subject_is_a_digest(subject: str) -> None:
    with pytest.raises(MalformedError) as error:
        read_evidence({**GOOD, "subject": subject})
    assert error.value.code == "digest.malformed"


def test_any_text_may_be_an_envelope_until_it_is_judged() -> None:
    odd = Evidence(FRAME, (LoggedEnvelope("落款".encode(), b""),))
    assert read_evidence(odd.to_json()) == odd
