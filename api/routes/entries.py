"""Entries that devices made, signed and bring: docs/spec/http-entries.md.

``add_entries`` is what a studio's devices call all day. Its handler gets the request as it is: FastAPI's
reading of parameters would cost nearly as much as verifying a signature.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from api.bodies import Body
from api.intake import Intake, Outcome, slices
from api.routes.entries_described import DSSE, NDJSON, OPENAPI, OPENINGS
from api.security import check, need, public, viewer_of
from api.served import Production, service_of
from ledger.core.access import Action
from ledger.core.encoding import encode_base64
from ledger.core.envelope import MAX_BYTES
from ledger.core.receipt import format_receipt
from ledger.errors import MalformedError, RakkanError
from ledger.service.capture.taking import take_openings
from ledger.service.capture.upload import MAX_BODY, Lines, batch_of, is_batch, lines_of

JSON = "application/json"
WINDOW = 16
"""Slices of a stream that are under way at a time."""


class _Direct(APIRoute):
    """A route whose endpoint reads the request itself, and is described all the same."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.app = self._answer

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self.endpoint(scope["path_params"]["production"], Request(scope, receive, send))
        await answer(scope, receive, send)


router = APIRouter(prefix="/v1/productions/{production}", tags=["entries"])
direct = APIRouter(
    prefix="/v1/productions/{production}",
    tags=["entries"],
    route_class=_Direct,
    generate_unique_id_function=lambda route: route.name,
)
"""Its routes are the application's own: a router that is included looks at every request twice."""


@direct.post("/entries", response_class=Response, **OPENAPI)
@public("each entry is signed by a key that the log admits, and nothing else gets in")
async def add_entries(production: str, request: Request) -> Response:
    """Add entries that an enrolled key signed: one, a batch, or a stream.

    Each is answered with its index and receipt, or with why it was not added. Sent again, it keeps its index.
    """
    check(await viewer_of(request), Action.ADD_ENTRIES, production)
    intake = service_of(request).production(production).intake
    body = Body(request)
    try:
        kind = body.type_of(DSSE, JSON, NDJSON)
        if kind == NDJSON and NDJSON in request.headers.get("accept", ""):
            intake.sequencer.check_room(bulk=True)
            return _Stream(intake, body)
        if kind == DSSE:
            intake.check_room()
            return await _one(intake, await body.whole(MAX_BYTES, intake.pace))
        return await _document(intake, body, kind)
    except RakkanError as error:
        return body.refused(error)


async def _one(intake: Intake, envelope: bytes) -> Response:
    found = await intake.one(envelope)
    return Response(_item(found), 200 if found.duplicate else 201, media_type=JSON)


async def _document(intake: Intake, body: Body, kind: str) -> Response:
    """Answer for a body of limited size, of one entry or many, with one document."""
    intake.sequencer.check_room(bulk=kind == NDJSON)
    with intake.room.part() as take:
        data = await body.whole(MAX_BODY, intake.pace, take)
        if kind == JSON and not is_batch(data):
            return await _one(intake, data)
        envelopes = await run_in_threadpool(lines_of if kind == NDJSON else batch_of, data)
        intake.sequencer.check_room(len(envelopes), len(data), bulk=True)
        pieces = [await intake.put(piece) for piece in slices(envelopes)]
        items = [await _items(piece) for piece in pieces]
    return Response(
        b'{"entries":[' + b",".join(item for piece in items for item in piece) + b"]}", media_type=JSON
    )


async def _items(waiters: Sequence[asyncio.Future[Outcome]]) -> list[bytes]:
    return [_item(await waiter) for waiter in waiters]


def _item(outcome: Outcome) -> bytes:
    """Return what became of an entry, as JSON in one line."""
    if isinstance(outcome, RakkanError):
        return json.dumps({"error": outcome.to_json()}, default=str).encode()
    receipt = encode_base64(format_receipt(outcome.receipt))
    duplicate = "true" if outcome.duplicate else "false"
    return f'{{"index":{outcome.index},"duplicate":{duplicate},"receipt":"{receipt}"}}'.encode()


class _Stream(Response):
    """Answers a body of any length line by line, while the body still comes.

    No more than a window of it is held: beyond that, nothing is read until the sender has read its answers.
    """

    def __init__(self, intake: Intake, body: Body) -> None:
        super().__init__(media_type=NDJSON)
        self._intake = intake
        self._body = body
        self._window: asyncio.Queue[list[asyncio.Future[Outcome]] | RakkanError | None] = asyncio.Queue(
            WINDOW
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer: the ASGI call."""
        # The body may end before it is read: then nothing else can come on this connection.
        headers = [(b"content-type", NDJSON.encode()), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        reader = asyncio.create_task(self._read())
        try:
            while (found := await self._window.get()) is not None:
                await self._write(send, found)
        except TimeoutError:
            return  # it reads no answers; one without an end makes the server close the connection
        finally:
            reader.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _write(self, send: Send, found: list[asyncio.Future[Outcome]] | RakkanError) -> None:
        if isinstance(found, RakkanError):
            lines = [json.dumps({"stopped": found.to_json()}, default=str).encode()]
        else:
            lines = await _items(found)
        async with asyncio.timeout(self._intake.pace.idle_seconds):  # for one that reads no answers
            await send({"type": "http.response.body", "body": b"\n".join([*lines, b""]), "more_body": True})

    async def _read(self) -> None:
        lines = Lines()
        try:
            while piece := await self._piece(lines):
                for entries in slices(piece):
                    await self._window.put(await self._intake.put(entries))
        except RakkanError as error:
            await self._window.put(error)
        await self._window.put(None)

    async def _piece(self, lines: Lines) -> list[bytes]:
        """Return the next lines that are whole; none at the end."""
        seconds = self._intake.pace.idle_seconds
        try:
            async with asyncio.timeout(seconds):
                while data := await self._body.piece():
                    if found := lines.feed(data):
                        return found
        except TimeoutError:
            words = "No whole line came for too long."
            raise MalformedError("request.slow", words, seconds=seconds) from None
        return lines.end()


@router.post("/openings", dependencies=[need(Action.ADD_ENTRIES)], openapi_extra=OPENINGS)
async def add_openings(request: Request, served: Production) -> JSONResponse:
    """Take openings of commitments: NDJSON, one entry a line."""
    body = Body(request)
    with served.intake.room.part() as take:
        body.type_of(NDJSON)
        lines = lines_of(await body.whole(MAX_BODY, served.intake.pace, take))
        return JSONResponse({"openings": await run_in_threadpool(take_openings, served.studio, lines)})
