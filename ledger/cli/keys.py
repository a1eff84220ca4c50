"""`rakkan key`: which keys there are, and how one ends or hands over to the next."""

from __future__ import annotations

import click

from ledger.cli.common import examples, home, json_option, print_json, printable


@click.group()
def key() -> None:
    """The keys of the devices and of the log, over time."""


@key.command(
    "list",
    epilog=examples(
        "rakkan key list",
    ),
)
@json_option
def list_keys(*, as_json: bool) -> None:
    """Show every key that the log knows: since which entry, and until which."""
    from ledger.service.log.keys import history
    from ledger.wiring import open_studio

    with open_studio(home()) as studio:
        found = history(studio)
    if as_json:
        print_json([item.to_json() for item in found])
        return
    for item in found:
        until = "" if item.ended is None else f", ended at entry {item.ended}"
        since = "pinned by the trust root" if item.since is None else f"since entry {item.since}"
        click.echo(printable(f"{item.keyid[:16]}  {item.role:9}  {item.device}: {since}{until}"))


@key.command(
    epilog=examples(
        "rakkan key log",
        'rakkan monitor https://log.example --key "$(rakkan key log)" --state seen',
    )
)
def log() -> None:
    """Print the log's verifier key: what witnesses and monitors are given. Two lines while one takes over."""
    from ledger.core.note import verifier_of

    place = home()
    origin = place.settings().origin
    for signer in place.log_signers():
        click.echo(verifier_of(origin, signer.public_key).vkey)


@key.command(
    epilog=examples(
        "rakkan key revoke ws-07 --why stolen --suspect-from 4711",
    )
)
@click.argument("device")
@click.option(
    "--why", type=click.Choice(["lost", "stolen", "retired"]), required=True, help="Why the key ends."
)
@click.option(
    "--suspect-from",
    type=click.IntRange(min=0),
    help="Index of the first entry that somebody else may have signed.",
)
def revoke(device: str, why: str, suspect_from: int | None) -> None:
    """End the key of DEVICE for good; what it signed before keeps its worth.

    Its key files are removed. `rakkan enrol DEVICE` gives it a new key.
    """
    from ledger.wiring.enrolment import revoke_device

    index = revoke_device(home(), device, why, suspect_from)
    click.echo(f"The key of {device} has ended with entry {index}.")


@key.command(
    epilog=examples(
        "rakkan key rotate",
        "rakkan key rotate --finish",
    )
)
@click.option("--finish", is_flag=True, help="End the older key: from now on the new one signs alone.")
def rotate(*, finish: bool) -> None:
    """Hand the log over to a new key.

    First the new key is announced, by an entry that both keys sign, and both sign checkpoints. Hand out
    trust.json and tell the witnesses; then `--finish`. Safe to repeat.
    """
    from ledger.wiring.enrolment import retire_log_key, rotate_log_key

    place = home()
    if finish:
        index = retire_log_key(place)
        click.echo(f"The older key has ended with entry {index}. The new one signs alone.")
        return
    index = rotate_log_key(place)
    click.echo(f"The new key is announced in entry {index}; both keys sign from now on.")
    click.echo(f"Hand out {printable(str(place.trust_file))} before you finish.")
