"""`rakkan webhook`: have what happens in the log posted to an address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.common import examples, home, json_option, print_json, printable

if TYPE_CHECKING:
    from ledger.service.events.store import Webhook
    from ledger.service.events.webhooks import Webhooks

_BY = "command line"


@click.group()
def webhook() -> None:
    """Have new entries and changed verdicts posted to an address.

    `rakkan serve` delivers them. How a receiver checks them: docs/howto/receive-webhooks.md.
    """


@webhook.command(
    epilog=examples(
        "rakkan webhook add https://hooks.example/rakkan --type verdict.changed",
        "rakkan webhook add https://distributor.example/in --role distributor",
    )
)
@click.argument("url")
@click.option(
    "--type", "types", multiple=True, help="Events to post, such as entry.grant; repeat. Default: all."
)
@click.option("--role", default="producer", show_default=True, help="As whom the receiver is told.")
@json_option
def add(url: str, types: tuple[str, ...], role: str, *, as_json: bool) -> None:
    """Post to URL from the next entry on. Prints the secret, which is shown this once."""
    with _webhooks() as webhooks:
        made = webhooks.add(url, types, role, _BY)
    _print_secret(made, as_json=as_json)


@webhook.command("list", epilog=examples("rakkan webhook list"))
@json_option
def list_webhooks(*, as_json: bool) -> None:
    """Print the webhooks, and how each one stands."""
    with _webhooks() as webhooks:
        found = webhooks.store.all()
    if as_json:
        print_json({"webhooks": [_shown(item) for item in found]})
        return
    for item in found:
        events = ", ".join(item.types) or "all events"
        state = item.paused or (item.last if item.failures else "delivers")
        click.echo(f"{item.id}  {printable(item.url)}  {events}, as {item.role}")
        click.echo(f"    up to entry {item.position}; {printable(state or '')}")
    if not found:
        click.echo("There are no webhooks.")


@webhook.command(epilog=examples("rakkan webhook remove 5b1e77c0a1b2c3d4"))
@click.argument("webhook_id", metavar="ID")
def remove(webhook_id: str) -> None:
    """Post nothing more to the webhook ID."""
    with _webhooks() as webhooks:
        webhooks.store.remove(webhook_id)
    click.echo("Removed.")


@webhook.command(epilog=examples("rakkan webhook test 5b1e77c0a1b2c3d4"))
@click.argument("webhook_id", metavar="ID")
def test(webhook_id: str) -> None:
    """Post a signed message of type `test` to the webhook ID, and print what was answered."""
    with _webhooks() as webhooks:
        answer = webhooks.test(webhook_id)
    click.echo(f"It answered {answer.status}{', and takes events.' if answer.arrived else ': a refusal.'}")


@webhook.command(epilog=examples("rakkan webhook secret 5b1e77c0a1b2c3d4"))
@click.argument("webhook_id", metavar="ID")
@json_option
def secret(webhook_id: str, *, as_json: bool) -> None:
    """Make another secret for the webhook ID. The older one signs beside it for a day."""
    with _webhooks() as webhooks:
        changed = webhooks.renew(webhook_id)
    _print_secret(changed, as_json=as_json)


@webhook.command(epilog=examples("rakkan webhook resume 5b1e77c0a1b2c3d4"))
@click.argument("webhook_id", metavar="ID")
def resume(webhook_id: str) -> None:
    """Deliver to the webhook ID again, from where it stopped: its receiver was mended."""
    with _webhooks() as webhooks:
        changed = webhooks.resume(webhook_id)
    click.echo(f"It goes on at entry {changed.position}.")


@contextmanager
def _webhooks() -> Iterator[Webhooks]:
    from ledger.service.events.target import WebhookSettings
    from ledger.wiring.events import open_events
    from ledger.wiring.serving import service_settings

    place = home()
    with open_events(place, service_settings(place.folder).of(WebhookSettings)) as told:
        yield told.webhooks


def _print_secret(made: Webhook, *, as_json: bool) -> None:
    if as_json:
        print_json({**_shown(made), "secret": made.secret})
        return
    click.echo(f"{made.id}  {printable(made.url)}")
    click.echo(f"secret: {made.secret}")
    click.echo("Give it to the receiver now: it is not shown again.")


def _shown(item: Webhook) -> dict[str, Any]:
    from ledger.core.fields import format_time

    return {
        "id": item.id,
        "url": item.url,
        "types": list(item.types),
        "role": item.role,
        "createdBy": item.created_by,
        "created": format_time(item.created),
        "position": item.position,
        "failures": item.failures,
        "failingSince": item.failing_since and format_time(item.failing_since),
        "last": item.last,
        "paused": item.paused,
    }
