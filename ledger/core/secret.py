"""A text that nothing prints: neither a traceback, nor a log, nor `rakkan config show`."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Secret:
    """Holds the text. Ask for it where it is used, and nowhere else."""

    text: str = field(repr=False)

    def __str__(self) -> str:
        return "(secret)"
