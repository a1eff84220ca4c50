"""`rakkan show`, `export`, `publish`, `rebuild`: the log itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.cli.common import examples, home, print_json, printable, until_stopped

if TYPE_CHECKING:
    from ledger.adapters.home import Home
    from ledger.service.log.publish import Published
    from ledger.service.studio import Studio

FILE = click.Path(path_type=Path)
STOPS_PUBLISHING = {"log.alarm", "log.rollback", "log.frozen"}
"""Codes of refusals that somebody has to look at: trying again would not help."""


@click.command(
    epilog=examples(
        "rakkan show night.png",
    )
)
@click.argument("what")
def show(what: str) -> None:
    """Print the entry WHAT: an index, a file, or a SHA-256.

    For a file, it is the newest entry that made these bytes: for a sealed file, its seal.
    """
    from ledger.service.reading.entries import whole
    from ledger.wiring import open_studio

    with open_studio(home()) as studio:
        print_json(whole(studio, _index(studio, what)))


@click.command(
    epilog=examples(
        "rakkan export night.png --out handover",
    )
)
@click.argument("what")
@click.option("--out", type=FILE, default=Path(), help="Folder to write to; default: here.")
def export(what: str, out: Path) -> None:
    """Write the entry WHAT for other tools: its envelope, its receipt, the signer's public key.

    The envelope is DSSE and in-toto: cosign and securesystemslib check it. The receipt comes as a C2SP
    tlog-proof, as a COSE Receipt (RFC 9942), and in a bundle shaped like sigstore's.
    """
    from ledger.core.receipt import format_receipt
    from ledger.core.sigstore_bundle import format_bundle
    from ledger.service.files import make_folder, write_new
    from ledger.service.log.receipts import cose_inclusion, receipt
    from ledger.wiring import open_studio, signer_key_pem

    with open_studio(home()) as studio:
        index = _index(studio, what)
        found = receipt(studio.log, studio.checkpoints, index)
        envelope = studio.entries.envelope(index)
        files = {
            f"entry-{index}.dsse.json": envelope,
            f"entry-{index}.tlog-proof": format_receipt(found),
            f"entry-{index}.cose": cose_inclusion(studio.log, found),
            f"entry-{index}.sigstore.json": format_bundle(envelope, found),
            f"entry-{index}.pub": signer_key_pem(studio, index),
        }
    make_folder(out)
    for name, data in files.items():
        write_new(out / name, data)
        click.echo(printable(str(out / name)))


@click.command(
    epilog=examples(
        "rakkan publish",
        "rakkan publish --every 1",
    )
)
@click.option(
    "--every",
    type=click.FloatRange(min=1),
    metavar="SECONDS",
    help="Go on publishing what is new, until SIGTERM; what may succeed the next time is only said.",
)
def publish(every: float | None) -> None:
    """Write what is new to the static log: bundles, tiles, then the checkpoint, cosigned by its witnesses.

    The folder (log/ in RAKKAN_HOME, or what init --publish-to said) can be served as it is. Safe to repeat.
    """
    from ledger.errors import RefusedError, UndecidedError
    from ledger.service.log.publish import Publisher
    from ledger.wiring import SystemClock
    from ledger.wiring.outside import publish_home

    place = home()
    if every is None:
        _say(place, publish_home(place))
        return
    publisher, size = Publisher(lambda: publish_home(place), SystemClock()), None
    with until_stopped() as stopped:
        while not stopped.is_set():
            try:
                done = publisher.tick()
            except (RefusedError, UndecidedError) as error:
                if error.code in STOPS_PUBLISHING:
                    raise
                click.echo(printable(f"warning: {error}"), err=True)
            else:
                if done is not None and done.size != size:
                    _say(place, done)
                    size = done.size
            stopped.wait(every)


def _say(place: Home, done: Published) -> None:
    click.echo(f"{done.size} entries published to {place.publication()}.")
    if done.quorum is None:
        return
    click.echo(f"Cosigned by {printable(', '.join(done.quorum.signed) or 'nobody')}.")
    for error in done.trouble:
        click.echo(printable(f"warning: {error}"), err=True)
    if not done.quorum.met:
        missing = ", ".join(done.quorum.missing)
        click.echo(printable(f"warning: below the quorum; missing {missing}"), err=True)


@click.command(
    epilog=examples(
        "rakkan rebuild",
    )
)
def rebuild() -> None:
    """Recompute every table from the entries; the result must equal the signed checkpoint.

    Safe at any time: it changes nothing when the entries do not lead to what was signed.
    """
    from ledger.service.log.rebuild import rebuild as rebuild_log
    from ledger.wiring import open_studio

    with open_studio(home()) as studio:
        done = rebuild_log(studio.log)
    click.echo(f"Recomputed everything from {done.entries} entries; the root is the signed one.")


def _index(studio: Studio, what: str) -> int:
    from ledger.errors import UsageError
    from ledger.service.archive import Archive
    from ledger.service.files import identify

    if what.isascii() and what.isdigit() and len(what) < len("18446744073709551615"):
        return int(what)
    sha256 = identify(Path(what)).sha256 if os.path.lexists(what) else what
    record = Archive(studio).made(sha256)
    if record is None:
        raise UsageError("log.no-such-entry", f"The log has no entry about {what}.", what=what)
    return record.index
