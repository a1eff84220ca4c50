"""The signer's certificate in a C2PA claim signature (COSE_Sign1, RFC 9052; x5chain, RFC 9360).

The C2PA library tells a signer's name but not its certificate, so the leaf is read here. This reader answers
one question and verifies nothing: the library has checked the signature when its answer is used.

* Only definite lengths, as C2PA writes them; nesting and sizes are bounded by the input itself;
* whatever is not understood gives ``None``: the reading then shows the name without the certificate.
"""

from __future__ import annotations

from typing import Any

X5CHAIN = (33, "x5chain")
"""The header's registered label, and the name that claims of version 1 use."""
_MAX_DEPTH = 8


def leaf_certificate(signature: bytes) -> bytes | None:
    """Return the DER certificate of the key that made this COSE_Sign1 signature, or ``None``."""
    try:
        sign1, _ = _item(signature, 0, 0)
        protected, _ = _item(sign1[0], 0, 0)
        for header in (protected, sign1[1]):
            for label in X5CHAIN:
                if label in header:
                    chain = header[label]
                    leaf = chain[0] if isinstance(chain, list) else chain
                    return leaf if isinstance(leaf, bytes) else None
    except (IndexError, KeyError, TypeError, ValueError):
        return None
    return None


def _item(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    """Return the CBOR item at ``at`` and the offset behind it (RFC 8949 §3)."""
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
    return None, at  # simple values and floats: never what is looked for


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
