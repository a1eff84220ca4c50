"""Answers that a client may have already: entity tags, and who may keep an answer for how long."""

from __future__ import annotations

from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

IMMUTABLE = "public, max-age=31536000, immutable"
"""For what never changes and anybody may have."""
PRIVATE = "private, max-age=31536000, immutable"
"""For what never changes and needs a credential: no shared cache keeps it."""


def conditional(
    request: Request, body: bytes, media_type: str, cache: str, *, vary: str | None = None
) -> Response:
    """Return 304 without a body for a client that holds these very bytes, else 200 with them.

    ``cache`` is the ``Cache-Control``. ``vary`` names the request's fields that the answer depends on, beside
    those that say who asks: ``headers`` adds them to every answer that may be kept.
    """
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": cache}
    if vary is not None:
        headers["Vary"] = vary
    if _holds(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)


def _holds(condition: str, tag: str) -> bool:
    """Whether an ``If-None-Match`` names the tag, compared weakly (RFC 9110 section 13.1.2)."""
    return any(item.strip().removeprefix("W/") in {tag, "*"} for item in condition.split(","))
