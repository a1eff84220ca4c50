"""`rakkan bom`: what a delivery is made of, in the forms that other people's tools read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import ledger
from ledger.cli.clear import asking
from ledger.cli.common import as_document, examples, home, printable

if TYPE_CHECKING:
    from ledger.core.rights.bill import Bill
    from ledger.service.clear.question import Seen
    from ledger.service.clear.recorded import Target
    from ledger.service.studio import Studio

FORMATS = ("cyclonedx", "spdx", "odrl")


@click.command(
    epilog=examples(
        "rakkan bom sq010/sh020 --format spdx --out sh020.spdx.json",
        "rakkan bom . --format cyclonedx --policy broadcast-jp --out nightfall.cdx.json",
        "rakkan bom night.png --format odrl",
    )
)
@click.argument("targets", nargs=-1, required=True, metavar="TARGET…")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default=FORMATS[0],
    show_default=True,
    help="CycloneDX 1.7 ML-BOM, SPDX 3.0.1 (AI and Dataset), or the grants as ODRL 2.2 agreements.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Write it to this file.")
@asking
def bom(targets: tuple[str, ...], form: str, out: Path | None, **said: Any) -> None:
    """Write the bill of materials of TARGETs: every model, dataset, service and outside picture under them.

    TARGETs are those of `rakkan clear`. With --policy, CycloneDX carries the verdict as a claim. The names of
    parties that are persons stay pseudonyms. What nobody registered is in the bill, and says so.
    """
    from ledger.errors import UsageError
    from ledger.render.cyclonedx import to_cyclonedx
    from ledger.render.odrl import to_odrl
    from ledger.render.spdx import to_spdx
    from ledger.service.clear.question import see
    from ledger.service.clear.targets import resolve
    from ledger.service.files import write_new
    from ledger.wiring import open_studio

    with open_studio(home()) as studio:
        seen = see(studio, said["known"])
        found = resolve(studio, targets)
        if not any(target.files for target in found):
            raise UsageError("log.no-such-entry", "No record explains any of these files.")
        bill = _bill(studio, seen, found, said)
    if bill.unexplained:
        names = ", ".join(item.name for item in bill.unexplained)
        click.echo(printable(f"warning: no record explains {names}; the bill says so."), err=True)
    version = ledger.__version__
    document = {
        "cyclonedx": lambda: to_cyclonedx(bill, version),
        "spdx": lambda: to_spdx(bill, version),
        "odrl": lambda: to_odrl(bill),
    }[form]()
    text = as_document(document) + "\n"
    if out is None:
        click.echo(text, nl=False)
        return
    write_new(out, text.encode())
    click.echo(f"{out}: files: {len(bill.subjects)}, models: {len(bill.materials.models)}.", err=True)


def _bill(studio: Studio, seen: Seen, found: tuple[Target, ...], said: dict[str, Any]) -> Bill:
    from ledger.cli.clear import asked_of, policy_of
    from ledger.service.clear.clear import clear
    from ledger.service.clear.question import ask, clearer_over
    from ledger.service.report.bill import bill_of, judgement_of

    judgement = None
    if said["policy"] is not None:
        question = ask(studio, policy_of(said), asked_of(said))
        judgement = judgement_of(clear(clearer_over(seen, question), found))
    return bill_of(studio, seen, found, studio.clock.now(), judgement)
