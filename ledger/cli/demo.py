"""`rakkan demo`: a tiny production from brush to proof, and what an attacker gets."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

import click


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("rakkan-demo"),
    show_default=True,
    help="The folder to fill: new or empty.",
)
@click.option("--force", is_flag=True, help="Move an older demo in that folder aside first.")
def demo(out: Path, *, force: bool) -> int:
    r"""Make a short cut; seal, prove, clear and attack it. Exit code 70 when an answer is not the right one.

    \b
    Example:
      rakkan demo --out moonrise
    """
    from ledger.demo.narrator import narrator
    from ledger.demo.run import run

    result = run(out.absolute(), narrator(), force=force)
    click.echo(next_steps(result.folders.root))
    if not result.as_expected:
        click.echo("An answer was not the expected one: see the lines marked ✕ above.", err=True)
        return 70
    return 0


def next_steps(root: Path) -> str:
    """Return what to try next, as commands for a POSIX shell that really work."""
    rakkan, shown = _command(), shlex.quote(str(root))
    return f"""
Look around in it, as a producer, a lawyer, a distributor or anybody, in a browser:
  {rakkan} serve --demo {shown}

Open {root / "index.html"} in a browser, then the audit report: {root / "report/report.html"}.

The same with a file of your own (the original stays as it is):
  export RAKKAN_HOME={shown}/home
  {rakkan} record my-picture.png --action draw --tool 'Krita 5.2'
  {rakkan} seal my-picture.png --out {shown}/yours
  {rakkan} verify {shown}/yours/my-picture.png --offline --trust {shown}/trust.json

And the demo's own:
  {rakkan} verify {shown}/files/sh020.final.1006.png --offline --trust {shown}/trust.json
  {rakkan} verify {shown}/attacked/flipped-pixel.png --offline --trust {shown}/trust.json
  {rakkan} show {shown}/files/sh020.final.1006.png
  {rakkan} clear {shown}/files/sh020.final.1006.png --policy strict-authorised-only
  {rakkan} why {shown}/attacked/unlicensed-model.png
  {rakkan} inventory check {shown}/proofs/valley.json --work {shown}/proofs/valley.png"""


def _command() -> str:
    """Return how to call this program again from the same folder and shell."""
    called = Path(sys.argv[0])
    if called == Path("ledger", "__main__.py").absolute():
        return "python3 -m ledger"
    beside = Path(sys.executable).with_name("rakkan")
    if shutil.which("rakkan") or not beside.exists():
        return "rakkan"
    return shlex.quote(str(beside))
