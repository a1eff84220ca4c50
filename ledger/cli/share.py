"""`rakkan share`: links that show one file's verdicts to whoever holds them."""

from __future__ import annotations

import re
from pathlib import Path

import click

from ledger.cli.common import examples, home, json_option, print_json, printable


@click.group()
def share() -> None:
    """Links to what the log says of one file, for somebody without an account."""


@share.command(epilog=examples("rakkan share create ep07.mov --expires 14", "rakkan share create 5f70bf18…"))
@click.argument("what")
@click.option("--expires", "days", default=30, show_default=True, help="Days until it ends; at most 366.")
@click.option("--name", default="", help="What its holder reads; else the file's name.")
@json_option
def create(what: str, days: int, name: str, *, as_json: bool) -> None:
    """Make a link to WHAT, a file or a SHA-256, and print it: this once, for it is stored nowhere."""
    from ledger.service.access.credentials import OWNER
    from ledger.service.access.links import make
    from ledger.service.access.settings import AccessSettings
    from ledger.service.files import identify
    from ledger.wiring import open_studio
    from ledger.wiring.access import open_credentials
    from ledger.wiring.serving import service_settings

    place = home()
    sha256 = what if re.fullmatch("[0-9a-f]{64}", what) else identify(Path(what)).sha256
    site = service_settings(place.folder).of(AccessSettings).public_url
    with open_studio(place) as studio, open_credentials(place) as credentials:
        path, made = make(credentials, studio, OWNER, sha256, days, name)
    if as_json:
        print_json({"url": site + path, **made.to_json()})
        return
    click.echo(site + path)
    click.echo(f"{made.identifier} ends on {made.to_json()['expires']}. It is not shown again.", err=True)


@share.command("list", epilog=examples("rakkan share list"))
@json_option
def list_shares(*, as_json: bool) -> None:
    """Show every link: to what, until when, and how often it was opened. The links are not kept."""
    from ledger.core.secret_text import Kind
    from ledger.wiring.access import open_credentials

    with open_credentials(home()) as credentials:
        found = credentials.made(Kind.LINK)
    if as_json:
        print_json([{**item.to_json(), "sha256": item.target, "openings": item.uses} for item in found])
        return
    for item in found:
        until = "revoked" if item.ended is not None else f"until {item.to_json()['expires']}"
        click.echo(
            printable(f"{item.identifier}  {until}  {item.label} ({item.target[:16]}): opened {item.uses}")
        )


@share.command(epilog=examples("rakkan share revoke 4f1c0b7a99d2e863"))
@click.argument("identifier")
def revoke(identifier: str) -> None:
    """End a link now. IDENTIFIER is what `rakkan share list` shows."""
    from ledger.core.secret_text import Kind
    from ledger.wiring.access import open_credentials

    with open_credentials(home()) as credentials:
        credentials.revoke(Kind.LINK, identifier)
    click.echo(f"{identifier} has ended.")
