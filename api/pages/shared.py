"""What a link shows to a browser: the page of a file, or the files of a report. Programs get the answer."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.pages.shown import shown
from api.pages.verify import is_browser, told
from api.reading import PROBLEMS
from api.routes.shares import GONE, Shared, opened_link
from api.security import public
from api.verifier import Verifies
from ledger.core.access import ANYBODY
from ledger.render.coverage import size
from ledger.render.pages import verify_words

described = APIRouter(tags=["access"])


@described.get(
    "/s/{secret}",
    response_model=Shared,
    response_model_exclude_unset=True,
    responses={404: PROBLEMS[404], **GONE},
)
@public("its secret is in the address, and it shows one file or one report")
def open_share(secret: str, request: Request, verifier: Verifies) -> Any:
    """Open a link. The answer is kept by no cache, and its address is told to no other site."""
    share = opened_link(secret, request, verifier)
    return _page(request, share) if is_browser(request) else Shared.model_validate(share)


def _page(request: Request, share: dict[str, Any]) -> Response:
    # Whoever holds a link sees what it shows, whoever else they are: no more, and no less.
    if "report" in share:
        return shown(request, "shared_report.html.j2", ANYBODY, share=share, size=size, words=verify_words)
    values = {**told(share["verification"]), "share": share}
    return shown(request, "verified.html.j2", ANYBODY, **values)
