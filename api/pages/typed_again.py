"""What was typed into a form when the session had ended: it comes back with the page that says so.

Only to the browser that sent it, from a page of ours; never what signs somebody in, and no files.
"""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope

from api.forms import MOST_TEXT, fields_of
from api.identity import SIGN_IN, check_own_site
from ledger.errors import RakkanError

_SECONDS = 5


class Heard:
    """Listens to a request's body as it is read, and can read the rest of it."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._scope, self._receive = scope, receive
        self._body = bytearray()
        self._ended = False

    async def receive(self) -> Message:
        """Hand the next message on."""
        message = await self._receive()
        if message["type"] == "http.request" and len(self._body) <= MOST_TEXT:
            self._body += message.get("body", b"")
        self._ended = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def fields(self) -> list[tuple[str, str]]:
        """Return the fields that were typed; none where they are not to be shown again."""
        kind = Headers(scope=self._scope).get("content-type", "")
        if self._scope["method"] != "POST" or self._scope["path"] in SIGN_IN:
            return []
        if not kind.startswith("application/x-www-form-urlencoded"):
            return []
        try:
            check_own_site(self._scope)
            async with asyncio.timeout(_SECONDS):
                while not self._ended and len(self._body) <= MOST_TEXT:
                    await self.receive()
            found = fields_of(bytes(self._body)) if len(self._body) <= MOST_TEXT else None
        except (RakkanError, TimeoutError):
            return []
        return (
            [(name, value) for name, value in found.multi_items() if isinstance(value, str)] if found else []
        )
