"""An answer that goes on: ``text/event-stream`` as the HTML standard has it.

* Nothing is buffered for a reader: the next piece is made when the last one has left. One that takes in
  nothing for a while is dropped, and resumes by the number of the last event it has.
* A reader that leaves ends the work for it at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import ExitStack

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

MEDIA_TYPE = "text/event-stream"
_HEADERS = {
    "Content-Type": MEDIA_TYPE,  # always UTF-8
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # a proxy that collects answers would hold every event back
}


class EventStream(StreamingResponse):
    """The pieces, each one whole event or more; ``stalled`` is how long (seconds) one may take to leave.

    ``held`` is closed when the stream has ended.
    """

    def __init__(self, pieces: AsyncGenerator[bytes, None], stalled: float, held: ExitStack) -> None:
        super().__init__(pieces, headers=_HEADERS)
        self._pieces = pieces
        self._stalled = stalled
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, until the pieces end or the reader leaves."""
        with self._held:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            gone = asyncio.create_task(_gone(receive))
            try:
                await self._send_all(send, gone)
            finally:
                gone.cancel()
                await self._pieces.aclose()

    async def _send_all(self, send: Send, gone: asyncio.Task[None]) -> None:
        """Send until there are no more pieces, nobody is there, or nothing is taken in."""
        while True:
            piece = asyncio.ensure_future(anext(self._pieces, None))
            try:
                await asyncio.wait({piece, gone}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not piece.done():
                    piece.cancel()
                    await asyncio.wait({piece})
            if piece.cancelled():
                return
            body = piece.result()
            try:
                async with asyncio.timeout(self._stalled):
                    await send(
                        {
                            "type": "http.response.body",
                            "body": body or b"",
                            "more_body": body is not None,
                        }
                    )
            except (TimeoutError, OSError):
                return  # the server closes what was not ended
            if body is None:
                return


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
