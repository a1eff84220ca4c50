"""Salted commitments to what must not stand in the log: prompts, names, contract texts.

The form is RFC 9901 (SD-JWT) §4.2: a disclosure is base64url of the JSON array ``[salt, name, value]``, its
digest base64url of the SHA-256 of the disclosure's ASCII text. The statement holds the digest in ``_sd``.
Erasing the disclosure makes the digest unopenable and changes nothing else: the salt has 128 bits.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass

from ledger.core import canonical
from ledger.errors import MalformedError, UndecidedError

SALT_BYTES = 16
# Made once: making one takes a good part of the time of using it.
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": "))
RESERVED = frozenset({"_sd", "..."})
"""Names that a disclosure may not have (RFC 9901 §4.2.1)."""


@dataclass(frozen=True, slots=True)
class Disclosure:
    """An opened commitment. ``text`` is the disclosure as issued, ``digest`` what the statement holds."""

    name: str
    value: str
    text: str
    digest: str


def commit(salt: bytes, name: str, value: str) -> Disclosure:
    """Return the disclosure of ``name: value``. ``salt`` is 16 random bytes, never used twice.

    Raises ``MalformedError("disclosure.malformed")``; the message never shows the value.
    """
    if len(salt) != SALT_BYTES:
        raise MalformedError("disclosure.malformed", f"A salt has {SALT_BYTES} bytes.")
    if name in RESERVED:
        raise MalformedError("disclosure.malformed", f"RFC 9901 reserves the name {name!r}.")
    try:
        data = _encoder.encode([_base64url(salt), name, value]).encode()
    except UnicodeEncodeError as error:
        raise MalformedError("disclosure.malformed", "A text holds half of a surrogate pair.") from error
    return _disclosure(name, value, _base64url(data))


def open_disclosure(text: str, digests: tuple[str, ...]) -> Disclosure:
    """Return the name and value behind one of ``digests``.

    Raises ``MalformedError("disclosure.malformed")``, or ``UndecidedError("disclosure.unknown")`` when the
    opening belongs to none of them.
    """
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise MalformedError("disclosure.malformed", "The disclosure is not base64url.") from error
    if _base64url(data) != text:  # the decoder passes over foreign characters
        raise MalformedError("disclosure.malformed", "The disclosure is not base64url.")
    try:
        array = canonical.parse(data)
    except MalformedError as error:
        # No cause is kept: the text of a disclosure is what must not reach a log.
        raise MalformedError("disclosure.malformed", "The disclosure is not JSON.", why=error.code) from None
    if not (isinstance(array, list) and len(array) == 3 and all(isinstance(item, str) for item in array)):
        raise MalformedError("disclosure.malformed", "A disclosure is an array of salt, name and value.")
    found = _disclosure(array[1], array[2], text)
    if found.digest not in digests:
        raise UndecidedError("disclosure.unknown", "The statement has no commitment to this opening.")
    return found


def _disclosure(name: str, value: str, text: str) -> Disclosure:
    return Disclosure(name, value, text, _base64url(hashlib.sha256(text.encode("ascii")).digest()))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
