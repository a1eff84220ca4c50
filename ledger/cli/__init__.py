"""The command ``rakkan``: one file per group of commands, each loaded only when it is asked for.

* Exit codes, the same for every command: 0 done or proven · 1 altered · 2 usage · 3 cannot decide · 4 blocked
  by the policy · 70 a bug; 130 after Ctrl-C, 141 when nobody reads the output any more, as shells have them.
* The answer goes to standard output, everything else to standard error. With ``--json`` an error is one JSON
  document there, too.
* What a stranger's file says is shown without its control characters: it must not write our verdict.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import click

import ledger
from ledger.cli.common import as_document, examples, printable
from ledger.errors import RakkanError

if ledger.__dist__ != "rakkan":  # pragma: no cover - only with another package named ledger on the path
    raise ImportError(f"another package named ledger is first on sys.path: {ledger.__file__}")

STOPPED = 130  # 128 + SIGINT
UNREAD = 141  # 128 + SIGPIPE
COMMANDS = {
    "demo": "ledger.cli.demo:demo",
    "init": "ledger.cli.studio:init",
    "enrol": "ledger.cli.studio:enrol",
    "dataset": "ledger.cli.registry:dataset",
    "model": "ledger.cli.registry:model",
    "grant": "ledger.cli.registry:grant",
    "rights": "ledger.cli.rights:rights",
    "inventory": "ledger.cli.inventory:inventory",
    "key": "ledger.cli.keys:key",
    "record": "ledger.cli.work:record",
    "erase": "ledger.cli.erase:erase",
    "run": "ledger.cli.run:run",
    "cut": "ledger.cli.cut:cut",
    "tie": "ledger.cli.tie:tie",
    "seal": "ledger.cli.work:seal",
    "verify": "ledger.cli.verify:verify",
    "read": "ledger.cli.read:read",
    "clear": "ledger.cli.clear:clear",
    "why": "ledger.cli.clear:why",
    "impact": "ledger.cli.clear:impact",
    "recheck": "ledger.cli.clear:recheck",
    "bom": "ledger.cli.bom:bom",
    "report": "ledger.cli.report:report",
    "ask": "ledger.cli.ask:ask",
    "reports": "ledger.cli.reports:reports",
    "label": "ledger.cli.label:label",
    "coverage": "ledger.cli.coverage:coverage",
    "calls": "ledger.cli.calls:calls",
    "hooks": "ledger.cli.hooks:hooks",
    "profile": "ledger.cli.profile:profile",
    "show": "ledger.cli.log:show",
    "export": "ledger.cli.log:export",
    "consistency": "ledger.cli.consistency:consistency",
    "publish": "ledger.cli.log:publish",
    "webhook": "ledger.cli.webhook:webhook",
    "witness": "ledger.cli.witness:witness",
    "alarm": "ledger.cli.witness:alarm",
    "rebuild": "ledger.cli.log:rebuild",
    "fsck": "ledger.cli.care:fsck",
    "recover": "ledger.cli.care:recover",
    "backup": "ledger.cli.backup:backup",
    "restore": "ledger.cli.backup:restore",
    "monitor": "ledger.cli.monitor:monitor",
    "serve": "ledger.cli.serve:serve",
    "token": "ledger.cli.token:token",
    "share": "ledger.cli.share:share",
    "config": "ledger.cli.config:config",
    "agent": "ledger.cli.agent:agent",
    "devices": "ledger.cli.agent:devices",
    "doctor": "ledger.cli.agent:doctor",
}


class _Commands(click.Group):
    """Loads a command's module when the command is named: `rakkan verify` must not pay for the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        'rakkan init --studio "Studio Kumo" --production nightfall',
        'rakkan record night.png --action generate --tool "painter 1.0"',
        "rakkan seal night.png",
        "rakkan verify night.png",
    ),
)
@click.version_option(ledger.__version__, prog_name="rakkan")
def rakkan() -> None:
    """Rakkan: prove which licensed models and datasets produced each frame.

    Start with `rakkan demo`. The studio's folder is RAKKAN_HOME (default ~/.rakkan); RAKKAN_PASSPHRASE, when
    set, encrypts its keys.

    Exit codes: 0 done or proven, 1 altered, 2 usage, 3 cannot decide, 4 blocked, 70 a bug.
    """


def main(arguments: list[str] | None = None) -> Any:
    """Run the command and exit with its code."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        code = rakkan.main(args=given, prog_name="rakkan", standalone_mode=False, color=_colour())
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(STOPPED)
    except RakkanError as error:
        _show(error, as_json="--json" in given)
        sys.exit(error.exit_code)
    except SystemExit:
        # Click ends so, with 1, when the reader of a pipe has gone (`| head`); 1 is our word for altered.
        sys.exit(UNREAD)
    except Exception as error:  # noqa: BLE001 - the last place that can say something useful
        _show_bug(error)
        sys.exit(70)
    sys.exit(code if isinstance(code, int) else 0)


def _show(error: RakkanError, *, as_json: bool) -> None:
    if as_json:
        click.echo(as_document({"error": error.to_json()}), err=True)
        return
    colour = _colour()
    title = click.style("error", fg="red", bold=True)
    click.echo(f"{title}: {printable(str(error))}", err=True, color=colour)
    click.echo(f"{click.style('what to do', bold=True)}: {error.hint}", err=True, color=colour)


def _colour() -> bool | None:
    """Return ``False`` where nobody wants colours (no-color.org), else ``None``: the terminal decides."""
    return False if os.environ.get("NO_COLOR") else None


def _show_bug(error: Exception) -> None:
    import traceback

    traceback.print_exception(error)
    click.echo(
        "This is a bug in Rakkan. Nothing that was acknowledged is lost. Please report the lines above.",
        err=True,
    )
