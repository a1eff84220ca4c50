"""CBOR (RFC 8949) as far as COSE needs it: integers, byte and text strings, arrays, maps, null.

* Written in the one deterministic form of section 4.2.1: shortest lengths, map keys in their bytes' order.
* Read with definite lengths only. A tag is skipped, a float or a simple value reads as ``None``, what follows
  the item is ignored, the last of two equal keys wins. So reading proves nothing about the form: a strict
  reader writes what it read and compares the bytes.
* Nesting is bounded; a length that lies runs into the end of the bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Item = int | bytes | str | Sequence["Item"] | Mapping[int, "Item"] | None

_MAX_DEPTH = 8
_NULL = b"\xf6"


def encode(item: Item) -> bytes:
    """Return the item in its one deterministic form. Integers must be in -2^64 … 2^64 - 1."""
    if item is None:
        return _NULL
    if isinstance(item, int):
        return _head(0, item) if item >= 0 else _head(1, -1 - item)
    if isinstance(item, bytes):
        return _head(2, len(item)) + item
    if isinstance(item, str):
        data = item.encode()
        return _head(3, len(data)) + data
    if isinstance(item, Mapping):
        pairs = sorted((encode(key), encode(value)) for key, value in item.items())
        return _head(5, len(item)) + b"".join(key + value for key, value in pairs)
    return _head(4, len(item)) + b"".join(map(encode, item))


def decode(data: bytes) -> Any:
    """Return the first item of ``data``. Raises ``ValueError``."""
    try:
        return _item(data, 0, 0)[0]
    except (IndexError, TypeError) as error:  # cut short; a map or an array as a key
        raise ValueError("this is not CBOR, or not of the kind that is read here") from error


def _head(major: int, argument: int) -> bytes:
    if argument < 24:
        return bytes([major << 5 | argument])
    power = 0 if argument < 1 << 8 else 1 if argument < 1 << 16 else 2 if argument < 1 << 32 else 3
    return bytes([major << 5 | 24 + power]) + argument.to_bytes(1 << power, "big")


def _item(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    """Return the item at ``at`` and the offset behind it (RFC 8949 section 3)."""
    if depth > _MAX_DEPTH:
        raise ValueError("nested too deep")
    major, (argument, at) = data[at] >> 5, _argument(data, at)
    if major in {0, 1}:
        return (argument if major == 0 else -1 - argument), at
    if major in {2, 3}:
        return _string(data, at, argument, text=major == 3)
    if major == 4:
        return _array(data, at, argument, depth)
    if major == 5:
        flat, at = _array(data, at, 2 * argument, depth)
        return dict(zip(flat[::2], flat[1::2], strict=True)), at
    if major == 6:
        return _item(data, at, depth + 1)
    return None, at


def _argument(data: bytes, at: int) -> tuple[int, int]:
    short = data[at] & 0x1F
    if short < 24:
        return short, at + 1
    if short > 27:
        raise ValueError("indefinite or reserved length")
    width = 1 << (short - 24)
    if at + 1 + width > len(data):
        raise ValueError("truncated")
    return int.from_bytes(data[at + 1 : at + 1 + width], "big"), at + 1 + width


def _string(data: bytes, at: int, length: int, *, text: bool) -> tuple[bytes | str, int]:
    if at + length > len(data):
        raise ValueError("truncated")
    value = data[at : at + length]
    return (value.decode() if text else value), at + length


def _array(data: bytes, at: int, count: int, depth: int) -> tuple[list[Any], int]:
    items: list[Any] = []
    for _ in range(count):  # a lying count runs into the end of the bytes: IndexError
        value, at = _item(data, at, depth + 1)
        items.append(value)
    return items, at
