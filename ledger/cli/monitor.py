"""`rakkan monitor`: somebody else's log, looked at again and again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import click

from ledger.cli.common import as_document, examples, json_option, print_json, printable, until_stopped

if TYPE_CHECKING:
    from ledger.errors import RakkanError
    from ledger.service.log.monitor import Monitor, Sighting

UNDECIDED = 3
FOLDER = click.Path(path_type=Path, file_okay=False)
MAX_POLICY = 1024 * 1024


@click.command(
    epilog=examples(
        "rakkan monitor https://ledger.example/nightfall --key VKEY --state ~/watch/nightfall",
        "rakkan monitor https://ledger.example/nightfall --key VKEY --state seen --entries --every 60",
    )
)
@click.argument("log")
@click.option("--key", "keys", multiple=True, help="The log's verifier key; again for each further one.")
@click.option("--state", type=FOLDER, required=True, help="Folder to keep what was seen. One for each log.")
@click.option(
    "--policy", type=click.Path(path_type=Path), help="A C2SP tlog-policy: which witnesses must cosign."
)
@click.option("--entries", is_flag=True, help="Also read every entry and check it against the signed tree.")
@click.option(
    "--every", type=click.FloatRange(min=1, max=86_400), metavar="SECONDS", help="Look again until stopped."
)
@json_option
def monitor(
    log: str,
    keys: tuple[str, ...],
    state: Path,
    policy: Path | None,
    every: float | None,
    *,
    entries: bool,
    as_json: bool,
) -> int:
    """Follow the published LOG, a URL or a folder: does it still say what it said before?

    Each look proves from the log's own tiles that what was signed earlier is still the beginning of what is
    signed now. A split view ends it with exit code 1, and both signed checkpoints are kept in evidence/ of
    the state. A server that shows entries only to some is shown the token in RAKKAN_TOKEN. With --every, a
    log that cannot be reached is asked again; SIGTERM ends it with 0.

    Exit code: 0 consistent, 1 contradicts itself, 2 usage, 3 cannot decide.
    """
    if not keys and policy is None:
        raise click.UsageError("Give the log's verifier key with --key, or a --policy that names it.")
    from ledger.service.files import read_whole
    from ledger.wiring.outside import open_monitor

    rules = None if policy is None else read_whole(policy, MAX_POLICY)
    watch = open_monitor(log, state, keys, rules)
    if every is None:
        return _look(watch, Event(), entries=entries, as_json=as_json)
    with until_stopped() as stopped:
        while not stopped.is_set():
            _look_or_wait(watch, stopped, entries=entries, as_json=as_json)
            stopped.wait(every)
    return 0


def _look_or_wait(watch: Monitor, stopped: Event, *, entries: bool, as_json: bool) -> None:
    """Look once; what may be otherwise the next time is only said."""
    from ledger.errors import MalformedError, UndecidedError

    try:
        _look(watch, stopped, entries=entries, as_json=as_json)
    except (MalformedError, UndecidedError) as error:
        _warn(error, as_json=as_json)


def _warn(error: RakkanError, *, as_json: bool) -> None:
    text = as_document({"error": error.to_json()}) if as_json else f"cannot decide: {printable(str(error))}"
    click.echo(text, err=True)


def _look(watch: Monitor, stopped: Event, *, entries: bool, as_json: bool) -> int:
    from ledger.service.log.monitor_entries import read_entries

    sighting = watch.look()
    checked = read_entries(watch.log, watch.state, sighting.newest, stopped.is_set) if entries else None
    if as_json:
        print_json(_document(sighting, checked))
    else:
        for line in _lines(sighting, checked):
            click.echo(printable(line))
    return UNDECIDED if sighting.quorum is not None and not sighting.quorum.met else 0


def _document(sighting: Sighting, checked: int | None) -> dict[str, object]:
    quorum = sighting.quorum
    return {
        "origin": sighting.seen.origin,
        "finding": sighting.finding,
        "seen": {"size": sighting.seen.size, "root": sighting.seen.root.hex()},
        "kept": {"size": sighting.newest.size, "root": sighting.newest.root.hex()},
        "unproven": sighting.unproven,
        "entriesChecked": checked,
        "quorum": quorum and {"met": quorum.met, "signed": quorum.signed, "missing": quorum.missing},
    }


def _lines(sighting: Sighting, checked: int | None) -> Iterator[str]:
    seen, newest = sighting.seen, sighting.newest
    before = sighting.kept.size if sighting.kept else 0
    yield {
        "first": f"First sight of {seen.origin}: {seen.size} entries. Nothing to compare with yet.",
        "same": f"{seen.origin}: {seen.size} entries, as before.",
        "grown": f"{seen.origin}: {seen.size} entries; the {before} of before are its beginning (proven).",
        "older": f"{seen.origin}: an older state was served, {seen.size} entries of {newest.size}. It is the"
        " beginning of the newer one (proven): probably a cache.",
    }[sighting.finding]
    if sighting.unproven:
        yield f"{sighting.unproven} signed checkpoints could not be compared yet: their tiles are not there."
    if checked is not None:
        yield f"{checked} of {newest.size} entries are read, and are those that the log signed."
    if sighting.quorum is not None:
        signed = ", ".join(sighting.quorum.signed) or "nobody"
        verdict = "enough" if sighting.quorum.met else "not enough"
        yield f"Cosigned by {signed}: {verdict} for the policy."
