"""``rakkan run``: its help, and what is wrong with its options. The work is ``ledger.hooks.trace``.

Typed at a shell, a call without a fault never comes here: see ``ledger/_start.py``.
"""

from __future__ import annotations

from typing import Any

import click

from ledger.cli.common import examples
from ledger.hooks.trace.options import OPTIONS, Option


class _Form(click.ParamType[str]):
    """What an option takes that is no choice."""

    name = "text"

    def __init__(self, option: Option) -> None:
        self._option = option

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text as it is."""
        if not self._option.takes(value):
            self.fail(f"{value!r} is not of this form", param, ctx)
        return str(value)


def _shown(option: Option) -> click.Option:
    kind = click.Choice(option.choices) if option.choices else _Form(option)
    return click.Option([f"--{option.name}"], type=kind, help=option.explained)


@click.command(
    context_settings={"allow_interspersed_args": False},
    params=[
        *map(_shown, OPTIONS),
        click.Argument(["command"], nargs=-1, required=True, type=click.UNPROCESSED),
    ],
    epilog=examples(
        "rakkan run -- ffmpeg -i plate.%04d.png cut.mp4",
        "rakkan run --shot sh010 --task comp -- convert fg.png bg.png -composite comp.png",
        "rakkan run -- python train_lora.py nightfall.toml",
    ),
)
def run(command: tuple[str, ...], **chosen: str | None) -> Any:
    """Run any command, and record which files it read and wrote.

    The command's output, exit code and signals are its own: 127 when it is not found, 126 when it cannot be
    executed, 125 when the production allows no work without a record.
    """
    from ledger.hooks.trace.run import run as traced

    return traced(list(command), {name: value for name, value in chosen.items() if value is not None})
