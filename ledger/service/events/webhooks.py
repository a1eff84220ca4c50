"""Adding, changing and trying webhooks."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection
from dataclasses import replace

from ledger.core.access import Action, roles_for
from ledger.core.fields import format_time
from ledger.core.webhook import SECRET_BYTES, format_secret, signed_headers
from ledger.errors import UsageError
from ledger.ports import Clock
from ledger.service.events.deliver import Answer, Poster, signing, viewer_as
from ledger.service.events.kinds import check_types, predicates_for
from ledger.service.events.source import Source
from ledger.service.events.store import Webhook, WebhookStore
from ledger.service.events.target import WebhookSettings, parse_target

FOLLOWERS = tuple(sorted(role.value for role in roles_for(Action.FOLLOW)))
"""The roles as which a receiver can be told."""


class Webhooks:
    """The webhooks of one production, for those who manage them."""

    def __init__(
        self, source: Source, store: WebhookStore, poster: Poster, clock: Clock, settings: WebhookSettings
    ) -> None:
        self.store = store
        self._source = source
        self._poster = poster
        self._clock = clock
        self._settings = settings

    def add(self, url: str, types: Collection[str], role: str, created_by: str) -> Webhook:
        """Keep a webhook that is told of what happens from now on; return it with its secret.

        Raises ``UsageError`` with ``webhook.url``, ``webhook.role`` or ``events.type``, and ``RefusedError``
        with ``webhook.address`` or ``webhook.full``.
        """
        parse_target(url, self._settings)
        wanted = check_types(types)
        if role not in FOLLOWERS:
            raise UsageError("webhook.role", f"Nobody is told of events as {role[:60]!r}.", known=FOLLOWERS)
        if not predicates_for(wanted, viewer_as(role), self._source.production):
            raise UsageError(
                "webhook.role", f"As {role} one is told of none of these events.", known=FOLLOWERS
            )
        webhook = Webhook(
            id=secrets.token_hex(8),
            url=url,
            types=wanted,
            role=role,
            created_by=created_by,
            created=self._clock.now().replace(microsecond=0),
            secret=_new_secret(),
            position=self._source.size(),
        )
        self.store.add(webhook, self._settings.per_production)
        return webhook

    def renew(self, webhook_id: str) -> Webhook:
        """Make another secret; the older one signs beside it for a while. Raises ``webhook.unknown``."""
        until = self._clock.now() + self._settings.overlap
        secret = _new_secret()
        return self.store.change(
            webhook_id,
            lambda old: replace(old, secret=secret, previous_secret=old.secret, previous_until=until),
        )

    def resume(self, webhook_id: str) -> Webhook:
        """Deliver again from where it stopped, at once. Raises ``webhook.unknown``."""
        return self.store.change(
            webhook_id,
            lambda old: replace(old, paused=None, failures=0, failing_since=None, retry_at=None),
        )

    def test(self, webhook_id: str) -> Answer:
        """Post a signed message of type ``test`` and return the answer; it changes nothing.

        Raises ``webhook.unknown``, and what ``Poster.post`` raises.
        """
        webhook, now = self.store.get(webhook_id), self._clock.now()
        document = {
            "type": "test",
            "timestamp": format_time(now),
            "data": {"production": self._source.production},
        }
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        message = f"msg_{webhook.id}_test_{secrets.token_hex(8)}"
        headers = signed_headers(message, int(now.timestamp()), body, signing(webhook, now))
        return self._poster.post(webhook.url, body, headers)


def _new_secret() -> str:
    return format_secret(secrets.token_bytes(SECRET_BYTES))
