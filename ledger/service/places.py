"""Which shot something belongs to; and which one an unexplained file does, as its path says by a pattern.

``{sequence}/{shot}/{task}`` means: the folder below the root is the sequence, the one in it the shot. A part
may have letters around the name (``sq_{sequence}``); ``*`` is any part, or any rest of one. A file lies in
the named folder or deeper. Nothing is guessed: a path that the pattern does not fit has no place.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ledger.errors import UsageError

_NAMES = ("episode", "sequence", "shot", "task")
NO_NAME = "-"
"""Stands, among the names of a place, for one that it does not have."""
_TOKEN = re.compile(r"\{(\w*)\}|(\*)|([^{}*]+)|(.)")


class Place(NamedTuple):
    """Which shot: the names of its episode, its sequence and itself; ``None`` where there is none.

    All three are its identity: two episodes may both have sq010/sh020.
    """

    episode: str | None = None
    sequence: str | None = None
    shot: str | None = None

    @property
    def words(self) -> str:
        """Return it as somebody writes it: ``sq010/sh020``; in an episode always of three.

        ``ep03/sq010/sh020``, ``ep03/-/sh020``; nothing for no names.
        """
        if self.episode is None:
            return "/".join(part for part in self if part)
        return "/".join(part or NO_NAME for part in self)


def place_pattern(text: str) -> re.Pattern[str]:
    """Return what a path from the root is matched with. Raises ``UsageError("coverage.place")``."""
    found = _TOKEN.findall(text.strip("/"))
    named = [name for name, star, letters, stray in found if not (star or letters)]
    if "shot" not in named or set(named) - set(_NAMES) or len(set(named)) != len(named):
        names = ", ".join(f"{{{name}}}" for name in _NAMES)
        raise UsageError("coverage.place", f"{text!r} must name {{shot}}, and of {names} each at most once.")
    parts = (
        f"(?P<{name}>[^/]+?)" if name else "[^/]*" if star else re.escape(letters)
        for name, star, letters, _ in found
    )
    return re.compile("".join(parts) + "/", re.DOTALL)


def shot_at(pattern: re.Pattern[str], path: str) -> str | None:
    """Return the shot that a path lies in, such as ``sq010/sh020``, or ``None``."""
    found = pattern.match(path)
    return found and Place(**{name: found.groupdict().get(name) for name in Place._fields}).words
