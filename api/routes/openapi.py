"""The description of the service for clients: ``docs/reference/openapi.json`` is a copy of it."""

from __future__ import annotations

import json

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.conditional import conditional
from api.security import public

router = APIRouter()
_FRESH = "public, max-age=300"


@router.get("/openapi.json", include_in_schema=False)
@public("it says nothing of any production")
async def openapi(request: Request) -> Response:
    """Return the description, which changes with the version of the service alone."""
    text = json.dumps(request.app.openapi(), ensure_ascii=False)
    return conditional(request, text.encode(), "application/json", _FRESH)
