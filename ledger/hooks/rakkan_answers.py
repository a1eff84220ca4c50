"""What a provider's answer says, whoever the provider is. A sibling of ``rakkan_remote``.

Nothing here sends or writes anything, and nothing but the standard library is used. The words of an answer
are a stranger's: what ends in a record is short, of known form, or goes where the prompt goes.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

READ_BYTES = 1 << 20
"""A document up to this size is read; of a larger one, which holds pictures, only its first and last part."""
REQUEST_IDS = (
    "x-request-id",
    "openai-request-id",
    "request-id",
    "apim-request-id",
    "x-amzn-requestid",
    "cf-ray",
)
MODELS = ("openai-model", "x-model", "x-model-version")

_POLICY = re.compile(
    r"moderat|safety|nsfw|content[_ -]?(policy|filter)|policy[_ -]?violation|responsibleai", re.IGNORECASE
)
# A message about the parameter safety_tolerance is no refusal.
_REFUSAL = re.compile(
    r"safety system|content polic|moderation|violat\w* (our|the|its) [\w ]{0,30}polic", re.IGNORECASE
)
_SPENT = re.compile(r"quota|billing|balance|spend_limit|usage_limit", re.IGNORECASE)
_ENDED_WELL = {"completed", "complete", "succeeded", "succeed", "success", "ready", "finished", "done"}
_ENDED_BADLY = {
    "failed",
    "failure",
    "error",
    "canceled",
    "cancelled",
    "expired",
    "rejected",
    "task not found",
}
_RESULTS = {"data", "output", "outputs", "images", "image", "video", "artifacts", "choices", "predictions"}
_WORD = re.compile(r"[!-~]{1,128}")
_MODEL = re.compile(rb'"model(?:Version)?"\s*:\s*"([\w.:/@-]{1,128})"')


class Heard(NamedTuple):
    """``again``: to ask again may help. ``after``: seconds for which the provider wants no request."""

    outcome: str
    code: str | None = None
    words: str | None = None
    again: bool = False
    after: float | None = None


class Job(NamedTuple):
    """Work that the provider does later. ``outcome`` is ``None`` while it runs."""

    name: str | None
    outcome: str | None
    code: str | None = None
    words: str | None = None


def hear(status: int, headers: Mapping[str, str], document: Any) -> Heard:
    """Return what an HTTP answer says of the request."""
    code, words, kinds = complaint(document)
    after = retry_after(headers)
    filtered = headers.get("finish-reason") or _text(document, "finish_reason", "finishReason") or ""
    if status < 400 and _POLICY.search(filtered):
        return Heard("refused", word(filtered), words)
    if status < 400:
        return Heard("accepted")
    if _POLICY.search(kinds) or _REFUSAL.search(words or ""):
        return Heard("refused", code, words)
    if status == 429 or (status == 503 and after is not None):
        again = not _SPENT.search(kinds)
        return Heard("throttled", code, None, again and headers.get("x-should-retry") != "false", after)
    again = status in (408, 409, 425) or status >= 500
    return Heard("failed", code, None, again and headers.get("x-should-retry") != "false", after)


def job(document: Any, *, asked: bool) -> Job | None:
    """Return the work that a document tells of, or ``None`` when it tells of none.

    ``asked``: it answers the request for the work. Then a name alone, without a result, is a job that runs.
    """
    inner = document.get("data") if isinstance(document, dict) else None
    state = _text(document, "status", "state") or _text(inner, "task_status", "status")
    if state is None and isinstance(document, dict) and isinstance(document.get("done"), bool):
        state = "done" if document["done"] and not document.get("error") else None
        state = state or ("failed" if document["done"] else "running")
    name = _text(document, "id", "task_id", "request_id", "name") or _text(inner, "task_id", "id")
    if state is None and asked and name and not _RESULTS.intersection(document):
        state = "running"
    if state is None:
        return None
    code, words, kinds = complaint(document)
    if _POLICY.search(state) or (state.lower() in _ENDED_BADLY and _is_refusal(kinds, words)):
        return Job(word(name), "refused", code or word(state), words)
    if state.lower() in _ENDED_BADLY:
        return Job(word(name), "failed", code)
    return Job(word(name), "accepted" if state.lower() in _ENDED_WELL else None)


def complaint(document: Any) -> tuple[str | None, str | None, str]:
    """Return the provider's code, its sentence, and all its codes in one text."""
    if not isinstance(document, dict):
        return None, None, ""
    error = document.get("error")
    found = error if isinstance(error, dict) else document
    inner = found.get("innererror")
    codes = [
        _text(found, "code"),
        _text(error, "status"),
        _text(found, "type"),
        _text(inner, "code"),
        _text(document, "failureCode", "failure_code"),
        _text(found, "name") if found is document and "errors" in document else None,
    ]
    words = _text(found, "message", "failure", "detail") or (error if isinstance(error, str) else None)
    named = [item for item in codes if item]
    return word(named[0]) if named else None, words, " ".join(named)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds for which the provider wants no request, or ``None`` where it names none."""
    with contextlib.suppress(KeyError, ValueError):
        return max(0.0, float(headers["retry-after-ms"]) / 1000)
    text = headers.get("retry-after", "")
    with contextlib.suppress(ValueError):
        return max(0.0, float(text))
    with contextlib.suppress(ValueError, TypeError):
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(timezone.utc)).total_seconds())
    return None


def parsed(body: bytes, most: int = READ_BYTES) -> Any:
    """Return the document, or ``None`` for anything that is no JSON, or too large to be read in passing."""
    if len(body) > most:
        return None
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(body)
    return None


def model(headers: Mapping[str, str], body: bytes) -> str | None:
    """Return the model that answered, in the provider's words."""
    named = next((headers[name] for name in MODELS if name in headers), None)
    if named is not None:
        return word(named)
    part = body if len(body) <= READ_BYTES else body[:4096] + b" " + body[-4096:]
    found = _MODEL.search(part)
    return found.group(1).decode() if found else None


def word(text: str | None) -> str | None:
    """Return a provider's word as records have it, or ``None`` for what is none."""
    found = "_".join((text or "").split())
    return found if _WORD.fullmatch(found) else None


def _is_refusal(kinds: str, words: str | None) -> bool:
    return bool(_POLICY.search(kinds) or _REFUSAL.search(words or ""))


def _text(value: Any, *names: str) -> str | None:
    if not isinstance(value, dict):
        return None
    return next((value[name] for name in names if isinstance(value.get(name), str) and value[name]), None)
