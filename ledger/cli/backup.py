"""`rakkan backup` and `rakkan restore`."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.cli.common import examples, home, json_option, print_json

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command(epilog=examples("rakkan backup /backups/nightfall-2026-11-22"))
@click.argument("target", type=FOLDER)
@click.option("--keys", is_flag=True, help="Private keys, too; each must be encrypted by RAKKAN_PASSPHRASE.")
@json_option
def backup(target: Path, *, keys: bool, as_json: bool) -> None:
    """Copy the studio's home into the new folder TARGET, also while the service runs.

    It holds the database in one state, settings, certificates, manifests and the checkpoints that were signed
    and published; with a list of SHA-256s. Keep it like the home: settings and disclosures are in it.
    """
    from ledger.wiring.backup import back_up

    document = back_up(home(), target, keys=keys)
    if as_json:
        print_json(document)
        return
    click.echo(f"{len(document['files'])} files of {document['origin']} are in {target}.")
    if not keys:
        click.echo("No private key is: keep a copy of keys/ offline.")


@click.command(epilog=examples("rakkan restore /backups/nightfall-2026-11-22 --dry-run"))
@click.argument("source", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--dry-run", is_flag=True, help="Verify and compare; change nothing.")
@click.option("--older", is_flag=True, help="Restore though newer entries were signed; then rakkan recover.")
@json_option
def restore(source: Path, *, dry_run: bool, older: bool, as_json: bool) -> None:
    """Put the backup SOURCE in the place of the studio's home, which must not be in use.

    Everything is verified first. The home changes in one step, and the old one stays beside it. Where more
    was signed than the backup holds, the restored log signs nothing until rakkan recover has brought it back.
    """
    from ledger.errors import RefusedError
    from ledger.wiring.restore import inspect
    from ledger.wiring.restore import restore as put_back

    place = home()
    found = inspect(place, source)
    if found.behind and not older and not dry_run:
        words = f"{found.witness} knows {found.behind} entries that this backup does not hold."
        raise RefusedError("restore.older", words, backup=found.size, signed=found.signed)
    old = None if dry_run else put_back(place, found)
    if as_json:
        answer = {"entries": found.size, "signed": found.signed, "restored": not dry_run}
        print_json({**answer, **({"old": str(old)} if old else {})})
        return
    click.echo(f"{'Would restore' if dry_run else 'Restored'} {found.size} entries.")
    if found.behind:
        click.echo(
            f"{found.witness} knows {found.behind} more: run rakkan recover; until then nothing is signed."
        )
    if old is not None:
        click.echo(f"The home as it was: {old}")
    if not dry_run and not (place.folder / "keys").exists():
        click.echo("There are no keys: put keys/ back from where they are kept.")
