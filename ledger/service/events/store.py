"""What events are read from, and where webhooks are kept: ports, each with its adapter on SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ledger.core.artifact import Artifact


@dataclass(frozen=True, slots=True)
class EventRow:
    """An entry as an event needs it. ``received`` is RFC 3339, UTC: when the log took the entry in.

    ``subjects`` are its first ones, as many as were asked for; ``more`` says that it has others.
    """

    index: int
    predicate_type: str
    received: str
    subjects: tuple[Artifact, ...]
    more: bool


class EventStore(Protocol):
    """The entries of one log, to be told of."""

    def size(self) -> int:
        """Return the log's size, as cheaply as can be."""

    def rows(
        self, predicate_types: Sequence[str], start: int, stop: int, limit: int, subjects: int
    ) -> Sequence[EventRow]:
        """Return the entries of these types in ``start <= index < stop``, in order, at most ``limit``."""
