"""Style sheet, scripts and icon of the pages. Their addresses name their content: they never change."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

from api.conditional import IMMUTABLE
from api.security import public
from ledger.core.digest import sha256_hex
from ledger.errors import UsageError
from ledger.render.pages.shell import style

router = APIRouter(tags=["pages"], include_in_schema=False)
_FOLDER = Path(__file__).parents[1] / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@cache
def _assets() -> dict[str, bytes]:
    found = {path.name: path.read_bytes() for path in sorted(_FOLDER.iterdir())}
    return {**found, "pages.css": style().encode()}


@cache
def addresses() -> dict[str, str]:
    """Return the address of each, by its name."""
    return {name: f"/static/{sha256_hex(data)[:16]}/{name}" for name, data in _assets().items()}


@router.get("/static/{digest}/{name}")
@public("everybody's pages need them")
def asset(digest: str, name: str) -> Response:
    """Return one of them."""
    if addresses().get(name) != f"/static/{digest}/{name}":
        raise UsageError("request.no-such-route", "There is nothing at this address.")
    media_type = _TYPES[Path(name).suffix]
    return Response(_assets()[name], media_type=media_type, headers={"Cache-Control": IMMUTABLE})
