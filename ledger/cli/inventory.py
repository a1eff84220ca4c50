"""`rakkan inventory`: which works a dataset commits to, and the proof that one is in it, or is not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.common import examples, home, json_option, print_json, printable

if TYPE_CHECKING:
    from ledger.core.rights.inventory import Commitment, Record
    from ledger.core.rights.inventory_proof import Shown
    from ledger.service.inventory.index import Registered, Told

FILE = click.Path(path_type=Path)


@click.group()
def inventory() -> None:
    """Commit to the works of a dataset; prove that a work is among them, or is not."""


@inventory.command(
    epilog=examples(
        "rakkan inventory build plates.csv --out plates.inventory",
    ),
)
@click.argument("source", metavar="FILE", type=FILE)
@click.option("--out", type=FILE, help="The index to write. Default: beside the list, named .inventory.")
@click.option("--dataset", metavar="NAME", help="What proofs call the dataset. Default: the list's name.")
@json_option
def build(source: Path, out: Path | None, dataset: str | None, *, as_json: bool) -> None:
    """Build the inventory of the works that FILE lists: .csv, .ndjson, .jsonl or .parquet.

    The columns are work, sha256, rights_holder and, if there is one, grant. The same list gives the same
    root. The index holds what the list says: keep it as you keep the list.
    """
    from ledger.service.inventory.build import build as build_index
    from ledger.service.inventory.index import SUFFIX
    from ledger.wiring.inventory import read_list

    target = out or source.with_suffix(SUFFIX)
    with _progress() as told:
        made = build_index(read_list(source), source, dataset or source.stem, target, told)
    if as_json:
        print_json(
            {
                **_commitment(made.commitment),
                "dataset": made.dataset,
                "rightsHolders": made.rights_holders,
                "index": str(target),
            }
        )
        return
    count = _counted(made.commitment.size, "work")
    click.echo(printable(f"“{made.dataset}”: {count} of {_counted(made.rights_holders, 'rights holder')}."))
    click.echo(f"  size  {made.commitment.size}")
    click.echo(f"  root  {made.commitment.root.hex()}")
    click.echo(printable(f"The index is {target}. To make the root count, register the dataset with it."))


@inventory.command(
    epilog=examples(
        "rakkan inventory prove plates.inventory robot.png --out proof.json",
    ),
)
@click.argument("index", type=FILE)
@click.argument("work")
@click.option("--out", type=FILE, help="Also write the proof, for whoever asked.")
@click.option("--record", type=FILE, help="Also write the work's record: its name, rights holder and grant.")
@json_option
def prove(index: Path, work: str, out: Path | None, record: Path | None, *, as_json: bool) -> None:
    """Prove that WORK, a file or a SHA-256, is in the inventory, or that it is not.

    INDEX is what `rakkan inventory build` wrote. Both answers are proofs, and anybody can check them without
    the inventory: `rakkan inventory check`. The proof itself names no rights holder.
    """
    from ledger.core.rights.inventory_proof import format_proof, verify
    from ledger.service.files import write_new
    from ledger.service.inventory.index import key_of, open_index

    with open_index(index) as opened:
        proof = opened.prove(key_of(work))
        shown = verify(proof)
        found = None if shown.index is None else opened.record(proof)
    if record and found is None:
        raise click.UsageError("--record: the work is not in the inventory, so it has no record.")
    for target, data in ((out, format_proof(proof)), (record, found and found.encode())):
        if target and data:
            write_new(target, data)
    places = _registered(proof.commitment)
    if as_json:
        print_json({**_shown(shown, places), "record": _record(found), "proof": _document(shown)})
        return
    _answer(shown, found)
    _say_registered(places)
    if places == ():
        click.echo(
            "No dataset in this studio's log commits to this inventory: the proof rests on nothing yet."
        )


@inventory.command(
    epilog=examples(
        "rakkan inventory check proof.json --work robot.png --size 1000000 --root HEX",
    ),
)
@click.argument("proof", type=FILE)
@click.option("--work", help="The work that was asked about, a file or a SHA-256.")
@click.option("--size", type=click.IntRange(min=1), help="The size that the dataset's entry states.")
@click.option("--root", metavar="HEX", help="The root that the dataset's entry states.")
@click.option("--record", type=FILE, help="The record that came with the proof.")
@json_option
def check(
    proof: Path, work: str | None, size: int | None, root: str | None, record: Path | None, *, as_json: bool
) -> None:
    """Check what PROOF proves. Needs no studio and no inventory.

    Size and root come from the dataset's entry in the log; in a studio's home they are looked up there. With
    neither, nobody knows whose inventory it is.

    Exit code: 0 proven, in or not in; 1 the proof is wrong; 2 usage; 3 cannot decide.
    """
    from ledger.core.rights.inventory_proof import MAX_PROOF, parse_proof, verify, verify_record
    from ledger.errors import UndecidedError
    from ledger.service.files import read_whole
    from ledger.service.inventory.index import key_of

    if (size is None) != (root is None):
        raise click.UsageError("--size and --root go together: the entry states both.")
    parsed = parse_proof(read_whole(proof, MAX_PROOF + 1))
    shown = verify(parsed, _expected(size, root))
    if work is not None and key_of(work) != parsed.key:
        raise UndecidedError("inventory.other", "The proof is of another work.", key=parsed.key.hex())
    found = verify_record(shown, read_whole(record, MAX_PROOF + 1)) if record else None
    places = _registered(parsed.commitment)
    if root is None and not places:
        raise UndecidedError(
            "inventory.uncommitted",
            "The proof agrees with itself, but nothing says whose inventory this is.",
            **_commitment(parsed.commitment),
        )
    if as_json:
        print_json({**_shown(shown, places), "record": _record(found)})
        return
    _answer(shown, found)
    _say_registered(places)


@inventory.command(
    epilog=examples(
        "rakkan inventory sample plates.inventory --count 100",
    ),
)
@click.argument("index", type=FILE)
@click.option("--count", type=click.IntRange(min=1), default=20, show_default=True, help="How many works.")
@json_option
def sample(index: Path, count: int, *, as_json: bool) -> None:
    """Name works of the inventory that nobody picked: its root picks them.

    Whoever looks at them can draw the same sample. A larger one begins with a smaller one.
    """
    from ledger.service.inventory.index import open_index

    with open_index(index) as opened:
        found = list(opened.sample(min(count, opened.size)))
    if as_json:
        print_json(
            [
                {"index": proof.places[0].index, "sha256": proof.key.hex(), "record": _record(record)}
                for proof, record in found
            ]
        )
        return
    for proof, record in found:
        click.echo(printable(f"{proof.places[0].index + 1:>12,}  {proof.key.hex()}  {_named(record)}"))


@inventory.command(
    epilog=examples(
        "rakkan inventory audit plates.inventory --curation curation.json --exclusions excluded.txt",
    ),
)
@click.argument("index", type=FILE)
@click.option("--curation", type=FILE, help="The curation record, as JSON: is it of this inventory?")
@click.option("--exclusions", type=FILE, help="The list that the record binds: one SHA-256 on each line.")
@json_option
def audit(index: Path, curation: Path | None, exclusions: Path | None, *, as_json: bool) -> None:
    """Check the whole inventory: in order, no work twice, and all of it under its root.

    This is what no single proof shows. An inventory out of order could deny a work that it holds.

    Exit code: 0 sound, 1 not so, 2 usage, 3 cannot decide.
    """
    from ledger.service.files import read_whole
    from ledger.service.inventory.check import check_curation, check_tree, read_curation
    from ledger.service.inventory.index import open_index

    if exclusions and not curation:
        raise click.UsageError("--exclusions goes with --curation, which binds the list.")
    with open_index(index) as opened, _progress() as told:
        check_tree(opened, told)
        if curation:
            check_curation(opened, read_curation(curation), read_whole(exclusions) if exclusions else None)
    if as_json:
        print_json({**_commitment(opened.header.commitment), "curation": curation is not None})
        return
    click.echo(f"All {opened.size:,} works are in order, none is listed twice, and they lead to the root.")
    if curation:
        click.echo("The curation record kept as many, and no work that it excludes is among them.")
        click.echo("Its other counts are the maker's word.")


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _expected(size: int | None, root: str | None) -> Commitment | None:
    from ledger.core.digest import parse_sha256
    from ledger.core.rights.inventory import Commitment

    return None if size is None or root is None else Commitment(size, bytes.fromhex(parse_sha256(root)))


def _registered(commitment: Commitment) -> tuple[Registered, ...] | None:
    """Return the datasets that commit to it in this studio's log; ``None`` where no studio is."""
    from ledger.service.inventory.index import registered
    from ledger.wiring import open_studio

    place = home()
    if not place.holds_ledger():
        return None
    with open_studio(place) as studio:
        return registered(studio, commitment)


def _answer(shown: Shown, record: Record | None) -> None:
    proof = shown.proof
    size, name = f"{proof.commitment.size:,}", f"“{proof.dataset}”"
    if shown.index is not None:
        words = f"Yes: the work is number {shown.index + 1:,} of the {size} that {name} commits to."
    else:
        words = f"No: the work is not among the {size} that {name} commits to, {_gap(shown)}."
    click.echo(printable(words))
    if record:
        click.echo(printable(f"  {_named(record)}"))
    click.echo(f"  work  {proof.key.hex()}")
    click.echo(f"  size  {proof.commitment.size}")
    click.echo(f"  root  {proof.commitment.root.hex()}")
    if shown.index is None:
        click.echo("This is about these exact bytes: a copy in another size or format is another work.")


def _gap(shown: Shown) -> str:
    if shown.below is None:
        return "which are in order: it would come before the first"
    if shown.above is None:
        return "which are in order: it would come after the last"
    return f"which are in order: it would come between numbers {shown.below + 1:,} and {shown.above + 1:,}"


def _named(record: Record) -> str:
    grant = f"grant {record.grant}" if record.grant else "no grant named"
    return f"{record.work}, rights holder {record.rights_holder}, {grant}"


def _say_registered(places: tuple[Registered, ...] | None) -> None:
    for place in places or ():
        click.echo(
            printable(f"Committed to by dataset “{place.name}” version {place.version}, entry {place.entry}.")
        )


def _shown(shown: Shown, places: tuple[Registered, ...] | None) -> dict[str, Any]:
    return {
        "kind": shown.proof.kind.value,
        "work": shown.proof.key.hex(),
        "dataset": shown.proof.dataset,
        **_commitment(shown.proof.commitment),
        "index": shown.index,
        "below": shown.below,
        "above": shown.above,
        "registered": [
            {"name": place.name, "version": place.version, "entry": place.entry} for place in places or ()
        ],
    }


def _commitment(commitment: Commitment) -> dict[str, Any]:
    return {"size": commitment.size, "root": commitment.root.hex()}


def _record(record: Record | None) -> dict[str, Any] | None:
    from ledger.core import canonical

    return canonical.decode(record.encode()) if record else None


def _document(shown: Shown) -> Any:
    from ledger.core import canonical
    from ledger.core.rights.inventory_proof import format_proof

    return canonical.decode(format_proof(shown.proof))


@contextmanager
def _progress() -> Iterator[Told]:
    """Show how many works are done, where somebody watches."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("")
        yield lambda what, done, of: shown.update(task, description=what, completed=done, total=of or None)
