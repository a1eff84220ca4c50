"""How the demo tells what it does: plain lines, or on a terminal the same in colour with a moving bar."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")


class Narrator(Protocol):
    """Says what happens, in order, on standard output."""

    def chapter(self, title: str) -> None:
        """Begin a part."""

    def line(self, text: str) -> None:
        """Say one thing that is done."""

    def verdict(self, text: str, *, good: bool) -> None:
        """Say one answer, marked."""

    def follow(self, items: Sequence[T], doing: str) -> Iterator[T]:
        """Yield the items while showing how far it is."""


class PlainNarrator:
    """One line for each thing: for logs, pipes and tests."""

    def chapter(self, title: str) -> None:
        """Begin a part."""
        self._write(f"\n{title}")

    def line(self, text: str) -> None:
        """Say one thing that is done."""
        self._write(f"  {text}")

    def verdict(self, text: str, *, good: bool) -> None:
        """Say one answer, marked."""
        self._write(f"  {'✓' if good else '✕'} {text}")

    def follow(self, items: Iterable[T], doing: str) -> Iterator[T]:
        """Yield the items."""
        yield from items

    def _write(self, text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


class RichNarrator:
    """The same on a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def chapter(self, title: str) -> None:
        """Begin a part."""
        self._console.print(f"\n{title}", style="bold", markup=False, highlight=False)

    def line(self, text: str) -> None:
        """Say one thing that is done."""
        self._console.print(f"  {text}", markup=False, highlight=False, soft_wrap=True)

    def verdict(self, text: str, *, good: bool) -> None:
        """Say one answer, marked."""
        from rich.text import Text

        mark, style = ("  ✓ ", "green") if good else ("  ✕ ", "red")
        self._console.print(Text.assemble((mark, style), text), highlight=False, soft_wrap=True)

    def follow(self, items: Sequence[T], doing: str) -> Iterator[T]:
        """Yield the items under a bar that goes away at the end."""
        from rich.progress import track

        yield from track(items, f"  {doing}", console=self._console, transient=True)


def narrator() -> Narrator:
    """Return the one that suits where standard output goes."""
    if not sys.stdout.isatty():
        return PlainNarrator()
    from rich.console import Console

    return RichNarrator(Console())
