"""Bodies of requests, read within limits: of size, of time, and never with a coding around them.

* A body whose length is stated is refused before a byte of it is read; any other is cut off at the limit.
* A body has to arrive: after a grace, no slower than a lowest rate. So a slow sender cannot stay for ever.
* Who is refused with much of a body still to come is disconnected: reading it would be work for nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.requests import Request
from starlette.responses import Response

from api.problems import problem
from ledger.errors import MalformedError, RakkanError, RefusedError
from ledger.service.capture.upload import Pace

_SMALL = 65_536
"""Bytes. So much of an unread body is read and dropped: cheaper for both sides than a new connection."""


class Room:
    """How many bytes of bodies a process holds at a time, over all connections."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0

    @contextmanager
    def part(self) -> Iterator[Callable[[int], None]]:
        """Yield what takes so many bytes more; all of them are given back when the block ends.

        It raises ``RefusedError("log.overloaded")`` where they do not fit.
        """
        mine = 0

        def take(size: int) -> None:
            nonlocal mine
            if self._held + size > self._most:
                words = "More is being sent to this server than it can hold at the moment."
                raise RefusedError("log.overloaded", words, limit=self._most, retry_after=1)
            self._held += size
            mine += size

        try:
            yield take
        finally:
            self._held -= mine


class Body:
    """The body of one request."""

    def __init__(self, request: Request) -> None:
        self._headers = request.headers
        self._receive = request.receive
        stated = self._headers.get("content-length")
        # No more than digits: the server has refused everything else.
        self.length = None if stated is None else int(stated[:20])
        self._ended = False

    def type_of(self, *accepted: str) -> str:
        """Return which of these media types the body is of; without any, which it is.

        Raises ``MalformedError`` with ``request.media-type``, and with ``request.encoding`` for a coded body.
        """
        coding = self._headers.get("content-encoding", "identity")
        if coding.lower() != "identity":
            raise MalformedError("request.encoding", "The body is in a coding.", encoding=coding[:80])
        found = self._headers.get("content-type", "").partition(";")[0].strip().lower()
        if accepted and found not in accepted:
            words, takes = "The body is of no type that is taken here.", ", ".join(accepted)
            raise MalformedError("request.media-type", words, found=found[:80], accepted=takes)
        return found

    async def piece(self) -> bytes:
        """Return the next piece, ``b""`` at the end. Raises ``MalformedError("request.cut-short")``."""
        while not self._ended:
            message = await self._receive()
            if message["type"] != "http.request":
                raise MalformedError("request.cut-short", "The sender went away before the end.")
            self._ended = not message.get("more_body", False)
            if piece := message.get("body", b""):
                return bytes(piece)
        return b""

    async def whole(self, limit: int, pace: Pace, take: Callable[[int], None] | None = None) -> bytes:
        """Return all of it; ``take`` is told of each piece before it is kept.

        Raises ``MalformedError`` with ``request.too-large``, ``request.slow`` or ``request.cut-short``.
        """
        body = bytearray()
        if (self.length or 0) > limit:
            raise _too_large(limit)
        try:
            async with asyncio.timeout(pace.grace_seconds) as clock:
                end = asyncio.get_running_loop().time() + pace.grace_seconds
                while piece := await self.piece():
                    if len(body) + len(piece) > limit:
                        raise _too_large(limit)
                    if take is not None:
                        take(len(piece))
                    body += piece
                    if not self._ended:
                        clock.reschedule(end + len(body) / pace.rate)
        except TimeoutError:
            raise MalformedError("request.slow", "The body came too slowly.", rate=pace.rate) from None
        return bytes(body)

    def refused(self, error: RakkanError) -> Response:
        """Return the error as an answer; it ends the connection where much of the body was not read."""
        answer = problem(error)
        if not self._ended and (self.length is None or self.length > _SMALL):
            answer.headers["Connection"] = "close"
        return answer


def _too_large(limit: int) -> MalformedError:
    return MalformedError("request.too-large", "The request is too long.", limit=limit)
