"""Entries that devices made, signed and bring: the rules are in ``ledger.service.capture.taking``."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from api.security import public
from api.served import Production
from ledger.core.encoding import encode_base64
from ledger.errors import MalformedError, RakkanError
from ledger.service.capture.store import Receipted
from ledger.service.capture.taking import MAX_BODY, lines_of, take, take_openings

router = APIRouter(prefix="/v1/productions/{production}", tags=["entries"])


@router.post("/entries")
@public("each entry is signed by a key that the log admits, and by nothing else gets in")
async def add_entries(request: Request, served: Production) -> JSONResponse:
    """Take entries: NDJSON, one envelope a line; answer with an index and a receipt for each."""
    lines = lines_of(await _body(request))
    found = await run_in_threadpool(take, served.sequencer, lines)
    return JSONResponse({"entries": [_outcome(item) for item in found]})


@router.post("/openings")
@public("an opening fits a commitment that is in the log, or is refused")
async def add_openings(request: Request, served: Production) -> JSONResponse:
    """Take openings of commitments: NDJSON, one entry a line."""
    lines = lines_of(await _body(request))
    return JSONResponse({"openings": await run_in_threadpool(take_openings, served.studio, lines)})


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            raise MalformedError("request.too-large", "The request is too long.", limit=MAX_BODY)
    return bytes(body)


def _outcome(item: Receipted | RakkanError) -> dict[str, Any]:
    if isinstance(item, RakkanError):
        return {"error": item.to_json()}
    return {"index": item.index, "receipt": encode_base64(item.receipt)}
