"""Errors as problem details (RFC 9457): ``application/problem+json`` with our stable code.

* Every error of ours keeps its code, its sentence, what to do, and its evidence.
* The status says who has to act: 4xx the caller, 503 nobody but time (``Retry-After`` says how much).
* What was not foreseen is 500 with ``server.fault`` and a request's number: its words stay in the log.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.handled import current
from api.headers import SAFE
from ledger.errors import (
    IntegrityError,
    MalformedError,
    RakkanError,
    RefusedError,
    UndecidedError,
    UsageError,
)

MEDIA_TYPE = "application/problem+json"
BASE = "https://rakkan.org/errors#"

_LATER = 503
_STATUS = {
    "access.beyond": 403,
    "access.cross-site": 403,
    "access.denied": 403,
    "access.no-such-credential": 404,
    "access.unknown": 401,
    "asset.unknown": 404,
    "clear.busy": _LATER,
    "clear.too-many": 413,
    "decide.full": 429,
    "decide.no-proposal": 404,
    "decide.same-person": 403,
    "disclosure.none": 404,
    "envelope.signature": 400,
    "envelope.too-large": 413,
    "events.full": _LATER,
    "evidence.too-large": 413,
    "label.unknown": 404,
    "log.behind": _LATER,
    "log.busy": _LATER,
    "log.closed": _LATER,
    "log.disk-full": _LATER,
    "log.empty": 404,
    "log.epoch": _LATER,
    "log.no-such-entry": 404,
    "log.no-such-file": 404,
    "log.no-such-key": 404,
    "log.overloaded": _LATER,
    "log.rollback": _LATER,
    "log.storage": _LATER,
    "manifest.missing": 404,
    "manifest.unknown-file": 404,
    "own-works.no-party": 404,
    "own-works.too-many": 429,
    "production.unknown": 404,
    "record.unknown-dataset": 404,
    "record.unknown-model": 404,
    "registry.unknown-consent": 404,
    "registry.unknown-grant": 404,
    "registry.unknown-party": 404,
    "registry.unknown-service": 404,
    "registry.unknown-title": 404,
    "registry.unknown-work": 404,
    "report.full": 429,
    "report.no-such-file": 404,
    "report.off": 404,
    "report.unknown": 404,
    "report.view": 403,
    "request.encoding": 415,
    "request.media-type": 415,
    "request.method": 405,
    "request.no-space": _LATER,
    "request.no-such-route": 404,
    "request.rate": 429,
    "request.slow": 408,
    "request.too-large": 413,
    "server.not-ready": _LATER,
    "share.ended": 410,
    "share.unknown": 404,
    "shot.unknown": 404,
    "signin.nobody": 403,
    "signin.off": 404,
    "signin.refused": 401,
    "signin.unavailable": _LATER,
    "verdict.none": 404,
    "verify.busy": _LATER,
    "webhook.address": 400,
    "webhook.unknown": 404,
    **dict.fromkeys(
        (
            "access.body",
            "access.credential",
            "access.ended",
            "access.replayed",
            "access.signature-form",
            "access.stale",
        ),
        401,
    ),
}
_KINDS: dict[type[RakkanError], int] = {
    MalformedError: 400,
    UsageError: 400,
    RefusedError: 409,
    UndecidedError: 502,
    IntegrityError: 500,
}
_RETRY_AFTER = 5


def install(application: FastAPI) -> None:
    """Make every error of the application leave as problem details."""
    application.add_exception_handler(RakkanError, _ours)
    application.add_exception_handler(HTTPException, _starlette)
    application.add_exception_handler(RequestValidationError, _invalid)
    application.add_exception_handler(Exception, _unforeseen)


def status_of(error: RakkanError) -> int:
    """Return the HTTP status that an error of ours is answered with."""
    kinds = (status for kind, status in _KINDS.items() if isinstance(error, kind))
    return _STATUS.get(error.code) or next(kinds, 500)


def problem(error: RakkanError, **more: Any) -> JSONResponse:
    """Return an error as an answer, with more members; with ``Retry-After`` where only time is needed."""
    status = status_of(error)
    # Some errors pass, and a cache would keep a 404 where it is not told: the next tile comes soon.
    headers = {"Cache-Control": "no-store"}
    handled = current.get()
    if handled is not None:
        handled.error = error
    if status in {_LATER, 429}:
        headers["Retry-After"] = str(error.evidence.get("retry_after", _RETRY_AFTER))
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="rakkan"'
    document: dict[str, Any] = {
        "type": BASE + error.code,
        "title": error.code.replace(".", ": ").replace("-", " "),
        "status": status,
        "detail": error.message,
        **error.to_json(),
        **({"requestId": handled.number} if handled else {}),
        **more,
    }
    return JSONResponse(document, status, headers, media_type=MEDIA_TYPE)


async def _ours(_: Request, error: Exception) -> Response:
    if not isinstance(error, RakkanError):  # starlette's handlers take any exception
        raise error
    return problem(error)


async def _starlette(_: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        return problem(UsageError("request.method", "This address does not answer to this method."))
    return problem(UsageError("request.no-such-route", "There is nothing at this address."))


async def _invalid(_: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    places = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in found[:5])
    return problem(MalformedError("request.malformed", f"The request is not as described: {places}."[:500]))


async def _unforeseen(_: Request, __: Exception) -> Response:
    answer = problem(IntegrityError("server.fault", "Something failed here that should not have."))
    answer.raw_headers.extend(SAFE)  # this one is made outside of everything that adds them
    return answer
