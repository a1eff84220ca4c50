"""The text of a credential that somebody holds: ``rkn_<id>_<secret>_<checksum>``.

* ``rkn`` is an API token, ``rks`` the session of a browser, ``rkl`` a link that was shared, ``rkp`` a sign-in
  that is under way. What was made as one is never taken for another.
* ``id`` (16 hex digits) finds the row, ``secret`` (64) proves it, ``checksum`` (8, CRC-32 of what stands
  before it) tells a slip of the hand, and a scanner for leaked secrets, from a guess.
* Only the SHA-256 of the whole text is ever stored. The secret has 256 bits, so nothing slower is needed.
"""

from __future__ import annotations

import re
import zlib
from enum import StrEnum, auto

from ledger.core.digest import sha256_hex

ID_BYTES = 8
SECRET_BYTES = 32
_TEXT = re.compile(r"(?P<kind>rk[nslp])_(?P<id>[0-9a-f]{16})_[0-9a-f]{64}_(?P<checksum>[0-9a-f]{8})")


class Kind(StrEnum):
    """What a credential is."""

    TOKEN = auto()
    SESSION = auto()
    LINK = auto()
    SIGNIN = auto()


_PREFIX = {Kind.TOKEN: "rkn", Kind.SESSION: "rks", Kind.LINK: "rkl", Kind.SIGNIN: "rkp"}


def compose(kind: Kind, identifier: bytes, secret: bytes) -> str:
    """Return the text of 8 and 32 random bytes."""
    body = f"{_PREFIX[kind]}_{identifier.hex()}_{secret.hex()}"
    return f"{body}_{_checksum(body)}"


def identifier_of(kind: Kind, text: str) -> str | None:
    """Return the identifier in a text of this kind; ``None`` for anything that was never made by us."""
    match = _TEXT.fullmatch(text)
    if match is None or match["kind"] != _PREFIX[kind] or _checksum(text[:-9]) != match["checksum"]:
        return None
    return match["id"]


def digest(text: str) -> str:
    """Return what is stored of a text: its SHA-256, hex."""
    return sha256_hex(text.encode())


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
