"""SHA-256 as Rakkan writes it: 64 lower-case hexadecimal digits."""

from __future__ import annotations

import hashlib
import re

from ledger.errors import MalformedError

_HEX = re.compile(r"[0-9a-f]{64}")


def sha256_hex(data: bytes) -> str:
    """Return SHA-256 of ``data`` as 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


def parse_sha256(text: str) -> str:
    """Return ``text`` unchanged if it is exactly 64 lower-case hex digits.

    Upper case is refused, so that a digest has one spelling and text comparison is digest comparison.
    Raises ``MalformedError("digest.malformed")``.
    """
    if not _HEX.fullmatch(text):
        raise MalformedError("digest.malformed", "This is not a SHA-256 in hex.", text=text[:80])
    return text
