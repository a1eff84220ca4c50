"""What events are read from, and where webhooks are kept: ports, each with its adapter on SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ledger.core.artifact import Artifact


@dataclass(frozen=True, slots=True)
class EventRow:
    """An entry as an event needs it. ``received`` is RFC 3339, UTC: when the log took the entry in.

    ``subjects`` are its first ones, as many as were asked for; ``more`` says that it has others.
    """

    index: int
    predicate_type: str
    received: str
    subjects: tuple[Artifact, ...]
    more: bool


class EventStore(Protocol):
    """The entries of one log, to be told of."""

    def size(self) -> int:
        """Return the log's size, as cheaply as can be."""

    def rows(
        self, predicate_types: Sequence[str], start: int, stop: int, limit: int, subjects: int
    ) -> Sequence[EventRow]:
        """Return the entries of these types in ``start <= index < stop``, in order, at most ``limit``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Somebody to be told. Moments are RFC 3339, UTC.

    ``types`` are what was asked for (all, where empty), ``role`` is as whom: the receiver is told what this
    role may see. ``position`` is the first index that was not delivered yet, ``claimed`` the index before
    which the delivery that is under way ends, from before its first attempt until it has arrived.

    ``previous_secret`` signs beside ``secret`` until ``previous_until``. ``failures`` count attempts since
    the last that arrived, ``failing_since`` is the first of them, ``retry_at`` when the next is due; ``last``
    says what the last attempt came to. ``paused`` says why nothing is sent any more.
    """

    id: str
    url: str
    types: tuple[str, ...]
    role: str
    created_by: str
    created: datetime
    secret: str
    position: int
    claimed: int | None = None
    previous_secret: str | None = None
    previous_until: datetime | None = None
    failures: int = 0
    failing_since: datetime | None = None
    retry_at: datetime | None = None
    last: str | None = None
    paused: str | None = None


class WebhookStore(Protocol):
    """The webhooks of one production. They are no part of its log, and no projection of it."""

    def add(self, webhook: Webhook, limit: int) -> None:
        """Keep one more, durable on return. Raises ``RefusedError("webhook.full")`` at the limit."""

    def all(self) -> Sequence[Webhook]:
        """Return every webhook, the oldest first."""

    def get(self, webhook_id: str) -> Webhook:
        """Return one. Raises ``UsageError("webhook.unknown")``."""

    def change(self, webhook_id: str, how: Callable[[Webhook], Webhook]) -> Webhook:
        """Replace one by what ``how`` makes of it, as one step, durable on return; return the new one.

        ``how`` must change neither its identifier nor when it was made. Raises ``webhook.unknown``.
        """

    def remove(self, webhook_id: str) -> None:
        """Forget one, durable on return. Raises ``UsageError("webhook.unknown")``."""
