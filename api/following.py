"""What the events of a process share: each production's hub and webhooks, the seats, reading threads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

from starlette.requests import Request

from api.leaving import when_told_to_stop
from api.served import Service
from ledger.adapters.service_settings import ServiceSettings
from ledger.service.events.hub import EventSettings, Hub, Seats
from ledger.service.events.target import WebhookSettings
from ledger.service.events.webhooks import Webhooks
from ledger.wiring.events import delivering

_THREADS = 2


@dataclass(frozen=True, slots=True)
class Following:
    """The hubs and the webhooks by production."""

    hubs: Mapping[str, Hub]
    webhooks: Mapping[str, Webhooks]
    seats: Seats
    settings: EventSettings


@asynccontextmanager
async def open_following(service: Service, sections: ServiceSettings) -> AsyncIterator[Following]:
    """Serve and deliver the events of every production for as long as the block runs."""
    settings, webhooks = sections.of(EventSettings), sections.of(WebhookSettings)
    with ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(_THREADS, "events"))
        told = {
            name: stack.enter_context(delivering(served.home, webhooks))
            for name, served in service.productions.items()
        }
        hubs = {name: Hub(item.source, settings, threads) for name, item in told.items()}

        def close() -> None:
            for hub in hubs.values():
                hub.close()

        stack.callback(close)
        stack.enter_context(when_told_to_stop(close))
        ours = {name: item.webhooks for name, item in told.items()}
        yield Following(hubs, ours, Seats(settings), settings)


def following_of(request: Request) -> Following:
    """Return what the application that answers this request follows."""
    found: Following = request.app.state.following
    return found
