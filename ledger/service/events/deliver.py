"""Delivering events to one webhook: in the order of the log, each at least once.

* A delivery is a range of the log, and the range is kept before its first attempt: whatever happens in
  between, the same events come again under the same ``webhook-id``, and a receiver can drop what it has.
* The next range begins where the last one ended. It is taken in the step that notes the last one's arrival.
* An attempt that fails is repeated later and later, at random moments, for days; then the webhook is paused
  and an alarm says so. ``410 Gone`` removes it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from ledger.core.access import EVERY, Role, Viewer
from ledger.core.fields import format_time
from ledger.core.webhook import signed_headers
from ledger.errors import RakkanError, UsageError
from ledger.ports import Alarms, Clock
from ledger.service.events.kinds import predicates_for
from ledger.service.events.source import Event, Page, Source
from ledger.service.events.store import Webhook, WebhookStore
from ledger.service.events.target import WebhookSettings

BODY_BYTES = 128_000
"""Of a delivery, but for a single event that is longer."""
_SKIPPED = 5_000
"""After so many entries that a webhook does not want, its place in the log is kept."""
_GONE = 410


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver answered; ``retry_after`` is in seconds, where it said so."""

    status: int
    retry_after: float | None = None

    @property
    def arrived(self) -> bool:
        """Whether the receiver took it."""
        return 200 <= self.status < 300


class Poster(Protocol):
    """What posts to somebody else's server."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post a JSON body, without following redirects, within the settings' time.

        Raises ``UndecidedError("webhook.unreachable")``, ``UsageError("webhook.url")`` and
        ``RefusedError("webhook.address")``.
        """


class Deliverer:
    """Delivers what is due, one attempt at a time. May be used from several threads.

    ``jitter`` returns a number from 0 to 1.
    """

    def __init__(
        self,
        source: Source,
        store: WebhookStore,
        poster: Poster,
        clock: Clock,
        alarms: Alarms,
        settings: WebhookSettings,
        jitter: Callable[[], float],
    ) -> None:
        self._source = source
        self._store = store
        self._poster = poster
        self._clock = clock
        self._alarms = alarms
        self._settings = settings
        self._jitter = jitter
        self._looked: dict[str, int] = {}  # to where there is nothing for a webhook

    def due(self) -> Sequence[Webhook]:
        """Return the webhooks that there may be something to send to now."""
        size, now = self._source.size(), self._clock.now()
        return [
            webhook
            for webhook in self._store.all()
            if webhook.paused is None
            and (webhook.retry_at is None or webhook.retry_at <= now)
            and (webhook.claimed is not None or max(webhook.position, self._looked.get(webhook.id, 0)) < size)
        ]

    def turn(self, webhook: Webhook) -> Webhook | None:
        """Make one attempt, where there is something to send; return the webhook as it is then.

        ``None``: there is nothing to send, it is gone, or somebody else is at work on it. Raises the
        database's errors.
        """
        try:
            if webhook.claimed is None:
                webhook = self._claim(webhook)
            if webhook.claimed is None:
                return None
            return self._attempt(webhook, webhook.claimed)
        except UsageError as error:
            if error.code != "webhook.unknown":
                raise
            return None

    def _claim(self, webhook: Webhook) -> Webhook:
        """Return the webhook with the next range taken, if there are events for it."""
        stop, found = self._range(webhook, webhook.position)
        if found:
            return self._store.change(webhook.id, lambda now: _moved(now, webhook, claimed=stop))
        self._looked[webhook.id] = stop
        if stop - webhook.position < _SKIPPED:
            return webhook
        return self._store.change(webhook.id, lambda now: _moved(now, webhook, position=stop))

    def _attempt(self, webhook: Webhook, stop: int) -> Webhook | None:
        now = self._clock.now()
        events = self._page(webhook, webhook.position, stop).events
        if not events:  # a newer version of ours that shows this role less
            return self._arrived(webhook, stop, "nothing to tell")
        body = message_of(self._source.production, events)
        message = f"msg_{webhook.id}_{webhook.position}_{stop}"
        headers = signed_headers(message, int(now.timestamp()), body, signing(webhook, now))
        try:
            answer = self._poster.post(webhook.url, body, headers)
        except RakkanError as error:
            return self._failed(webhook, f"{error.code}: {error.message}", None)
        if answer.arrived:
            return self._arrived(webhook, stop, f"answered {answer.status}")
        if answer.status == _GONE:
            self._store.remove(webhook.id)
            return None
        return self._failed(webhook, f"answered {answer.status}", answer.retry_after)

    def _arrived(self, webhook: Webhook, stop: int, words: str) -> Webhook:
        """Note the arrival, and take the next range where there is one."""
        following, found = self._range(webhook, stop)
        return self._store.change(
            webhook.id,
            lambda now: _moved(
                now,
                webhook,
                position=stop if found else following,
                claimed=following if found else None,
                failures=0,
                failing_since=None,
                retry_at=None,
                last=words,
            ),
        )

    def _failed(self, webhook: Webhook, words: str, hint: float | None) -> Webhook:
        now, settings = self._clock.now(), self._settings
        since, failures = webhook.failing_since or now, webhook.failures + 1
        longest = settings.longest_retry
        pause = min(settings.first_retry * 2 ** min(failures - 1, 30), longest)
        pause *= 0.5 + self._jitter() / 2
        if hint is not None:
            pause = max(pause, min(timedelta(seconds=hint), longest))
        given_up = (
            f"It failed since {format_time(since)}: {words}" if now - since >= settings.give_up else None
        )
        changed = self._store.change(
            webhook.id,
            lambda old: _moved(
                old,
                webhook,
                failures=failures,
                failing_since=since,
                retry_at=now + pause,
                last=words,
                paused=given_up,
            ),
        )
        if given_up is not None:
            evidence = {"webhook.txt": f"{webhook.id} {format_time(since)} {words}\n".encode()}
            message = f"The webhook {webhook.id} is paused: {words}"
            self._alarms.sound("webhook.failing", message, evidence)
        return changed

    def _range(self, webhook: Webhook, start: int) -> tuple[int, bool]:
        """Return where what begins at ``start`` ends, and whether there is an event in it to be delivered."""
        page = self._page(webhook, start, self._source.size())
        room = BODY_BYTES
        for number, event in enumerate(page.events):
            room -= len(event.body) + 1
            if room < 0 and number:
                return event.index, True
        return max(page.next, start), bool(page.events)

    def _page(self, webhook: Webhook, start: int, stop: int) -> Page:
        types = predicates_for(webhook.types, viewer_as(webhook.role), self._source.production)
        return self._source.page(types, start, stop, webhook.types)


def viewer_as(role: str) -> Viewer:
    """Return whom a receiver is told as."""
    return Viewer(f"webhook:{role}", {EVERY: frozenset({Role(role)})})


def signing(webhook: Webhook, now: datetime) -> Sequence[str]:
    """Return the secrets that sign now: the webhook's, and the one before it for a while."""
    until = webhook.previous_until
    older = webhook.previous_secret if until is not None and now < until else None
    return [webhook.secret] if older is None else [webhook.secret, older]


def message_of(production: str, events: Sequence[Event]) -> bytes:
    """Return the body of a delivery of these events, of which there is at least one: always the same."""
    about = json.dumps({"production": production}, ensure_ascii=False, separators=(",", ":"))
    head = f'{{"type":"events","timestamp":"{events[-1].received}","data":{about[:-1]},"events":['
    return head.encode() + b",".join(event.body for event in events) + b"]}}"


def _moved(now: Webhook, seen: Webhook, **changes: Any) -> Webhook:
    """Return the webhook with the changes; as it is where somebody else has moved it on since."""
    if (now.position, now.claimed) != (seen.position, seen.claimed):
        return now
    return replace(now, **changes)
