"""Standard base64 in its one spelling (RFC 4648 §4): what the JSON, the notes and the receipts all use."""

from __future__ import annotations

import base64
import binascii


def encode_base64(data: bytes) -> str:
    """Return standard base64 with padding."""
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: str) -> bytes | None:
    """Return the bytes, or ``None`` when the text is not the one standard spelling of any."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    # Unused trailing bits could be set: only the text that the bytes encode to is accepted.
    return data if encode_base64(data) == text else None
