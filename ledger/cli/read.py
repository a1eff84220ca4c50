"""`rakkan read`: what a file says of how it was made, and whether the registry knows the models it names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.common import examples, home_folder, json_option, print_json, printable

if TYPE_CHECKING:
    from ledger.core.said import Account, Said
    from ledger.core.watch import Hit, WatchList
    from ledger.service.said.matching import Matched, Weights
    from ledger.service.studio import Studio

FILE = click.Path(path_type=Path)
_FOUND = {
    "digest": "states the digest of",
    "short-hash": "is perhaps, by a short hash,",
    "name": "is perhaps, by its name alone,",
}


@click.command(
    epilog=examples(
        "rakkan read night.png",
        "rakkan read night.png --watch names.csv",
        "rakkan read night.png --weights ink.safetensors --json",
    )
)
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option(
    "--watch", "lists", type=FILE, multiple=True, help="Names to look for in prompts: .csv or .toml."
)
@click.option(
    "--weights",
    type=FILE,
    multiple=True,
    help="A model's file, to find it by the short hash that a picture states.",
)
@json_option
def read(
    files: tuple[Path, ...], lists: tuple[Path, ...], weights: tuple[Path, ...], *, as_json: bool
) -> None:
    """Print what each of the FILES says of how it was made, place by place, with its evidence class.

    None of it is checked: whoever could edit the file could have written it. Where RAKKAN_HOME holds a
    ledger, the models that are named are looked up in its registry, and its names in the prompts.

    What is read: PNG, JPEG, WebP, TIFF, PSD, EXR and films. Prompts are printed: mind who sees the screen.
    """
    from ledger.core.watch import WatchList, find_in
    from ledger.service.said.matching import match
    from ledger.service.said.watching import read_watch_list, registered_terms
    from ledger.wiring.said import read_said, weights_at_hand

    terms = [term for path in lists for term in read_watch_list(path)]
    at_hand: Weights = weights_at_hand(weights)
    with _studio() as studio:
        watch: WatchList = WatchList([*terms, *(registered_terms(studio) if studio else ())])
        for path in files:
            said = read_said(path)
            matched = match(studio, said, at_hand) if studio else ()
            hits = find_in(watch, said)
            if as_json:
                print_json(_document(path, said, matched, hits, asked=studio is not None))
            else:
                _print(path, said, matched, hits, asked=studio is not None)


@contextmanager
def _studio() -> Iterator[Studio | None]:
    from ledger.wiring import home_at, open_studio

    place = home_at(home_folder())
    if not place.holds_ledger():
        yield None
        return
    with open_studio(place) as studio:
        yield studio


def _document(
    path: Path, said: Said, matched: tuple[Matched, ...], hits: tuple[Hit, ...], *, asked: bool
) -> dict[str, Any]:
    found: dict[str, Any] = {"file": str(path), "checked": False, **said.to_json()}
    if asked:
        found["models"] = [item.to_json() for item in matched]
    found["names"] = [
        {
            "term": hit.entry.term,
            "kind": hit.entry.kind.value,
            "asked": hit.asked.value,
            "where": hit.where,
            "evidence": hit.evidence.value,
        }
        for hit in hits
    ]
    return found


def _print(
    path: Path, said: Said, matched: tuple[Matched, ...], hits: tuple[Hit, ...], *, asked: bool
) -> None:
    click.echo(click.style(printable(f"{path} ({said.media_type})"), bold=True))
    if not said.accounts:
        click.echo("  It says nothing of how it was made. That proves nothing: most tools drop such texts.")
    for account in said.accounts:
        for line in _account_lines(account):
            click.echo(printable(line))
    for item in matched:
        click.echo(printable(f"  {_match_line(item)}"))
    for hit in hits:
        note = f"; {hit.entry.note}" if hit.entry.note else ""
        click.echo(
            printable(f"  to look at: {hit.entry.kind.value} “{hit.entry.term}” ({hit.asked.value}){note}")
        )
    for note in said.notes:
        click.echo(printable(f"  note: {note}"))
    if said.accounts:
        end = "" if asked else " No ledger was asked: RAKKAN_HOME holds none."
        click.echo(f"  This is what the file says. Nobody has checked it.{end}")


def _account_lines(account: Account) -> Iterator[str]:
    tool = " ".join(part for part in (account.tool, account.version) if part)
    service = f", a remote service: {account.service}" if account.service else ""
    yield f"  {account.where} [{account.evidence.value}, {account.convention}] {tool}{service}".rstrip()
    for model in account.models:
        more = [str(item) for item in model.hashes]
        more += [f"strength {model.strength}"] if model.strength else []
        more += [model.reference] if model.reference else []
        yield f"    {model.kind.value}: {model.name}" + (f" ({', '.join(more)})" if more else "")
    for prompt in account.prompts:
        yield f"    {prompt.role.value} prompt: {prompt.text}"
    if account.parameters:
        yield "    " + ", ".join(f"{name} {value}" for name, value in account.parameters.items())
    for name, values in (("digital source type", account.source_types), ("made from", account.derived_from)):
        for value in values:
            yield f"    {name}: {value}"
    for name, value in account.facts.items():
        yield f"    {name}: {value}"
    for note in account.notes:
        yield f"    note: {note}"


def _match_line(item: Matched) -> str:
    name = f"{item.claim.kind.value} “{item.claim.name}”"
    if item.certainty is None:
        return f"not registered: {name}. Ask who made the file which one it was."
    found = ", ".join(f"{model.name} ({model.sha256[:12]}…)" for model in item.candidates)
    other = " But it states a hash that no registered model of this name has." if item.contradicted else ""
    return f"{name} {_FOUND[item.certainty.value]} {found}.{other}"
