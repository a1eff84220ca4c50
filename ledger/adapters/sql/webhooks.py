"""``WebhookStore`` on SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, Select, delete, func, select, update

from ledger.adapters.sql import tables
from ledger.adapters.sql.engine import dialect_of, write
from ledger.adapters.sql.faults import translated
from ledger.adapters.sql.store import log_id
from ledger.errors import RefusedError, UsageError
from ledger.service.events.store import Webhook

_table = tables.webhook
_NAMES = tuple(field.name for field in fields(Webhook))
_MOMENTS = ("created", "previous_until", "failing_since", "retry_at")


class SqlWebhookStore:
    """The webhooks of the log ``origin``. See ``service.events.store.WebhookStore``.

    May be used from several threads. Raises ``UsageError("home.missing")`` when the database has no such log.
    """

    def __init__(self, engine: Engine, origin: str) -> None:
        self._engine = engine
        self._dialect = dialect_of(engine)
        self._single = self._dialect.single(engine)
        self._log_id = log_id(engine, origin)
        self._rows = select(*(_table.c[name] for name in _NAMES)).where(_table.c.log_id == self._log_id)

    def add(self, webhook: Webhook, limit: int) -> None:
        """Keep one more, durable on return. Raises ``RefusedError("webhook.full")`` at the limit."""
        count = select(func.count()).where(_table.c.log_id == self._log_id)
        with write(self._engine) as connection:
            self._dialect.lock_log(connection, self._log_id)
            if (connection.scalar(count) or 0) >= limit:
                raise RefusedError("webhook.full", f"There are {limit} webhooks already.", limit=limit)
            connection.execute(_table.insert().values(log_id=self._log_id, **_row(webhook)))

    def all(self) -> Sequence[Webhook]:
        """Return every webhook, the oldest first."""
        with translated(self._dialect), self._single.begin() as connection:
            return [_webhook(row) for row in connection.execute(self._rows.order_by("created", "id"))]

    def get(self, webhook_id: str) -> Webhook:
        """Return one. Raises ``UsageError("webhook.unknown")``."""
        with translated(self._dialect), self._single.begin() as connection:
            return _found(connection.execute(self._one(webhook_id)).one_or_none(), webhook_id)

    def change(self, webhook_id: str, how: Callable[[Webhook], Webhook]) -> Webhook:
        """Replace one by what ``how`` makes of it; return the new one. Raises ``webhook.unknown``."""
        with write(self._engine) as connection:
            row = connection.execute(self._one(webhook_id).with_for_update()).one_or_none()
            old = _found(row, webhook_id)
            new = how(old)
            if new != old:
                mine = (_table.c.log_id == self._log_id) & (_table.c.id == webhook_id)
                connection.execute(update(_table).where(mine).values(**_row(new)))
            return new

    def remove(self, webhook_id: str) -> None:
        """Forget one, durable on return. Raises ``UsageError("webhook.unknown")``."""
        mine = (_table.c.log_id == self._log_id) & (_table.c.id == webhook_id)
        with write(self._engine) as connection:
            if connection.execute(delete(_table).where(mine)).rowcount != 1:
                raise _unknown(webhook_id)

    def _one(self, webhook_id: str) -> Select[Any]:
        return self._rows.where(_table.c.id == webhook_id)


def _found(row: Any, webhook_id: str) -> Webhook:
    if row is None:
        raise _unknown(webhook_id)
    return _webhook(row)


def _unknown(webhook_id: str) -> UsageError:
    return UsageError("webhook.unknown", "There is no such webhook.", webhook=webhook_id[:60])


def _row(webhook: Webhook) -> dict[str, Any]:
    row = {**asdict(webhook), "types": " ".join(webhook.types)}
    for name in _MOMENTS:
        moment = row[name]
        row[name] = moment and moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return row


def _webhook(row: Any) -> Webhook:
    values = dict(zip(_NAMES, row, strict=True))
    for name in _MOMENTS:
        text = values[name]
        values[name] = text and datetime.fromisoformat(text)
    return Webhook(**{**values, "types": tuple(values["types"].split())})
