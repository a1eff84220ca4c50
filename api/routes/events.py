"""Server-sent events: one for each entry that the viewer may be told of, in the order of the log."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.requests import Request

from api.event_stream import MEDIA_TYPE, EventStream
from api.following import following_of
from api.security import need
from api.served import Production
from ledger.core.access import Action, Viewer
from ledger.errors import RakkanError, UsageError
from ledger.service.events.hub import EventSettings, Hub
from ledger.service.events.kinds import check_types, predicates_for, wants
from ledger.service.events.source import Event

router = APIRouter(prefix="/v1/productions/{production}", tags=["events"])

Recheck = Callable[[], Awaitable[Viewer]]
"""Asks again whom the request's credential shows. Raises ``RakkanError`` when it shows nobody any more."""
_INDEX = re.compile(r"-1|[0-9]{1,18}")
_PIECE = 65_536
_EXAMPLE = (
    "retry: 3000\n\n"
    "id: 41\nevent: verdict\n"
    'data: {"type":"verdict.changed","timestamp":"2026-11-22T15:04:05.123456Z",'
    '"data":{"production":"nightfall","index":41,"subjects":[{"name":"sq010_sh020.0001.exr",…}],…}}\n\n'
)
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The events, until the client leaves or the server says goodbye.",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": _EXAMPLE}},
    },
    400: {"description": "`events.position` or `events.type`."},
    503: {"description": "`events.full`: as many listeners as there may be; `Retry-After` says when."},
}


@dataclass(slots=True)
class _Listening:
    """One listener: who it is, what it asked for, where it stands."""

    hub: Hub
    settings: EventSettings
    production: str
    wanted: Sequence[str]
    viewer: Viewer
    recheck: Recheck | None
    position: int

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the stream until the hub closes, the log cannot be read, or the viewer may not any more."""
        yield f"retry: {round(self.settings.reconnect.total_seconds() * 1000)}\n\n".encode()
        checked = time.monotonic()
        try:
            while not self.hub.closed:
                if time.monotonic() - checked >= self.settings.recheck.total_seconds():
                    await self._check()
                    checked = time.monotonic()
                for piece in await self._next():
                    yield piece
        except RakkanError:
            return  # the client comes back by itself, and is told then

    async def _next(self) -> Iterator[bytes]:
        types = predicates_for(self.wanted, self.viewer, self.production)
        page = await self.hub.next(types, self.position)
        self.position = page.next
        events = [event for event in page.events if wants(self.wanted, event.type)]
        if events:
            return _in_pieces(events)
        # No event, but a place: whoever resumes need not look through all this again.
        return iter([f": {time.time():.0f}\nid: {self.position - 1}\n\n".encode()])

    async def _check(self) -> None:
        if self.recheck is not None:
            self.viewer = await self.recheck()
        if not self.viewer.may(Action.FOLLOW, self.production):
            raise UsageError("access.denied", "Events are not for this viewer any more.")


@router.get("/events", status_code=200, response_class=EventStream, responses=_STREAM)
async def follow_events(
    viewer: Annotated[Viewer, need(Action.FOLLOW)],
    served: Production,
    request: Request,
    after: Annotated[str | None, Query(description="Only events after this index; -1 for all.")] = None,
    types: Annotated[str, Query(description="Separated by commas, such as `verdict.changed,entry`.")] = "",
    last_event_id: Annotated[str | None, Header(description="What `EventSource` sends; wins.")] = None,
) -> EventStream:
    """Follow the log: an event for each new entry, and for each verdict that changed."""
    following = following_of(request)
    production = served.studio.production
    hub = following.hubs[production]
    wanted = check_types([word for word in types.split(",") if word])
    position = _position(last_event_id or after, await hub.size())
    listening = _Listening(
        hub,
        following.settings,
        production,
        wanted,
        viewer,
        getattr(request.state, "recheck", None),
        position,
    )
    held = ExitStack()
    held.enter_context(following.seats.seat(viewer.name))
    return EventStream(listening.pieces(), following.settings.stalled.total_seconds(), held)


def _position(last: str | None, size: int) -> int:
    """Return the index to go on from. Raises ``UsageError("events.position")``."""
    if last is None:
        return size
    if not _INDEX.fullmatch(last) or int(last) >= size:
        raise UsageError("events.position", "The log has no such entry to go on after.", size=size)
    return int(last) + 1


def _in_pieces(events: Sequence[Event]) -> Iterator[bytes]:
    piece = bytearray()
    for event in events:
        name = event.type.partition(".")[0]
        piece += f"id: {event.index}\nevent: {name}\ndata: ".encode() + event.body + b"\n\n"
        if len(piece) >= _PIECE:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)
