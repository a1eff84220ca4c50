"""`rakkan reports`: the reports that were issued, what changed between two, and whether one still stands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.common import examples, home, json_option, print_json, printable

if TYPE_CHECKING:
    from ledger.core.audit import Report, Row
    from ledger.service.report.watching import Watched

PATH = click.Path(path_type=Path)
MAX_TRUST = 1024 * 1024


@click.group()
def reports() -> None:
    """Issued reports: list them, finish issuing, compare two, watch one."""


@reports.command("list", epilog=examples("rakkan reports list", "rakkan reports list --json"))
@json_option
def list_(*, as_json: bool) -> None:
    """List the reports that the log says were issued, the newest first."""
    from ledger.service.report.last import issued
    from ledger.wiring import open_studio

    with open_studio(home()) as studio:
        found = issued(studio)
    if as_json:
        print_json([{"entry": index, **report.to_json()} for index, report in found])
        return
    if not found:
        click.echo("No report was issued yet: rakkan report … --issue.")
    for index, report in found:
        follows = f", follows entry {report.previous}" if report.previous is not None else ""
        words = f"{report.identifier}  entry {index}  {report.view}  {report.verdict_now}{follows}"
        click.echo(printable(words))


@reports.command(epilog=examples("rakkan reports issue handover"))
@click.argument("folder", type=PATH)
def issue(folder: Path) -> None:
    """Have the log take in a report that was written with --issue and interrupted before it was issued.

    What is issued is what lies in FOLDER; a file that was changed since it was signed is refused. Safe to
    repeat: the same report has one entry.
    """
    from ledger.service.report.issuing import RECEIPT
    from ledger.service.report.issuing import issue as enter
    from ledger.wiring import open_studio
    from ledger.wiring.reports.standing import kept_reports

    place = home()
    with open_studio(place) as studio:
        index, report = enter(studio, kept_reports(place), folder)
    click.echo(printable(f"{folder / RECEIPT}"))
    click.echo(printable(f"issued: {report.identifier} is entry {index}"))


@reports.command("import", epilog=examples("rakkan reports import bundle.zip --trust trust.json"))
@click.argument("bundle", type=PATH)
@click.option("--trust", "trust_file", type=PATH, required=True, help="The studio's trust.json.")
def import_(bundle: Path, trust_file: Path) -> None:
    """Check a bundle that you were given, and keep it: from then on `rakkan verify` knows its files.

    Only a bundle that the trust root proves is kept. Get trust.json on another way than the bundle. Needs no
    ledger and no network.
    """
    from ledger.cli.common import home_folder
    from ledger.service.files import read_whole
    from ledger.wiring.received import take

    place = take(home_folder(), bundle, read_whole(trust_file, MAX_TRUST))
    click.echo(printable(f"{place}"))


@reports.command(epilog=examples("rakkan reports verifier --out verify.pyz"))
@click.option("--out", type=PATH, required=True, help="Where to write it.")
def verifier(out: Path) -> None:
    """Write the program that checks a bundle alone, and print its SHA-256.

    It is the same file for every report that this version of Rakkan makes: compare it with one that came
    with a bundle.
    """
    from ledger.adapters.verifier_app import verifier_app
    from ledger.core.digest import sha256_hex
    from ledger.service.files import write_new

    write_new(out, verifier_app())
    click.echo(printable(f"{sha256_hex(verifier_app())}  {out}"))


@reports.command(epilog=examples("rakkan reports changes handover-1 handover-2"))
@click.argument("old", type=PATH)
@click.argument("new", type=PATH)
@json_option
def changes(old: Path, new: Path, *, as_json: bool) -> None:
    """List what changed from the report OLD to the report NEW: answers, findings, files, the policy.

    Each is a report.json, or a folder or a bundle.zip that holds one. Needs no ledger and no network, and
    believes both: `rakkan reports watch` and the bundle's own verifier say whether they are to be believed.
    """
    from ledger.core.audit.changes import changes as compare
    from ledger.core.audit.changes import side

    table = compare(side(_read(old)), side(_read(new)))
    if as_json:
        keys = [column.key for column in table.schema.columns]
        print_json([_document(keys, row) for row in table.shown])
        return
    if not table.rows:
        click.echo("Nothing changed.")
    for row in table.shown:
        click.echo(printable(_line(row)))


@reports.command(
    epilog=examples(
        "rakkan reports watch handover --log https://studio.example/log --trust trust.json",
        "rakkan reports watch handover --server https://ledger.studio.example --trust trust.json --json",
    )
)
@click.argument("report", type=PATH)
@click.option("--log", "place", help="The published log, a URL or a folder.")
@click.option("--server", metavar="URL", help="The studio's server. It is shown the token in RAKKAN_TOKEN.")
@click.option("--trust", type=PATH, required=True, help="The studio's trust root, as it was handed over.")
@json_option
def watch(report: Path, place: str | None, server: str | None, trust: Path, *, as_json: bool) -> int:
    """Say which verdicts of REPORT have changed since, and whether a newer report is out.

    REPORT is a report.json, or a folder or a bundle.zip that holds one. What the log says now is proven to
    continue the tree that the report stands on. Keeps nothing: safe to run as often as wanted.

    Exit code, by the news: 0 it stands, 3 a person has to look (also: not issued, not all could be read),
    4 now blocked; 1 the log or the report was changed, 2 usage.
    """
    from ledger.wiring.watching import look

    if (place is None) == (server is None):
        raise click.UsageError("Give --log or --server.")
    found = look(report, trust, place, server)
    if as_json:
        print_json(found.to_json())
    else:
        for line in _watched_lines(found):
            click.echo(printable(line))
    return found.exit_code


def _watched_lines(found: Watched) -> Iterator[str]:
    head, since = found.report.head, found.since
    proven = f"has {found.size} entries now, and begins with the {head.size} of then (proven)."
    yield f"{head.identifier}: {head.origin} {proven}"
    if since.issued is None:
        yield "The log holds no entry that issues this report: a draft, or not as it was issued."
    for item in found.changed:
        proven = "" if item.told.proven else ", told by the server and not proven"
        name = item.name or item.sha256[:16]
        yield f"{name}: {item.before} → {item.told.now} (entry {item.told.index}{proven})"
    for index, newer in since.newer:
        yield f"A newer report is out: {newer.identifier} (entry {index}), {newer.verdict_now}."
    if since.unsure:
        yield f"Nobody here can say whose word these entries are: {', '.join(map(str, since.unsure))}."
    if not since.read:
        yield "The entries themselves are not shown to us: what the server tells is not proven."
    if not (found.changed or since.newer):
        yield "No verdict of it has changed since."


def _read(path: Path) -> Report:
    from ledger.service.report.reading import read_report

    return read_report(path)


def _document(keys: list[str], row: Row) -> dict[str, Any]:
    from ledger.core.audit.document import cell_to_json

    return {key: cell_to_json(cell) for key, cell in zip(keys, row, strict=True)}


def _line(row: Row) -> str:
    from ledger.core.audit import Hidden

    _, kind, name, before, after, files, _ = row
    where = "(hidden in this view)" if isinstance(name, Hidden) else name
    counted = None if files is None else f"{files} file" if files == 1 else f"{files} files"
    moved = " → ".join(str(item) for item in (before, after) if item is not None)
    return "  ".join(part for part in (kind, where, moved, counted) if part)
