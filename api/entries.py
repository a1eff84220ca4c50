"""Entries that devices made, signed and bring: the rules are in ``ledger.service.capture.taking``."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from ledger.core.encoding import encode_base64
from ledger.errors import MalformedError, RakkanError, RefusedError, UsageError
from ledger.service.capture.store import Receipted
from ledger.service.capture.taking import MAX_BODY, lines_of, take, take_openings
from ledger.service.log.sequencer import Sequencer
from ledger.service.studio import Studio

LATER = {"log.overloaded", "log.closed", "log.busy", "log.storage", "log.disk-full"}
"""Refusals that say nothing about the request: it may be made again."""


def entries_router(studio: Studio, sequencer: Sequencer) -> APIRouter:
    """Return the routes of one production's log."""
    router = APIRouter(prefix="/v1/productions/{production}")

    def take_entries(lines: list[bytes]) -> dict[str, Any]:
        return {"entries": [_outcome(item) for item in take(sequencer, lines)]}

    def keep_openings(lines: list[bytes]) -> dict[str, Any]:
        return {"openings": take_openings(studio, lines)}

    async def answer(request: Request, production: str, work: Any) -> JSONResponse:
        try:
            if production != studio.production:
                raise UsageError("home.missing", f"No log of the production {production!r} is here.")
            lines = lines_of(await _body(request))
            return JSONResponse(await run_in_threadpool(work, lines))
        except RakkanError as error:
            return _problem(error)

    async def entries(request: Request, production: str) -> JSONResponse:
        """Take entries: NDJSON, one envelope a line; answer with an index and a receipt for each."""
        return await answer(request, production, take_entries)

    async def openings(request: Request, production: str) -> JSONResponse:
        """Take openings of commitments: NDJSON, one entry a line."""
        return await answer(request, production, keep_openings)

    router.post("/entries")(entries)
    router.post("/openings")(openings)
    return router


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            raise MalformedError("capture.body", "The request is too long.", limit=MAX_BODY)
    return bytes(body)


def _outcome(item: Receipted | RakkanError) -> dict[str, Any]:
    if isinstance(item, RakkanError):
        return {"error": item.to_json()}
    return {"index": item.index, "receipt": encode_base64(item.receipt)}


def _problem(error: RakkanError) -> JSONResponse:
    """Return an error as an answer: 503 with Retry-After for what may be sent again as it is."""
    headers = {}
    status = 404 if error.code == "home.missing" else 400
    if isinstance(error, RefusedError) and error.code in LATER:
        status, headers = 503, {"Retry-After": str(error.evidence.get("retry_after", 5))}
    return JSONResponse({"error": error.to_json()}, status, headers)
