"""Strangers' text made safe to show where nothing but text can be shown."""

from __future__ import annotations

import re

_UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def escaped(text: str) -> str:
    """Return the text with control and direction characters as escapes, line feeds apart.

    Names come from strangers' files. One that moves the cursor, or turns the line around, could write a
    verdict over ours.
    """
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
