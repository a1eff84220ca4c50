"""What devices without a ledger need to seal files: manifests of others, evidence, a place for their own."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from api.bodies import Body
from api.conditional import conditional
from api.problems import MEDIA_TYPE as PROBLEM
from api.security import need
from api.served import Production
from ledger.core.access import Action
from ledger.core.containers.jumbf import MAX_STORE
from ledger.errors import RakkanError
from ledger.service.bundle import bundle_of
from ledger.service.manifests import manifest_of, take_manifest

router = APIRouter(prefix="/v1/productions/{production}", tags=["manifests"])

C2PA = "application/c2pa"
_STORE = {C2PA: {"schema": {"type": "string", "format": "binary", "maxLength": MAX_STORE}}}
_PROBLEM = {"schema": {"type": "object", "required": ["code", "message", "status"]}}
_REFUSED: dict[int | str, dict[str, Any]] = {
    status: {"description": words, "content": {PROBLEM: _PROBLEM}}
    for status, words in {
        400: "What was sent is no SHA-256, or no manifest store.",
        401: "The request shows no credential that is known here.",
        403: "The credential may not do this.",
        404: "There is no such production, or nothing is kept or known of these bytes.",
    }.items()
}
_LARGE: dict[int | str, dict[str, Any]] = {
    413: {"description": "More than one request or answer holds.", "content": {PROBLEM: _PROBLEM}}
}
_BODY: dict[int | str, dict[str, Any]] = {
    408: {"description": "The body came too slowly.", "content": {PROBLEM: _PROBLEM}},
    415: {"description": "The body is no application/c2pa, or in a coding.", "content": {PROBLEM: _PROBLEM}},
    503: {"description": "As much is being sent as the server holds.", "content": {PROBLEM: _PROBLEM}},
}
_OTHER: dict[int | str, dict[str, Any]] = {
    409: {"description": "Another manifest of these bytes is kept.", "content": {PROBLEM: _PROBLEM}}
}
Sha256 = Annotated[
    str, Path(pattern="^[0-9a-f]{64}$", description="Of the file, hex.", examples=["9dff50df" * 8])
]


class EvidenceEntry(BaseModel):
    """An entry as text, byte for byte, and its receipt (``.tlog-proof``)."""

    index: int
    envelope: str
    receipt: str


class KeptManifest(BaseModel):
    """That a manifest store is kept for a file: both by SHA-256, hex."""

    sha256: str
    store: str


class EvidenceOf(BaseModel):
    """What sealing a file needs."""

    digests: list[str]
    entries: list[EvidenceEntry]
    manifests: list[KeptManifest]


@router.get(
    "/manifests/{sha256}",
    dependencies=[need(Action.READ_WORK)],
    response_class=Response,
    responses={
        **_REFUSED,
        200: {"description": "The manifest store.", "content": _STORE},
        304: {"description": "You have it: its tag is in If-None-Match."},
    },
)
def read_manifest(sha256: Sha256, served: Production, request: Request) -> Response:
    """Return the C2PA manifest store of a file. Sealed again, a file gets another one."""
    return conditional(request, manifest_of(served.studio, sha256), C2PA, "private, no-cache")


@router.put(
    "/manifests/{sha256}",
    status_code=204,
    dependencies=[need(Action.SHARE_MANIFESTS)],
    responses={**_REFUSED, **_OTHER, **_LARGE, **_BODY},
    response_class=Response,
    openapi_extra={"requestBody": {"required": True, "content": _STORE}},
)
async def share_manifest(sha256: Sha256, served: Production, request: Request) -> Response:
    """Keep the manifest store of a file on record. The same again is fine; none that is kept is ever lost."""
    body = Body(request)
    try:
        body.type_of(C2PA)
        with served.intake.room.part() as take:
            store = await body.whole(MAX_STORE, served.intake.pace, take)
            await run_in_threadpool(take_manifest, served.studio, sha256, store)
    except RakkanError as error:
        return body.refused(error)
    return Response(status_code=204)


@router.get(
    "/evidence/{sha256}",
    dependencies=[need(Action.READ_ENTRIES)],
    response_model=EvidenceOf,
    responses={**_REFUSED, **_LARGE},
)
def read_evidence(sha256: Sha256, served: Production) -> dict[str, Any]:
    """Return every entry that sealing a file looks at, with receipts, and which manifests are kept."""
    return bundle_of(served.studio, sha256).to_json()
