"""Signing what is posted to others, as the Standard Webhooks specification 1.0.0 has it.

* A secret is 24 to 64 random bytes, written ``whsec_`` and base64. Signed is ``id.timestamp.body``.
* Of two secrets, which is how one follows the other, each gives a signature; either is enough for a receiver.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable, Mapping

PREFIX = "whsec_"
SECRET_BYTES = 32


def format_secret(key: bytes) -> str:
    """Return a key as people hand it on."""
    return PREFIX + base64.b64encode(key).decode()


def signed_headers(message: str, timestamp: int, body: bytes, secrets: Iterable[str]) -> Mapping[str, str]:
    """Return the three headers of a message. ``timestamp`` is of this attempt, in seconds since 1970."""
    signed = f"{message}.{timestamp}.".encode() + body
    signatures = (hmac.digest(_key(secret), signed, "sha256") for secret in secrets)
    return {
        "webhook-id": message,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(found).decode()}" for found in signatures),
    }


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
