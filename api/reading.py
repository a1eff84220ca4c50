"""What every answer to a reader has in common: the tree it was computed at, its ETag, its page.

* An answer that follows from the log alone has an ETag of the log's size: with ``If-None-Match`` an unchanged
  one costs nothing. It is for whoever asked: ``private``, and other viewers have other tags.
* An endpoint takes its viewer before its production: who may not, is not told whether there is one.
* Endpoints are plain functions, which run in threads: nothing here waits on the event loop.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.problems import MEDIA_TYPE
from api.served import Served
from ledger import __version__
from ledger.core.access import Viewer
from ledger.core.digest import sha256_hex
from ledger.core.fields import parse_time
from ledger.service.reading.pages import LIMIT, MAX_CURSOR, MOST, Page, size_of
from ledger.service.reading.sight import Sight, sight_of

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": words,
        "content": {MEDIA_TYPE: {}},
    }
    for status, words in (
        (400, "The request is not as described."),
        (401, "Nobody known asks."),
        (403, "Whoever asks may not."),
        (404, "There is no such thing."),
        (409, "A rule forbids it now."),
        (413, "Too much at once."),
        (429, "Too often: Retry-After says when."),
        (503, "Later: Retry-After says when."),
    )
}
"""What any of these routes may answer in place of what was asked for."""
PLAIN = r"^[^\x00-\x1f\x7f]+$"


def _a_moment(text: str) -> str:
    parse_time(text)
    return text


Text = Annotated[str, Field(min_length=1, max_length=1024, pattern=PLAIN)]
Name = Annotated[str, Path(min_length=1, max_length=1024, pattern=PLAIN)]
Digest = Annotated[
    str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 of bytes or of a picture, in hex.")
]
Moment = Annotated[
    str,
    AfterValidator(_a_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-22T03:00:00Z"]}),
]


class Asked(BaseModel):
    """What may follow the question mark, and nothing else."""

    model_config = ConfigDict(extra="forbid")


class Paging(Asked):
    """How many items at most, and where to go on: the last answer's ``next``."""

    limit: int = Field(LIMIT, ge=1, le=MOST)
    after: str | None = Field(None, max_length=MAX_CURSOR)

    def page(self, *question: str) -> Page:
        """Return the page that is asked for: its cursor belongs to this question, with these filters."""
        asked = self.model_dump(mode="json", exclude={"limit", "after"})
        return Page((*question, *map(str, asked.values())), self.limit, self.after)


def moment_of(text: str | None) -> datetime | None:
    """Return the moment that a ``Moment`` names."""
    return None if text is None else parse_time(text)


def answer(
    request: Request,
    served: Served,
    viewer: Viewer,
    compute: Callable[[Sight], dict[str, Any]],
    *,
    timeless: bool = True,
) -> Response:
    """Return what is computed, with the log's origin and size; 304 where the caller has it already.

    ``timeless``: the answer follows from the log alone, and not from the clock.
    """
    studio = served.studio
    sight, size = sight_of(viewer, studio.production), size_of(studio)
    headers = {"Cache-Control": "private, no-cache"}
    if timeless:
        asked = request.url.path, request.url.query
        seen = (__version__, studio.log.origin, size, sight, viewer.party, asked)
        headers["ETag"] = f'"{size}-{sha256_hex(repr(seen).encode())[:16]}"'
        known = {tag.strip() for tag in request.headers.get("if-none-match", "").split(",")}
        if headers["ETag"] in known:
            return Response(status_code=304, headers=headers)
    document = {"log": {"origin": studio.log.origin, "size": size}, **compute(sight)}
    return JSONResponse(document, headers=headers)
