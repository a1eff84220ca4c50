"""Where in the production an unexplained file lies, as its path says, by a pattern that somebody gave.

``{sequence}/{shot}/{task}`` means: the folder below the root is the sequence, the one in it the shot. A part
may have letters around the name (``sq_{sequence}``); ``*`` is any part, or any rest of one. A file lies in
the named folder or deeper. Nothing is guessed: a path that the pattern does not fit has no place.
"""

from __future__ import annotations

import re

from ledger.errors import UsageError

_NAMES = ("sequence", "shot", "task")
_TOKEN = re.compile(r"\{(\w*)\}|(\*)|([^{}*]+)|(.)")


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
    return found and shot_name(found.groupdict().get("sequence"), found["shot"])


def shot_name(sequence: str | None, shot: str | None) -> str | None:
    """Return how a shot is called, such as ``sq010/sh020``; ``None`` where there is no shot."""
    return shot and "/".join(part for part in (sequence, shot) if part)
