"""Whatever a provider says, the recorder makes something of it that a record can hold, and never fails."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ledger.core.spooled_call import read_call
from tests.support.calls import ACCOUNT
from tests.support.remote import rakkan_answers

NAMES = ["error", "code", "type", "message", "status", "state", "id", "data", "done", "innererror", "model"]
texts = st.sampled_from(["failed", "moderation", "SUCCEEDED", "quota", "Retry"]) | st.text(max_size=9)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | texts, inner, max_size=4)
    ),
    max_leaves=12,
)
headers = st.dictionaries(
    st.sampled_from(["retry-after", "retry-after-ms", "finish-reason", "x-should-retry", "openai-model"]),
    texts,
)


@given(st.integers(100, 599), headers, documents)
def test_any_answer_becomes_an_attempt_that_is_read_again(
    status: int, said: dict[str, str], document: Any
) -> None:
    heard = rakkan_answers.hear(status, said, document)
    job = rakkan_answers.job(document, asked=True)
    attempt = {"at": "2026-03-01T12:00:01Z", "outcome": heard.outcome, "status": status}
    known = {name: value for name, value in (("code", heard.code), ("requestId", job and job.name)) if value}
    model = rakkan_answers.model(said, json.dumps(document).encode())
    account = {**ACCOUNT, "attempts": [{**attempt, **known}]}
    found = read_call({**account, "model": model} if model else account)
    assert found.attempts[0].code == heard.code
    assert heard.outcome != "accepted" or status < 400
    assert not heard.again or status >= 400


@given(st.binary(max_size=60))
def test_any_bytes_are_a_document_or_none(body: bytes) -> None:
    rakkan_answers.hear(200, {}, rakkan_answers.parsed(body))
    rakkan_answers.model({}, body)
