"""The boxes of a manifest store (ISO 19566-5), as far as three questions go.

How big is it, whose signature is in it, and which bytes does it bind?

* A store above ``MAX_STORE`` bytes, or with more manifests or assertions than any production needs, is
  refused before the C2PA library sees it: its cost grows with the square of their number;
* a box never reaches beyond the box around it;
* a compressed manifest (``brob``) is counted as one box and its signature stays unread.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ledger.core import cbor
from ledger.errors import MalformedError

MAX_STORE = 2 * 1024 * 1024
MAX_MANIFESTS = 500
MAX_ASSERTIONS = 500
"""Per manifest."""

STORE_TYPE = b"c2pa"
_ASSERTIONS, _SIGNATURE = b"c2as", b"c2cs"
_DATA_HASH = "c2pa.hash.data"


class Box(NamedTuple):
    """One box: its type, and where its content starts and stops."""

    kind: bytes
    start: int
    stop: int


class Manifest(NamedTuple):
    """One manifest of a store: its label, and its COSE signature (``b""`` where it cannot be found)."""

    label: str
    signature: bytes


def manifests(store: bytes) -> list[Manifest]:
    """Return the store's manifests, oldest first.

    Raises ``MalformedError``: ``manifest.too-large`` above the limits, ``manifest.malformed`` for bytes that
    are not one JUMBF superbox of the C2PA type.
    """
    if len(store) > MAX_STORE:
        raise MalformedError("manifest.too-large", "The manifest store is too large.", size=len(store))
    outer = list(_boxes(store, 0, len(store)))
    if len(outer) != 1 or outer[0].kind != b"jumb" or _type(store, outer[0]) != STORE_TYPE:
        raise MalformedError("manifest.malformed", "Not one C2PA manifest store.")
    inner = [box for box in _boxes(store, outer[0].start, outer[0].stop) if box.kind == b"jumb"]
    if len(inner) > MAX_MANIFESTS:
        raise MalformedError("manifest.too-large", "The store holds too many manifests.", count=len(inner))
    return [_manifest(store, box) for box in inner]


def bound_sha256(store: bytes) -> str | None:
    """Return the SHA-256 (hex) of the whole file that the store's newest manifest is bound to.

    ``None`` where it leaves a part of the file out, as an embedded one must, or binds in another way. Says
    nothing about whether the claim is intact. Raises as ``manifests`` does.
    """
    manifests(store)
    outer = next(_boxes(store, 0, len(store)))
    newest = [box for box in _boxes(store, outer.start, outer.stop) if box.kind == b"jumb"][-1:]
    for box in (item for one in newest for item in _boxes(store, one.start, one.stop)):
        if _type(store, box) != _ASSERTIONS:
            continue
        for assertion in _boxes(store, box.start, box.stop):
            if _label(store, assertion) == _DATA_HASH:
                return _whole_hash(store, assertion)
    return None


def _whole_hash(store: bytes, assertion: Box) -> str | None:
    content = [item for item in _boxes(store, assertion.start, assertion.stop) if item.kind == b"cbor"]
    try:
        binding = cbor.decode(store[content[0].start : content[0].stop])
        said, algorithm = binding["hash"], binding.get("alg", "sha256")
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None
    whole = not binding.get("exclusions") and algorithm == "sha256" and isinstance(said, bytes)
    return said.hex() if whole and len(said) == 32 else None


def _manifest(store: bytes, outer: Box) -> Manifest:
    signature = b""
    for box in _boxes(store, outer.start, outer.stop):
        kind = _type(store, box)
        if kind == _ASSERTIONS:
            _check_count(store, box)
        elif kind == _SIGNATURE:
            inner = [item for item in _boxes(store, box.start, box.stop) if item.kind == b"cbor"]
            signature = store[inner[0].start : inner[0].stop] if inner else b""
    return Manifest(_label(store, outer), signature)


def _check_count(store: bytes, assertions: Box) -> None:
    count = sum(1 for _ in _boxes(store, assertions.start, assertions.stop)) - 1
    if count > MAX_ASSERTIONS:
        raise MalformedError("manifest.too-large", "A manifest holds too many assertions.", count=count)


def _boxes(store: bytes, start: int, stop: int) -> Iterator[Box]:
    while start < stop:
        length = int.from_bytes(store[start : start + 4], "big")
        if length < 8 or start + length > stop:
            raise MalformedError(
                "manifest.malformed", "A box reaches beyond the box around it.", offset=start
            )
        yield Box(store[start + 4 : start + 8], start + 8, start + length)
        start += length


def _description(store: bytes, box: Box) -> bytes:
    """Return the content of the description box that a superbox begins with; ``b""`` for a plain box."""
    if box.kind != b"jumb" or store[box.start + 4 : box.start + 8] != b"jumd":
        return b""
    length = int.from_bytes(store[box.start : box.start + 4], "big")
    return store[box.start + 8 : min(box.start + length, box.stop)]


def _type(store: bytes, box: Box) -> bytes:
    return _description(store, box)[:4]


def _label(store: bytes, box: Box) -> str:
    # Toggles (1 byte after the 16 of the type), then the label up to a zero byte.
    return _description(store, box)[17:].split(b"\x00", 1)[0].decode("utf-8", "replace")
