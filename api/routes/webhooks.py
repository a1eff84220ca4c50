"""Webhooks: who is to be told of what happens in a log, by having it posted to them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.requests import Request

from api.following import following_of
from api.security import need
from api.served import Production
from ledger.core.access import Action, Viewer
from ledger.service.events import store
from ledger.service.events.target import MAX_URL
from ledger.service.events.webhooks import Webhooks

router = APIRouter(prefix="/v1/productions/{production}/webhooks", tags=["webhooks"])

Manager = Annotated[Viewer, need(Action.MANAGE_WEBHOOKS)]
Id = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]
_UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"description": "`webhook.unknown`."}}
_REFUSED: dict[int | str, dict[str, Any]] = {
    400: {"description": "`webhook.url`, `webhook.address`, `webhook.role` or `events.type`."},
    409: {"description": "`webhook.full`."},
}


class _Json(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class NewWebhook(_Json):
    """Where to post what. ``role`` is as whom the receiver is told: it gets what this role may see."""

    url: str = Field(max_length=MAX_URL, examples=["https://hooks.example/rakkan"])
    types: list[str] = Field(default=[], max_length=50, examples=[["verdict.changed"]])
    role: str = Field(default="producer", max_length=30, examples=["distributor"])


class Webhook(_Json):
    """A webhook as it is now. ``position`` is the index of the first entry not delivered yet."""

    id: str
    url: str
    types: list[str]
    role: str
    created_by: str
    created: datetime
    position: int
    failures: int
    failing_since: datetime | None
    retry_at: datetime | None
    last: str | None
    paused: str | None


class WebhookList(_Json):
    """All of a production's webhooks, the oldest first: there are never more than a few."""

    webhooks: list[Webhook]


class WithSecret(Webhook):
    """The same with its secret, which is shown this once."""

    secret: str


class Tried(_Json):
    """What the receiver answered."""

    status: int


def _webhooks(served: Production, request: Request) -> Webhooks:
    return following_of(request).webhooks[served.studio.production]


Ours = Annotated[Webhooks, Depends(_webhooks)]


@router.post("", status_code=201, responses=_REFUSED)
def add_webhook(viewer: Manager, ours: Ours, wanted: NewWebhook) -> WithSecret:
    """Have events posted to an address, from the next entry on; the answer alone shows the secret."""
    return WithSecret(**_shown(ours.add(wanted.url, wanted.types, wanted.role, viewer.name), secret=True))


@router.get("")
def list_webhooks(_: Manager, ours: Ours) -> WebhookList:
    """Return the webhooks, and how each one stands."""
    return WebhookList(webhooks=[Webhook(**_shown(item)) for item in ours.store.all()])


@router.get("/{webhook}", responses=_UNKNOWN)
def get_webhook(_: Manager, ours: Ours, webhook: Id) -> Webhook:
    """Return one webhook, and how it stands."""
    return Webhook(**_shown(ours.store.get(webhook)))


@router.delete("/{webhook}", status_code=204, responses=_UNKNOWN)
def remove_webhook(_: Manager, ours: Ours, webhook: Id) -> None:
    """Post nothing more to it."""
    ours.store.remove(webhook)


@router.post("/{webhook}/secret", responses=_UNKNOWN)
def renew_secret(_: Manager, ours: Ours, webhook: Id) -> WithSecret:
    """Make another secret, and show it; the older one signs beside it for a day."""
    return WithSecret(**_shown(ours.renew(webhook), secret=True))


@router.post("/{webhook}/resume", responses=_UNKNOWN)
def resume_webhook(_: Manager, ours: Ours, webhook: Id) -> Webhook:
    """Deliver again from where it stopped, at once: the receiver was mended."""
    return Webhook(**_shown(ours.resume(webhook)))


@router.post(
    "/{webhook}/test", responses={**_UNKNOWN, 502: {"description": "`webhook.unreachable`: no answer."}}
)
def try_webhook(_: Manager, ours: Ours, webhook: Id) -> Tried:
    """Post a signed message of type `test`, and say what the receiver answered."""
    return Tried(status=ours.test(webhook).status)


def _shown(webhook: store.Webhook, *, secret: bool = False) -> dict[str, Any]:
    """Return a webhook's members by name; its secret only where it is asked for."""
    wanted = (WithSecret if secret else Webhook).model_fields
    return {name: getattr(webhook, name) for name in wanted}
