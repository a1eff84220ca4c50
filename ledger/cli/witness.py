"""`rakkan witness` and `rakkan alarm`: vouching for logs, having ours vouched for, and forks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.cli.common import examples, home, json_option, print_json, printable
from ledger.cli.serve import listen_option, serve_app

if TYPE_CHECKING:
    from ledger.adapters.alarms import DirectoryAlarms

FOLDER = click.Path(path_type=Path, file_okay=False)
witness_home = click.option(
    "--home",
    "folder",
    type=FOLDER,
    required=True,
    help="The witness's folder: its key, its state, its alarms.",
)


@click.group()
def witness() -> None:
    """Vouch that somebody's log only grows, or have others vouch for ours."""


@witness.command(
    epilog=examples(
        "rakkan witness serve --home w --name witness.example/insurer --log ledger.example/x+c1f2…+AbC…",
    )
)
@witness_home
@click.option(
    "--log", "logs", multiple=True, required=True, metavar="VKEY", help="A log to vouch for; repeat."
)
@listen_option("127.0.0.1:7080")
@click.option("--name", help="Name of the key made at the first start. Default: one made from the key.")
@click.option(
    "--algorithm",
    type=click.Choice(["ed25519", "ml-dsa-44"]),
    default="ed25519",
    show_default=True,
    help="Kind of the key made at the first start.",
)
def serve(folder: Path, logs: tuple[str, ...], listen: str, name: str | None, algorithm: str) -> None:
    """Run a witness (C2SP tlog-witness) until it is told to stop.

    The first start makes its key. It serves plain HTTP: put a TLS proxy before it where others reach it.
    """
    from ledger.core.note import parse_vkey
    from ledger.wiring.outside import witness_at

    for vkey in logs:
        parse_vkey(vkey)
    signer = witness_at(folder).create(name, algorithm)
    # The application is named, not imported: it lies above this layer, and reads its settings from here.
    os.environ["RAKKAN_WITNESS_HOME"], os.environ["RAKKAN_WITNESS_LOGS"] = str(folder), " ".join(logs)
    serve_app("api.witness:app", listen, f"Witness {signer.verifier.vkey}")


@witness.command(epilog=examples("rakkan witness key --home w"))
@witness_home
def key(folder: Path) -> None:
    """Print the witness's public key (vkey), for the policies of those it vouches to."""
    from ledger.wiring.outside import witness_at

    click.echo(witness_at(folder).signer().verifier.vkey)


@witness.command(epilog=examples("rakkan witness use studio.policy --on-failure closed"))
@click.argument("policy", type=click.Path(path_type=Path))
@click.option(
    "--on-failure",
    type=click.Choice(["open", "closed"]),
    required=True,
    help="Below the quorum: publish what there is (open), or keep the older checkpoint published (closed).",
)
def use(policy: Path, on_failure: str) -> None:
    """Have this studio's log cosigned by the witnesses of POLICY (C2SP tlog-policy), with their URLs."""
    from ledger.core.policy import MAX_POLICY
    from ledger.service.files import read_whole
    from ledger.wiring.outside import use_policy

    data = read_whole(policy, MAX_POLICY + 1)
    count = use_policy(home(), data, fail_closed=on_failure == "closed")
    click.echo(f"rakkan publish now asks {count} {'witness' if count == 1 else 'witnesses'}.")


@click.group()
def alarm() -> None:
    """What must be looked at before anything more is published."""


@alarm.command("list", epilog=examples("rakkan alarm list"))
@json_option
def list_alarms(*, as_json: bool) -> None:
    """Print the open alarms, oldest first: the folders that keep their evidence."""
    found = list(_alarms().open())
    if as_json:
        print_json({"open": found})
        return
    for path in found:
        click.echo(printable(path))
    if not found:
        click.echo("No alarm is open.")


@alarm.command(
    epilog=examples('rakkan alarm close 0001-witness.fork-5b1e77c0a1b2c3d4 --why "wrong database"')
)
@click.argument("name")
@click.option("--why", required=True, help="What was found; kept with the evidence.")
def close(name: str, why: str) -> None:
    """Close the alarm NAME. Its evidence stays where it is."""
    _alarms().close(name, why)
    click.echo(f"Closed. The evidence stays in {name}.")


def _alarms() -> DirectoryAlarms:
    from ledger.wiring.outside import alarms

    place = home()
    place.settings()
    return alarms(place)
