"""`rakkan label`: what a studio says in public of a delivered title or file, and takes back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.common import REGISTRAR, examples, home, json_option, print_json, printable

if TYPE_CHECKING:
    from ledger.ports import Publication
    from ledger.service.labels.stated import Stated
    from ledger.service.studio import Studio

PATH = click.Path(path_type=Path)
_HOST = re.compile(r"https?://[!-.0-~]{1,200}")


@click.group()
def label() -> None:
    """Public labels of what is delivered: issue one, withdraw it, list them, print one's QR code."""


@label.command(
    epilog=examples(
        "rakkan label issue moonrise-tv --report 61",
        'rakkan label issue moonrise-poster --file poster.png --title "Moonrise: the poster"',
    )
)
@click.argument("identifier")
@click.option("--report", "entry", type=int, metavar="ENTRY", help="An issued report: rakkan reports list.")
@click.option("--file", type=PATH, help="A delivered file whose verdict is on record.")
@click.option("--title", help="Its public title; else the one on record.")
@json_option
def issue(identifier: str, entry: int | None, file: Path | None, title: str | None, *, as_json: bool) -> None:
    """Say in public that a title or a file is cleared: sign the label IDENTIFIER into the log.

    IDENTIFIER is a part of the label's address, and stays: a-z, 0-9 and hyphens. All else that the label says
    is taken from the report, or from the newest verdict on record about the file; what is not cleared gets
    none. What it says is for everybody: title, counts, grade, policy, moment, where it may be shown.
    """
    from ledger.service.files import identify
    from ledger.service.labels.giving import give, of_file, of_report
    from ledger.wiring import open_device

    if (entry is None) == (file is None):
        raise click.UsageError("Give --report or --file.")
    with _studio() as (studio, kept):
        if entry is not None:
            about = of_report(studio, kept, entry, title)
        else:
            sha256 = identify(Path(str(file))).sha256
            about = sha256, of_file(studio, sha256, title)
        done = give(studio, kept, open_device(home(), REGISTRAR), identifier, about)
        _say(studio, done, as_json=as_json)


@label.command(epilog=examples('rakkan label withdraw moonrise-tv --why "A licence was revoked."'))
@click.argument("identifier")
@click.option("--why", required=True, help="For everybody to read, and for ever: no names.")
@json_option
def withdraw(identifier: str, why: str, *, as_json: bool) -> None:
    """Take the label IDENTIFIER back. Its page and its badge say so from then on, with the reason."""
    from ledger.service.labels.giving import withdraw as take_back
    from ledger.wiring import open_device

    with _studio() as (studio, _):
        done = take_back(studio, open_device(home(), REGISTRAR), identifier, why)
        _say(studio, done, as_json=as_json)


@label.command("list", epilog=examples("rakkan label list", "rakkan label list --json"))
@json_option
def list_(*, as_json: bool) -> None:
    """List the labels, and whether each one still holds by what is on record now."""
    from ledger.service.labels.since import Watch

    with _studio() as (studio, kept):
        watch = Watch(studio, kept)
        histories = watch.labels().by_identifier.values()
        found = [(history[-1], watch.of(history).holds.value) for history in histories]
    if as_json:
        print_json([_document(entry) | {"holds": holds} for entry, holds in found])
        return
    if not found:
        click.echo("No label was issued yet: rakkan label issue.")
    for entry, holds in found:
        claims = entry.label.claims
        words = f"{claims.grade_now.name}  {claims.title}" if claims else entry.label.withdrawn
        click.echo(printable(f"{entry.label.identifier}  entry {entry.index}  {holds}  {words}"))


@label.command(
    epilog=examples("rakkan label qr moonrise-tv --out qr.svg --address https://ledger.studio.example")
)
@click.argument("identifier")
@click.option("--out", type=PATH, required=True, help="The SVG file to write.")
@click.option("--address", metavar="URL", help="Scheme and host of the service; else [access] public_url.")
def qr(identifier: str, out: Path, address: str | None) -> None:
    """Write the QR code of the page of the label IDENTIFIER, for print, with the margin that it needs."""
    from ledger.adapters.qr import QUIET, svg
    from ledger.service.access.settings import AccessSettings
    from ledger.service.files import write_new
    from ledger.service.labels.stated import place_of, stated
    from ledger.wiring.serving import service_settings

    site = (address or service_settings(home().folder).of(AccessSettings).public_url).rstrip("/")
    if not _HOST.fullmatch(site):
        raise click.UsageError("Give --address, scheme and host, such as https://ledger.studio.example.")
    with _studio() as (studio, _):
        stated(studio).of(identifier)
        found = site + place_of(studio.production, identifier)
    write_new(out, svg(found, QUIET))
    click.echo(printable(found))


@contextmanager
def _studio() -> Iterator[tuple[Studio, Publication]]:
    """Yield the open studio, and where it keeps the whole reports that it issued."""
    from ledger.wiring import open_studio
    from ledger.wiring.reports.standing import kept_reports

    place = home()
    with open_studio(place) as studio:
        yield studio, kept_reports(place)


def _say(studio: Studio, done: Stated, *, as_json: bool) -> None:
    from ledger.service.labels.stated import place_of

    place = place_of(studio.production, done.label.identifier)
    if as_json:
        print_json(_document(done) | {"page": place})
        return
    click.echo(printable(f"{done.label.identifier} is entry {done.index}; its page is {place}"))


def _document(entry: Stated) -> dict[str, Any]:
    return {"entry": entry.index, "sha256": entry.sha256, **entry.label.to_json()}
