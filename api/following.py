"""What the event streams of a process share: a hub for each production, the seats, reading threads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

from starlette.requests import Request

from api.leaving import when_told_to_stop
from api.served import Service
from ledger.service.events.hub import EventSettings, Hub, Seats
from ledger.wiring.events import open_source

_THREADS = 2


@dataclass(frozen=True, slots=True)
class Following:
    """The hubs by production."""

    hubs: Mapping[str, Hub]
    seats: Seats
    settings: EventSettings

    def close(self) -> None:
        """End every stream at the next moment; each client comes back by itself."""
        for hub in self.hubs.values():
            hub.close()


@asynccontextmanager
async def open_following(service: Service, settings: EventSettings) -> AsyncIterator[Following]:
    """Serve the events of every production for as long as the block runs."""
    with ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(_THREADS, "events"))
        sources = {
            name: stack.enter_context(open_source(served.home))
            for name, served in service.productions.items()
        }
        hubs = {name: Hub(source, settings, threads) for name, source in sources.items()}
        following = Following(hubs, Seats(settings), settings)
        stack.callback(following.close)
        stack.enter_context(when_told_to_stop(following.close))
        yield following


def following_of(request: Request) -> Following:
    """Return what the application that answers this request follows."""
    found: Following = request.app.state.following
    return found
