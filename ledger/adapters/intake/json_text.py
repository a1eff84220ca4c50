"""JSON as strangers write it: fractions allowed, everything else strict.

* UTF-8; no member twice: two readers could each take another one;
* at most ``MAX_DEPTH`` levels of arrays and objects;
* a number that is no integer of up to 18 digits comes as its text: nothing is rounded on the way.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from ledger.adapters.intake.values import malformed

MAX_DEPTH = 64


def load_json(data: bytes | str, place: str) -> Any:
    """Return the value. Raises ``MalformedError("intake.malformed")``, naming ``place``."""
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
        value = json.loads(
            text,
            object_pairs_hook=_members,
            parse_float=str,
            parse_int=lambda digits: int(digits) if len(digits) <= 18 else digits,
            parse_constant=_no_number,
        )
    except UnicodeDecodeError as error:
        raise malformed(place, f"is not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise malformed(place, f"is not JSON at character {error.pos}: {error.msg}") from error
    except _RefusedError as error:
        raise malformed(place, str(error)) from error
    except RecursionError as error:
        raise malformed(place, f"nests deeper than {MAX_DEPTH} levels") from error
    _check_depth(value, place)
    return value


class _RefusedError(Exception):
    """Well-formed for the library, and not for us."""


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise _RefusedError(f"has the member {twice[:80]!r} twice")
    return members


def _no_number(word: str) -> Any:
    raise _RefusedError(f"holds {word}, which is not JSON")


def _check_depth(value: object, place: str) -> None:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        level = [
            child
            for item in level
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, dict | list)
        ]
    if level:
        raise malformed(place, f"nests deeper than {MAX_DEPTH} levels")
