"""One JSON value, one byte string: what Rakkan signs and what it accepts.

Rules (docs/spec/entry.md §Canonical JSON; RFC 8785 restricted to values that every language keeps):

* UTF-8 without a byte order mark, no white space between tokens;
* object members sorted by the UTF-16 code units of their names, no name twice;
* integers within ±(2^53 - 1); no other numbers: decimals and larger integers are strings;
* strings escape only what RFC 8785 §3.2.2.2 escapes; no lone surrogates;
* at most 32 levels of arrays and objects inside one another.

``decode`` accepts exactly what ``encode`` can produce: it parses, encodes again and compares the bytes.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from ledger.errors import MalformedError

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 32

_PAIRED = re.compile(rb"[\xf0-\xff]")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
_SQUARE = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))
# Made once: making one takes a good part of the time of using it.
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_sorting = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, sort_keys=True)

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]


def encode(value: Any) -> bytes:
    """Return the canonical bytes of a JSON value.

    Raises ``MalformedError`` with ``json.number`` for floats and integers out of range, ``json.too-deep``,
    or ``json.malformed`` for anything JSON cannot hold.
    """
    try:
        return _encoder.encode(_ordered(value, 1)).encode()
    except UnicodeEncodeError as error:
        raise MalformedError("json.malformed", "A string holds half of a surrogate pair.") from error


def decode(data: bytes) -> Any:
    """Return the value of canonical bytes.

    Raises ``MalformedError``: ``json.malformed``, ``json.duplicate-key``, ``json.number``,
    ``json.too-deep``, or ``json.not-canonical`` when the bytes are JSON but not the canonical form.
    """
    value = load(data)
    if not matches(value, data):
        raise MalformedError("json.not-canonical", "The JSON is not in canonical form.")
    return value


def matches(value: Any, data: bytes) -> bool:
    """Whether these are the canonical bytes of the value. Raises as ``encode`` does."""
    # The library's own sorting is by code points. That is the same order where no character needs a pair of
    # UTF-16 units (4 bytes of UTF-8, the first at least F0), and it is eight times as fast.
    if (data.isascii() or not _PAIRED.search(data)) and _is_shallow(data):
        try:
            found = _sorting.encode(value).encode()
        except (ValueError, TypeError):
            found = b""
        if found == data:
            return True
    return encode(value) == data


def _is_shallow(data: bytes) -> bool:
    """Whether JSON has no more levels than are allowed. Of what is no JSON, it may say either."""
    if data.count(b"{") + data.count(b"[") <= MAX_DEPTH:
        return True
    brackets = _STRING.sub(b"", data).translate(_SQUARE, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"")  # the innermost level
    return not brackets


def parse(data: bytes) -> Any:
    """Return the value of strict JSON in any layout: for files that people write, such as a trust root.

    Raises as ``decode`` does, except for ``json.not-canonical``.
    """
    value = load(data)
    encode(value)  # what has no canonical form (half a surrogate pair, too many levels) is refused here too
    return value


def load(data: bytes) -> Any:
    """Return the value of strict JSON in any layout, for whoever compares the bytes in another way.

    Raises as ``decode`` does for what is no JSON, a name twice, and numbers; the rest is not looked at.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise MalformedError("json.malformed", "The JSON is not UTF-8.", offset=error.start) from error
    try:
        return _decoder.decode(text)
    except json.JSONDecodeError as error:
        raise MalformedError("json.malformed", f"Not JSON: {error.msg}.", offset=error.pos) from error
    except RecursionError as error:
        raise MalformedError("json.too-deep", "The JSON nests too deeply.") from error


def _ordered(value: Any, level: int) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return _checked(value)
    if isinstance(value, float):
        return _no_float(repr(value))
    if isinstance(value, list | tuple | dict) and level > MAX_DEPTH:
        raise MalformedError("json.too-deep", f"The JSON nests deeper than {MAX_DEPTH} levels.")
    if isinstance(value, list | tuple):
        return [_ordered(item, level + 1) for item in value]
    if isinstance(value, dict):
        return {name: _ordered(value[name], level + 1) for name in sorted(value, key=utf16)}
    raise MalformedError("json.malformed", f"JSON has no form for {type(value).__name__}.")


def utf16(name: object) -> bytes:
    """Return what members' names are sorted by: their UTF-16 code units.

    Raises ``MalformedError("json.malformed")`` for what is no string.
    """
    if not isinstance(name, str):
        raise MalformedError("json.malformed", "A JSON member's name is a string.")
    return name.encode("utf-16-be", "surrogatepass")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        times = Counter(name for name, _ in pairs)
        name = next(name for name in times if times[name] > 1)
        raise MalformedError("json.duplicate-key", f"The member {name[:80]!r} occurs twice.")
    return members


def _integer(digits: str) -> int:
    if len(digits) > len(str(-MAX_INTEGER)):
        raise MalformedError("json.number", f"The integer {digits[:20]}… is beyond 2^53.")
    return _checked(int(digits))


def _checked(number: int) -> int:
    if abs(number) > MAX_INTEGER:
        bits = number.bit_length()
        raise MalformedError("json.number", f"An integer of {bits} bits is beyond 2^53.", bits=bits)
    return number


def _no_float(digits: str) -> Any:
    raise MalformedError("json.number", f"{digits[:40]} is not an integer.")


_decoder = json.JSONDecoder(
    object_pairs_hook=_members, parse_float=_no_float, parse_constant=_no_float, parse_int=_integer
)
