"""`rakkan init` and `rakkan enrol`: a studio, and the devices that may sign for it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from ledger.cli.common import examples, home, printable


@click.command(
    epilog=examples(
        "export RAKKAN_HOME=/shows/nightfall/ledger",
        'rakkan init --studio "Studio Kumo" --production nightfall',
    )
)
@click.option("--studio", help="The studio's name, as it stands in certificates.")
@click.option("--production", help="The production that this log is for, such as nightfall.")
@click.option("--origin", help="The log's name, the schemeless URL it will be published at.")
@click.option(
    "--publish-to",
    "publication",
    default="log",
    show_default=True,
    help="Folder of the static log, relative to the home, or s3://bucket/prefix?endpoint=URL&region=NAME.",
)
@click.option(
    "--log-key",
    metavar="URI",
    help="Keep the log's key in a token: a PKCS#11 URI. A key that is not there is made. PIN: RAKKAN_PIN.",
)
@click.option(
    "--database",
    metavar="URL",
    help="PostgreSQL database of the log: postgresql://USER@HOST/NAME. Without it, a file of the home.",
)
@click.option("--device", default="workstation", show_default=True, help="First device to enrol.")
@click.option("--upgrade", is_flag=True, help="Only bring an existing database to this version's schema.")
def init(
    studio: str | None,
    production: str | None,
    origin: str | None,
    device: str,
    *,
    upgrade: bool,
    **places: Any,
) -> None:
    """Make a studio in RAKKAN_HOME: its certificates, its log, its first device."""
    from ledger.adapters.settings import Settings
    from ledger.wiring.enrolment import found_studio, upgrade_database

    place = home()
    if upgrade:
        upgrade_database(place)
        click.echo(f"The database of {place.folder} is up to date.")
        return
    if not studio or not production:
        raise click.UsageError("A new studio needs --studio and --production.")
    name = origin or _origin(studio, production)
    settings = Settings(studio, production, name, **places)
    found_studio(place, settings, device)
    click.echo(f"Studio “{studio}”, production “{production}”, in {place.folder}.")
    click.echo(f"The log is {settings.origin}; the device “{device}” is enrolled.")
    if settings.log_key is not None:
        click.echo("The log's key is in the token: what it has signed as this log before, it must not again.")
    click.echo(f"Hand out {place.trust_file}: it is what a stranger needs to verify your files.")
    click.echo("Back up keys/ now, on paper or offline. Next: rakkan record, rakkan seal.")


@click.command(
    epilog=examples(
        "rakkan enrol render-07",
        "rakkan record night.png --device render-07",
        "rakkan enrol ws-07 --out /media/usb/ws-07",
    )
)
@click.argument("device")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Move its keys into this folder, to be carried to the device: its home there.",
)
def enrol(device: str, out: Path | None) -> None:
    """Enrol DEVICE, or renew its certificate: a statement key, a claim certificate, a log entry."""
    from ledger.adapters.home import check_new_folder
    from ledger.wiring.enrolment import enrol_device

    if out is not None:
        check_new_folder(out)
    index = enrol_device(home(), device)
    click.echo(f"The device “{device}” is enrolled: entry {index}.")
    if out is not None:
        home().hand_over(device, out)
        click.echo(printable(f"Its keys are in {out}, and no longer here. Carry the folder to the device."))


def _origin(studio: str, production: str) -> str:
    """Return a log name that no other studio's log is likely to have."""
    return f"ledger.{_slug(studio)}.example/{_slug(production)}"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "studio"
