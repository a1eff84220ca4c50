"""Fakes of what events are read from, and of where webhooks are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ledger.errors import RefusedError, UsageError
from ledger.service.events.store import EventRow, Webhook


class MemoryEventStore:
    """See ``service.events.store.EventStore``. ``entries`` are the log's, in order."""

    def __init__(self) -> None:
        self.entries: list[EventRow] = []

    def size(self) -> int:
        """Return the log's size."""
        return len(self.entries)

    def rows(
        self, predicate_types: Sequence[str], start: int, stop: int, limit: int, subjects: int
    ) -> Sequence[EventRow]:
        """Return the entries of these types, as they were put in."""
        found = [row for row in self.entries[start:stop] if row.predicate_type in predicate_types]
        return found[:limit]


class MemoryWebhookStore:
    """See ``service.events.store.WebhookStore``."""

    def __init__(self) -> None:
        self._kept: dict[str, Webhook] = {}

    def add(self, webhook: Webhook, limit: int) -> None:
        """Keep one more. Raises ``RefusedError("webhook.full")``."""
        if len(self._kept) >= limit:
            raise RefusedError("webhook.full", f"There are {limit} webhooks already.", limit=limit)
        self._kept[webhook.id] = webhook

    def all(self) -> Sequence[Webhook]:
        """Return every webhook, the oldest first."""
        return list(self._kept.values())

    def get(self, webhook_id: str) -> Webhook:
        """Return one. Raises ``UsageError("webhook.unknown")``."""
        if webhook_id not in self._kept:
            raise UsageError("webhook.unknown", "There is no such webhook.", webhook=webhook_id)
        return self._kept[webhook_id]

    def change(self, webhook_id: str, how: Callable[[Webhook], Webhook]) -> Webhook:
        """Replace one by what ``how`` makes of it, and return that."""
        self._kept[webhook_id] = how(self.get(webhook_id))
        return self._kept[webhook_id]

    def remove(self, webhook_id: str) -> None:
        """Forget one. Raises ``UsageError("webhook.unknown")``."""
        self.get(webhook_id)
        del self._kept[webhook_id]
