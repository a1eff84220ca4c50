"""Pictures of recorded files: the rules are in ``ledger.service.reading.pictures``.

They are for ``img`` elements. Where there is none the answer is 404 with a picture of nothing: a browser
shows that in place of its own mark for what is broken, and what the page has behind it is seen.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.conditional import conditional
from api.reading import Digest
from api.security import need
from api.served import Production, Service
from api.verifier import Verifier, Verifies
from ledger.adapters.kept_pictures import KeptPictures
from ledger.adapters.picture_folders import PictureFolders
from ledger.adapters.service_settings import ServiceSettings
from ledger.core.access import Action, Viewer
from ledger.core.encoding import decode_base64
from ledger.errors import UsageError
from ledger.service.reading.pictures import Pictures
from ledger.service.reading.sight import sight_of
from ledger.wiring.apart import PICTURES
from ledger.wiring.serving import PageSettings

router = APIRouter(prefix="/productions/{production}", tags=["pages"], include_in_schema=False)
_CACHE = "private, max-age=86400"
_NONE = "private, max-age=60"
_NOTHING = decode_base64("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7") or b""
"""One transparent pixel."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The use case, and how many pictures are made at the same time."""

    pictures: Pictures
    places: asyncio.Semaphore


def open_pictures(service: Service, verifier: Verifier | None, settings: ServiceSettings) -> Shown | None:
    """Return what shows pictures; ``None`` where the operator names no folder."""
    folders = settings.of(PageSettings).pictures
    if verifier is None or not folders:
        return None
    home = next(iter(service.productions.values())).home
    kept = KeptPictures(home.folder / "pictures")
    found = Pictures(PictureFolders(folders), kept, verifier.scratch, verifier.workers)
    return Shown(found, asyncio.Semaphore(PICTURES))


@router.get("/pictures/{sha256}.jpg")
async def picture(
    request: Request,
    viewer: Annotated[Viewer, need(Action.READ_WORK)],
    served: Production,
    verifier: Verifies,
    sha256: Digest,
    w: Literal["320", "960"] = "320",
) -> Response:
    """Return a recorded file in small: JPEG, ``w`` pixels wide or high at most; 404 for none."""
    shown: Shown | None = request.app.state.pictures
    if shown is None:
        return _none()
    studio = served.studio
    sight, width = sight_of(viewer, studio.production), int(w)
    try:
        found, data = await run_in_threadpool(shown.pictures.known, studio, sha256, width, sight)
    except UsageError:  # nobody has recorded such a file, as far as this viewer may know
        return _none()
    if data is None:
        async with verifier.turn(shown.places):
            data = await run_in_threadpool(shown.pictures.made, studio, found, width)
    return _none() if data is None else conditional(request, data, "image/jpeg", _CACHE)


def _none() -> Response:
    return Response(_NOTHING, 404, {"Cache-Control": _NONE}, "image/gif")
