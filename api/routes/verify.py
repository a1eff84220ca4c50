"""Is this file what it claims? Public: the rules are in ``ledger.service.verifying``."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.bodies import Body
from api.conditional import conditional
from api.security import need_everywhere, public, viewer_of
from api.uploads import uploaded
from api.verifier import Verifier, Verifies
from api.verify_schema import Isolation, Verification
from ledger.core import canonical
from ledger.core.access import ANYBODY, Action
from ledger.core.digest import parse_sha256
from ledger.core.fields import Fields
from ledger.errors import MalformedError, RakkanError
from ledger.service.verifying import Answer

router = APIRouter(prefix="/v1/verify", tags=["verify"])

MAX_JSON = 10_000
"""Bytes of a question about digests."""
_PROBLEM = {"application/problem+json": {"schema": {"type": "object"}}}
_DIGEST = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_PARTS = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": _BYTES["schema"], "sidecar": _BYTES["schema"]},
    "additionalProperties": False,
}
_DIGESTS = {
    "type": "object",
    "properties": {"sha256": _DIGEST, "pixels": _DIGEST},
    "minProperties": 1,
    "additionalProperties": False,
    "example": {"sha256": "67874097716788284555e64312555f6c74f95ebc13eeae1ac9f1b8d7d0cd7be0"},
}
_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {"schema": _PARTS},
        "application/json": {"schema": _DIGESTS},
        "application/c2pa": _BYTES,
        "application/octet-stream": _BYTES,
        "*/*": _BYTES,
    },
}


def _answers(model: Any, *statuses: int) -> dict[int | str, dict[str, Any]]:
    answers: dict[int | str, dict[str, Any]] = {200: {"model": model}}
    for status in statuses:
        answers[status] = {"description": "What is wrong with the request", "content": _PROBLEM}
    return answers


@router.post("", responses=_answers(Verification, 400, 408, 413, 503), openapi_extra={"requestBody": _BODY})
@public("who is handed a file may ask what it is")
async def verify_file(request: Request, verifier: Verifies) -> Response:
    """Verify a file, a file with its sidecar, a manifest alone, or digests.

    The media type of the body says which: ``multipart/form-data`` holds ``file`` and perhaps ``sidecar``,
    ``application/json`` names digests, ``application/c2pa`` is a manifest alone; any other body is the file.
    """
    viewer, body = await viewer_of(request), Body(request)
    try:
        found = await judged(body, request.headers.get("content-type", ""), verifier)
    except RakkanError as error:
        return body.refused(error)
    answer = await run_in_threadpool(found.to_json, viewer)
    return JSONResponse(answer, headers={"Cache-Control": "no-store"})


async def judged(body: Body, content_type: str, verifier: Verifier) -> Answer:
    """Return what the body's file, manifest or digests come to. Raises as ``uploaded``; ``verify.busy``."""
    media_type = body.type_of()
    if media_type == "application/json":
        digests = _digests(await body.whole(MAX_JSON, verifier.pace))
        return await run_in_threadpool(verifier.verifying.digests, *digests)
    async with (
        verifier.turn(verifier.uploads),
        uploaded(body, content_type, verifier) as upload,
        verifier.turn(verifier.jobs),
    ):
        return await run_in_threadpool(verifier.verifying.file, upload)


@router.get(
    "/isolation",
    responses=_answers(Isolation, 401, 403),
    dependencies=[need_everywhere(Action.OPERATE)],
)
async def isolation(verifier: Verifies) -> JSONResponse:
    """Return which of the hardening around strangers' files the kernel refused. For the operator."""
    refused = verifier.workers.refused
    return JSONResponse({"started": refused is not None, "refused": list(refused or ())})


@router.get("/{digest}", responses={**_answers(Verification, 400), 304: {"description": "It is as it was"}})
@public("who is handed a file may ask what it is")
async def verify_digest(digest: str, request: Request, verifier: Verifies) -> Response:
    """Say what the ledgers know of a digest: ``sha256:HEX``, ``HEX``, or ``pixels:HEX`` of a picture.

    An answer is fresh for a short time only: the log grows, keys are revoked, verdicts change.
    """
    viewer = await viewer_of(request)
    found = await run_in_threadpool(verifier.verifying.digests, *asked_of(digest))
    body = json.dumps(await run_in_threadpool(found.to_json, viewer)).encode()
    scope = "public" if viewer is ANYBODY else "private"
    cache = f"{scope}, max-age={verifier.settings.fresh_seconds}"
    return conditional(request, body, "application/json", cache, vary="Authorization, Signature")


def asked_of(digest: str) -> tuple[str | None, str | None]:
    """Return the digest of bytes, or that of a picture (hex). Raises ``digest.malformed``."""
    kind, _, value = digest.rpartition(":")
    if kind not in ("", "sha256", "pixels"):
        raise MalformedError("digest.malformed", "A digest is sha256:HEX or pixels:HEX.")
    return (None, parse_sha256(value)) if kind == "pixels" else (parse_sha256(value), None)


def _digests(body: bytes) -> tuple[str | None, str | None]:
    fields = Fields(canonical.parse(body), code="request.malformed")
    found = tuple(fields.sha256(name) if fields.has(name) else None for name in ("sha256", "pixels"))
    fields.end()
    if not any(found):
        raise MalformedError("request.malformed", "Name a digest: sha256, pixels, or both.")
    return found[0], found[1]
