"""What providers say, by the forms that they document, and what is made of it."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tests.support.remote import rakkan_answers

ERRORS: dict[str, tuple[int, dict[str, str], Any, tuple[str, str | None, bool]]] = {
    "rate limit": (
        429,
        {},
        {"error": {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}},
        ("throttled", "rate_limit_exceeded", True),
    ),
    "account that is used up": (
        429,
        {},
        {"error": {"code": "credit_balance_exhausted", "type": "insufficient_quota"}},
        ("throttled", "credit_balance_exhausted", False),
    ),
    "overload with a time": (503, {"retry-after": "5"}, None, ("throttled", None, True)),
    "overload without one": (503, {}, None, ("failed", None, True)),
    "no JSON at all": (502, {}, None, ("failed", None, True)),
    "a provider that knows better": (500, {"x-should-retry": "false"}, None, ("failed", None, False)),
    "refusal by its code": (
        400,
        {},
        {"error": {"code": "moderation_blocked", "type": "image_generation_user_error", "message": "no"}},
        ("refused", "moderation_blocked", False),
    ),
    "refusal by its words alone": (
        400,
        {},
        {
            "error": {
                "code": None,
                "message": "Your request was rejected as a result of our safety system.",
                "type": "invalid_request_error",
            }
        },
        ("refused", "invalid_request_error", False),
    ),
    "refusal inside an error": (
        400,
        {},
        {"error": {"code": "invalid", "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
        ("refused", "invalid", False),
    ),
    "refusal by name": (
        403,
        {},
        {"id": "1", "name": "content_moderation", "errors": ["Your request was flagged"]},
        ("refused", "content_moderation", False),
    ),
    "picture that was filtered": (
        200,
        {"finish-reason": "CONTENT_FILTERED"},
        None,
        ("refused", "CONTENT_FILTERED", False),
    ),
    "parameter about safety": (
        422,
        {},
        {"detail": "safety_tolerance must be between 0 and 6"},
        ("failed", None, False),
    ),
    "wrong key": (401, {}, {"error": {"code": "invalid_api_key"}}, ("failed", "invalid_api_key", False)),
    "time-out": (408, {}, None, ("failed", None, True)),
    "quota of a minute": (
        429,
        {},
        {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Quota exceeded"}},
        ("throttled", "RESOURCE_EXHAUSTED", True),
    ),
    "error as a text": (404, {}, {"error": "not found"}, ("failed", None, False)),
    "error as a list": (400, {}, {"error": ["x"]}, ("failed", None, False)),
    "code in prose": (400, {}, {"error": {"code": "bad thing"}}, ("failed", "bad_thing", False)),
}


@pytest.mark.parametrize(("status", "headers", "document", "expected"), ERRORS.values(), ids=ERRORS)
def test_an_answer(
    status: int, headers: dict[str, str], document: Any, expected: tuple[str, str | None, bool]
) -> None:
    heard = rakkan_answers.hear(status, headers, document)
    assert (heard.outcome, heard.code, heard.again) == expected


JOBS: dict[str, tuple[Any, bool, tuple[str | None, str | None, str | None] | None]] = {
    "queued": ({"id": "video_1", "object": "video", "status": "queued"}, True, ("video_1", None, None)),
    "a name alone": ({"id": "17b"}, True, ("17b", None, None)),
    "a name with a result": ({"id": "17b", "data": []}, True, None),
    "a name, but not asked for": ({"id": "17b"}, False, None),
    "task in data": (
        {"code": 0, "data": {"task_id": "k1", "task_status": "submitted"}},
        True,
        ("k1", None, None),
    ),
    "waiting its turn": ({"id": "t", "status": "THROTTLED"}, False, ("t", None, None)),
    "dreaming": ({"id": "l", "state": "dreaming"}, False, ("l", None, None)),
    "operation": ({"name": "operations/7", "done": False}, False, ("operations/7", None, None)),
    "operation that is done": (
        {"name": "operations/7", "done": True},
        False,
        ("operations/7", "accepted", None),
    ),
    "operation that failed": (
        {"name": "o", "done": True, "error": {"code": 3, "message": "bad"}},
        False,
        ("o", "failed", None),
    ),
    "done": ({"id": "v", "status": "SUCCEEDED"}, False, ("v", "accepted", None)),
    "ready": ({"id": "b", "status": "Ready"}, False, ("b", "accepted", None)),
    "moderated": ({"id": "b", "status": "Request Moderated"}, False, ("b", "refused", "Request_Moderated")),
    "unsafe": (
        {"id": "r", "status": "FAILED", "failureCode": "SAFETY.INPUT.TEXT", "failure": "..."},
        False,
        ("r", "refused", "SAFETY.INPUT.TEXT"),
    ),
    "broken": (
        {"id": "r", "status": "FAILED", "failureCode": "INTERNAL.BAD_OUTPUT"},
        False,
        ("r", "failed", "INTERNAL.BAD_OUTPUT"),
    ),
    "list": ([1], True, None),
    "nothing": (None, True, None),
    "state that nobody knows": ({"id": "x", "status": "polishing"}, False, ("x", None, None)),
    "name of another type": ({"id": 7, "status": "queued"}, True, (None, None, None)),
}


@pytest.mark.parametrize(("document", "asked", "expected"), JOBS.values(), ids=JOBS)
def test_a_job(
    document: Any, asked: bool, expected: tuple[str | None, str | None, str | None] | None
) -> None:
    job = rakkan_answers.job(document, asked=asked)
    assert (job and (job.name, job.outcome, job.code)) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-1"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Sun, 06 Nov 1994 08:49:37 GMT"}, 0.0),
        ({"retry-after": "inf"}, float("inf")),
        ({"retry-after": "nan"}, 0.0),
    ],
)
def test_retry_after(headers: dict[str, str], expected: float | None) -> None:
    assert rakkan_answers.retry_after(headers) == expected


def test_retry_after_as_a_date() -> None:
    moment = datetime.now(UTC) + timedelta(seconds=100)
    found = rakkan_answers.retry_after({"retry-after": format_datetime(moment, usegmt=True)})
    assert found is not None
    assert 90 < found <= 100


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({"openai-model": "painter-2"}, b"", "painter-2"),
        ({}, json.dumps({"model": "painter-2-2026-01-15"}).encode(), "painter-2-2026-01-15"),
        ({}, json.dumps({"modelVersion": "gem-3"}).encode(), "gem-3"),
        ({}, json.dumps({"said": '"model": "another"'}).encode(), None),
        ({}, json.dumps({"model": "a prompt with spaces"}).encode(), None),
        ({}, b'{"data":"' + b"A" * (2 << 20) + b'","model":"last"}', "last"),
        ({}, b"", None),
    ],
)
def test_the_model_that_answered(headers: dict[str, str], body: bytes, expected: str | None) -> None:
    assert rakkan_answers.model(headers, body) == expected
