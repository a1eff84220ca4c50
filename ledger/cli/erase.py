"""`rakkan erase`: take away what a commitment opens to, and keep every proof."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.cli.common import REGISTRAR, examples, home, printable
from ledger.core.predicates.erasure import ErasureReason

if TYPE_CHECKING:
    from ledger.service.erase import ErasurePlan
    from ledger.service.studio import Studio

DIGEST = re.compile(r"[A-Za-z0-9_-]{43}")


class TakesDigests(click.Command):
    """A command that takes digests in base64url: one of 64 begins with ``-``, and is no option for that."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take such arguments as what they are, wherever they stand."""
        digests = [item for item in args if item.startswith("-") and DIGEST.fullmatch(item)]
        rest = [item for item in args if item not in digests]
        return super().parse_args(ctx, [*rest, "--", *digests] if digests else rest)


@click.command(
    cls=TakesDigests,
    epilog=examples(
        "rakkan erase night.png --field prompt --why data-subject-request",
        "rakkan erase --again",
    ),
)
@click.argument("what", required=False)
@click.option("--field", help="Erase only what was committed to under this name, such as prompt.")
@click.option(
    "--why", type=click.Choice([reason.value for reason in ErasureReason]), help="The reason. Enters the log."
)
@click.option("--note", help="More about the reason. Enters the log only as a salted digest.")
@click.option("--dry-run", is_flag=True, help="Only say what would be erased.")
@click.option("--again", is_flag=True, help="Erase what the log says was erased: after restoring a backup.")
def erase(
    what: str | None, field: str | None, why: str | None, note: str | None, *, dry_run: bool, again: bool
) -> None:
    """Erase the openings (prompts, names, contracts) behind the commitments of WHAT. There is no way back.

    WHAT is an entry's index, a file, its SHA-256, or one digest as it stands in `_sd`. The erasure is an
    entry itself; it does not say what was erased. Every receipt, seal and proof still holds. Safe to repeat.
    """
    from ledger.service import erase as service
    from ledger.wiring import open_device, open_studio

    if again == (what is not None) or not (again or dry_run or why):
        raise click.UsageError("Give WHAT and --why, or --again alone.")
    place = home()
    with open_studio(place) as studio:
        if what is None:
            click.echo(f"Openings that had come back and were erased again: {service.again(studio)}.")
            return
        chosen = _chosen(studio, what, field)
        if why is not None and not dry_run:
            done = service.erase(studio, open_device(place, REGISTRAR), chosen, ErasureReason(why), note)
            click.echo(_said(chosen, done.entry))
            return
    for digest, name in chosen.openings.items():
        click.echo(printable(f"{name} {digest}"))
    click.echo(f"Nothing was erased. This would erase the above of entry {chosen.index}.")


def _chosen(studio: Studio, what: str, field: str | None) -> ErasurePlan:
    from ledger.service.erase import committing, plan, recording
    from ledger.service.files import identify

    if what.isascii() and what.isdigit() and len(what) < len("18446744073709551615"):
        return plan(studio, int(what), field=field)
    if os.path.lexists(what):
        return plan(studio, recording(studio, identify(Path(what)).sha256), field=field)
    if DIGEST.fullmatch(what):
        return plan(studio, committing(studio, what), digest=what, field=field)
    return plan(studio, recording(studio, what), field=field)


def _said(chosen: ErasurePlan, entry: int | None) -> str:
    names = printable(", ".join(sorted(chosen.openings.values())))
    if entry is not None:
        return f"Erased of entry {chosen.index}: {names}. The erasure is entry {entry}."
    first = min(chosen.declared.values(), key=lambda item: item.entry)
    return f"Erased already, on {first.erased:%Y-%m-%d} (entry {first.entry}); made sure of it."
