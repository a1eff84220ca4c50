"""A refusal as a page, for whoever asked for one: the same status, the same code, and what to do.

Whatever refused the request answers with problem details; here they become a page where a browser asked for
an address that people go to. Programs, and everything under ``/v1``, get the problem itself.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.pages.shown import shown
from api.pages.typed_again import Heard
from api.problems import MEDIA_TYPE
from ledger.core.access import ANYBODY, Viewer
from ledger.render.pages.languages import N_
from ledger.render.pages.words import ALARMS, ENDED, TROUBLE

_APART = ("/v1/", "/static/", "/openapi.json", "/metrics", "/ready", "/health")
_ELSE = (N_("This did not work"), N_("Go back, and try again."))


class AsPages:
    """The middleware that turns problem details into pages for browsers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, and turn a problem into a page."""
        if scope["type"] != "http" or not _is_page(scope):
            await self._app(scope, receive, send)
            return
        held: list[Message] = []
        heard = Heard(scope, receive)

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                if Headers(raw=message["headers"]).get("content-type", "").startswith(MEDIA_TYPE):
                    held.append(message)
                    return
            elif held:
                held.append(message)
                if not message.get("more_body", False):
                    typed = await heard.fields() if held[0]["status"] == 401 else []
                    await _turned(scope, held, typed, send)
                return
            await send(message)

        await self._app(scope, heard.receive, sent)


def _is_page(scope: Scope) -> bool:
    accepts = Headers(scope=scope).get("accept", "")
    return "text/html" in accepts and not scope["path"].startswith(_APART)


async def _turned(scope: Scope, held: list[Message], typed: list[tuple[str, str]], send: Send) -> None:
    start, *bodies = held
    problem: dict[str, Any] = json.loads(b"".join(part.get("body", b"") for part in bodies))
    status = int(start["status"])
    ended = problem["code"] in {"access.ended", "access.credential"}
    title, advice = ENDED if ended else ALARMS.get(problem["code"], TROUBLE.get(status, _ELSE))
    request = Request(scope)
    viewer: Viewer = scope.get("state", {}).get("viewer", ANYBODY)

    def made() -> Any:
        return shown(
            request,
            "error.html.j2",
            viewer,
            status=status,
            title_key=title,
            advice_key=advice,
            ended=ended,
            typed=typed,
            detail=problem["message"],
            hint=problem.get("hint", ""),
            code=problem["code"],
            number=problem.get("requestId", ""),
        )

    answer = await run_in_threadpool(made)
    fields = MutableHeaders(raw=list(answer.raw_headers))
    for name, value in Headers(raw=start["headers"]).items():
        if name in {"connection", "retry-after", "set-cookie", "www-authenticate"}:
            fields.append(name, value)
    answer.raw_headers = fields.raw
    await answer(scope, Request(scope).receive, send)
