"""The options of ``rakkan run``, defined once: for the quick reader here, and for the help page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ledger.hooks.trace.choose import CHOICES

ACTIONS = ("generate", "edit", "composite", "draw", "render", "convert", "import")
EVENTS = ("save", "publish", "final")


class Option:
    """``--name VALUE``. ``choices`` are all that it takes, ``shape`` what its value must look like."""

    def __init__(
        self, name: str, explained: str, choices: Sequence[str] = (), shape: str = r"[^-].*"
    ) -> None:
        self.name = name
        self.explained = explained
        self.choices = choices
        self.shape = shape

    def takes(self, value: str) -> bool:
        """Whether a value is allowed."""
        return value in self.choices if self.choices else re.fullmatch(self.shape, value) is not None


OPTIONS = (
    Option("episode", "The episode that is worked on."),
    Option("sequence", "The sequence that is worked on."),
    Option("shot", "The shot."),
    Option("task", "The task, such as comp."),
    Option("version", "The version of the work, such as v003."),
    Option("frames", "The frames, such as 1001-1096.", shape=r"[0-9]{1,9}(-[0-9]{1,9})?"),
    Option("event", "What the outputs are.", choices=EVENTS),
    Option("action", "What the command does, where its name and its files do not say.", choices=ACTIONS),
    Option("tool", 'The tool, as "NAME VERSION", where the command is only its wrapper.'),
    Option("tracer", "How to look on (default: RAKKAN_TRACER, else auto).", choices=CHOICES),
)
_BY_NAME = {"--" + option.name: option for option in OPTIONS}


def parse(arguments: Sequence[str]) -> tuple[Mapping[str, str], list[str]] | None:
    """Return the options given and the command; ``None`` for anything that needs a word to the user."""
    chosen = {}
    rest = list(arguments)
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        if word == "--":
            break
        name, equals, value = word.partition("=")
        option = _BY_NAME.get(name)
        if option is None or not (equals or rest):
            return None
        if not equals:
            value = rest.pop(0)
        if not option.takes(value):
            return None
        chosen[option.name] = value
    return (chosen, rest) if rest else None


def frames(text: str) -> list[int]:
    """Return the first and the last frame."""
    first, _, last = text.partition("-")
    return sorted((int(first), int(last or first)))
