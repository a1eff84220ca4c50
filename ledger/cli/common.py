"""What several commands share: where the studio is, how a time is written, how JSON is printed."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from ledger.core.fields import parse_time
from ledger.core.text import escaped

if TYPE_CHECKING:
    from ledger.adapters.home import Home

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
device_option = click.option(
    "--device",
    envvar="RAKKAN_DEVICE",
    default="workstation",
    show_default=True,
    help="The enrolled device that acts.",
)
REGISTRAR = "registrar"


def home_folder() -> Path:
    """Return the studio's folder, whether it exists or not."""
    named = os.environ.get("RAKKAN_HOME")
    # `~` is the shell's to expand; a name that holds one by accident would raise where nobody has a home.
    return Path(named) if named else Path(os.path.expanduser("~")) / ".rakkan"  # noqa: PTH111 - never raises


def home() -> Home:
    """Return the studio's home. Its files are read only when they are needed."""
    from ledger.wiring import home_at

    return home_at(home_folder())


def examples(*lines: str) -> str:
    """Return the end of a help page: what to type."""
    shown = "\n".join(f"  {line}" for line in lines)
    return f"\b\nExample{'s' if len(lines) > 1 else ''}:\n{shown}"


def print_json(value: Any) -> None:
    """Print a document for a program."""
    click.echo(as_document(value))


def as_document(value: Any) -> str:
    """Return JSON laid out for a person, and safe to show: a terminal obeys control characters."""
    return escaped(json.dumps(value, ensure_ascii=False, indent=2))


def printable(text: str) -> str:
    """Return a text as a terminal may show it: control and direction characters, and line feeds, escaped."""
    return escaped(text.replace("\n", "\\n"))


@contextmanager
def until_stopped() -> Iterator[Event]:
    """Yield what SIGTERM sets. A turn that has begun is finished, so that nothing is left half written."""
    stopped = Event()
    before = signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGTERM, before)


class Moment(click.ParamType[datetime]):
    """A day (``2026-11-22``, its start in UTC) or a moment (``2026-11-22T03:00:00Z``)."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return an aware moment in UTC."""
        if isinstance(value, datetime):
            return value
        try:
            return parse_time(f"{value}T00:00:00Z" if len(value) == len("2026-11-22") else value).astimezone(
                UTC
            )
        except ValueError:
            self.fail(
                f"{value!r} is neither a day such as 2026-11-22 nor a moment such as 2026-11-22T03:00:00Z",
                param,
                ctx,
            )
