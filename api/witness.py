"""The two routes of a witness (c2sp.org/tlog-witness). The rules are in ``ledger.service.log.witness``."""

from __future__ import annotations

import os
from pathlib import Path

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ledger.core.witness import MAX_REQUEST
from ledger.errors import RakkanError
from ledger.service.log.witness import TEXT, Cosigner
from ledger.wiring.outside import open_witness


def app() -> FastAPI:
    """Return the witness that ``RAKKAN_WITNESS_HOME`` and ``RAKKAN_WITNESS_LOGS`` (vkeys) describe."""
    return create_witness(
        open_witness(Path(os.environ["RAKKAN_WITNESS_HOME"]), os.environ["RAKKAN_WITNESS_LOGS"].split())
    )


def create_witness(cosigner: Cosigner) -> FastAPI:
    """Return an application that serves one witness, under one prefix for submission and monitoring."""
    service = FastAPI(
        title="Rakkan witness",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        # On by default, and its logs would carry exception messages: what is in a request stays in it.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )

    async def add_checkpoint(request: Request) -> Response:
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > MAX_REQUEST:
                return Response("The request is too long.\n", 413, media_type=TEXT)
        try:
            answer = await run_in_threadpool(cosigner.add_checkpoint, bytes(body))
        except RakkanError as error:
            return Response(f"{error}\n", 500, media_type=TEXT)
        return Response(answer.body, answer.status, {"Content-Type": answer.media_type})

    def checkpoint(origin_hash: str) -> Response:
        found = cosigner.checkpoint(origin_hash)
        if found is None:
            return Response("Nothing was cosigned for this log.\n", 404, media_type=TEXT)
        return Response(found, 200, {"Content-Type": TEXT, "Cache-Control": "no-cache"})

    service.post("/add-checkpoint")(add_checkpoint)
    service.get("/{origin_hash}/checkpoint")(checkpoint)
    return service
