"""`rakkan token`: what programs and people without a sign-in show to the server."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from ledger.cli.common import examples, home, json_option, print_json, printable
from ledger.core.access import Role

if TYPE_CHECKING:
    from ledger.service.access.store import Credential

GIVEN = [role.value for role in Role if role is not Role.DEVICE]


@click.group()
def token() -> None:
    """API tokens: who may ask this studio's server what, and until when."""


@token.command(
    epilog=examples(
        "rakkan token create dailies-bot --role supervisor",
        "rakkan token create mori-agency --role rights-holder --party mori --expires 30",
    )
)
@click.argument("name")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(GIVEN), help="Repeatable.")
@click.option("--production", "productions", multiple=True, help="Default: the home's; * is all of them.")
@click.option("--party", help="Whom a rights holder speaks for: its identifier in the registry.")
@click.option("--expires", "days", default=90, show_default=True, help="Days until it ends; at most 366.")
@json_option
def create(
    name: str,
    roles: tuple[str, ...],
    productions: tuple[str, ...],
    party: str | None,
    days: int,
    *,
    as_json: bool,
) -> None:
    """Make a token and print it: this once, for it is stored nowhere. NAME says whose it is."""
    from ledger.core.secret_text import Kind
    from ledger.service.access.credentials import DAY, OWNER, Wanted
    from ledger.wiring.access import open_credentials

    place = home()
    held = frozenset(map(Role, roles))
    where = productions or (place.settings().production,)
    with open_credentials(place) as credentials:
        wanted = Wanted(Kind.TOKEN, name, dict.fromkeys(where, held), days * DAY, party)
        text, made = credentials.make(wanted, OWNER)
    if as_json:
        print_json({"token": text, **made.to_json()})
        return
    click.echo(text)
    click.echo(f"{made.identifier} ends on {_day(made.expires)}. It is not shown again.", err=True)


@token.command("list", epilog=examples("rakkan token list"))
@json_option
def list_tokens(*, as_json: bool) -> None:
    """Show every token: who made it, what it may do, the day of its last use. The texts are not kept."""
    from ledger.core.secret_text import Kind
    from ledger.wiring.access import open_credentials

    with open_credentials(home()) as credentials:
        found = credentials.made(Kind.TOKEN)
        now = credentials.now()
    if as_json:
        print_json([item.to_json() for item in found])
        return
    for item in found:
        click.echo(
            printable(f"{item.identifier}  {_state(item, now)}  {item.label}: {_roles(item)}{_used(item)}")
        )


@token.command(epilog=examples("rakkan token revoke 4f1c0b7a99d2e863"))
@click.argument("identifier")
def revoke(identifier: str) -> None:
    """End a token now, and whatever was made with it. IDENTIFIER is what `rakkan token list` shows."""
    from ledger.core.secret_text import Kind
    from ledger.wiring.access import open_credentials

    with open_credentials(home()) as credentials:
        credentials.revoke(Kind.TOKEN, identifier)
    click.echo(f"{identifier} has ended.")


@token.command("sign-out", epilog=examples("rakkan token sign-out person:4f1c0b7a99d2e863"))
@click.argument("person")
def sign_out(person: str) -> None:
    """End every session of PERSON, as logs and GET /v1/me name them. Signing in again asks the rules anew."""
    from ledger.wiring.access import open_credentials

    with open_credentials(home()) as credentials:
        click.echo(f"{credentials.sign_out(person)} sessions of {printable(person)} have ended.")


def _day(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d}"


def _state(item: Credential, now: int) -> str:
    if item.ended is not None:
        return f"revoked {_day(item.ended)}"
    return f"{'ended' if item.expires <= now else 'until'} {_day(item.expires)}"


def _roles(item: Credential) -> str:
    return "; ".join(f"{', '.join(sorted(held))} on {name}" for name, held in item.roles.items())


def _used(item: Credential) -> str:
    return "" if item.used is None else f" (last used {_day(item.used)})"
