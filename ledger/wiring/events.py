"""Events of a production, on a database connection of their own: listeners keep none from those who work."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.adapters.home import Home
from ledger.wiring import SystemClock, database_url
from ledger.wiring.outside import leased

if TYPE_CHECKING:
    from ledger.service.events.source import Source
    from ledger.service.events.target import WebhookSettings
    from ledger.service.events.webhooks import Webhooks


@dataclass(frozen=True, slots=True)
class Told:
    """What a production's events are read from, and the webhooks that they go to."""

    source: Source
    webhooks: Webhooks


@contextmanager
def open_events(home: Home, settings: WebhookSettings) -> Iterator[Told]:
    """Open a home's log to be told of, for as long as the block runs. Raises ``home.*``, ``database.*``."""
    from ledger.adapters.sql.engine import open_database
    from ledger.adapters.sql.events import SqlEventStore
    from ledger.adapters.sql.store import SqlEntryStore
    from ledger.adapters.sql.webhooks import SqlWebhookStore
    from ledger.adapters.webhooks import HttpPoster
    from ledger.service.events.source import Source
    from ledger.service.events.webhooks import Webhooks

    about = home.settings()
    engine = open_database(database_url(home))
    try:
        entries, rows = SqlEntryStore(engine, about.origin), SqlEventStore(engine, about.origin)
        source = Source(about.production, entries, rows)
        store = SqlWebhookStore(engine, about.origin)
        yield Told(source, Webhooks(source, store, HttpPoster(settings), SystemClock(), settings))
    finally:
        engine.dispose()


@contextmanager
def delivering(home: Home, settings: WebhookSettings) -> Iterator[Told]:
    """Do the same, and deliver to the webhooks where the settings say so."""
    from ledger.adapters.alarms import DirectoryAlarms
    from ledger.adapters.webhooks import HttpPoster
    from ledger.service.events.deliver import Deliverer
    from ledger.service.events.deliveries import Deliveries

    with open_events(home, settings) as told:
        if not settings.enabled:
            yield told
            return
        # Not where the log's own alarms are: while one of those is open, nothing is published.
        clock = SystemClock()
        alarms, poster = DirectoryAlarms(home.folder / "webhook-alarms", clock), HttpPoster(settings)
        store = told.webhooks.store
        deliverer = Deliverer(told.source, store, poster, clock, alarms, settings, random.random)
        with leased(home, "webhooks") as lease:
            deliveries = Deliveries(deliverer, lease, settings)
            try:
                deliveries.start()
                yield told
            finally:
                deliveries.close()
