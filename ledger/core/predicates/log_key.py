"""``log-key/v1``: a key of the log itself begins or ends. The subject's SHA-256 is the key's ``keyid``.

An announcement is signed by a key that the log has and by the new one, and from then on both sign its
checkpoints (the overlap). The retirement of a key is signed by another key of the log. So whoever trusts one
key of a log can follow it to the next one, by entries alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from ledger.core.encoding import encode_base64
from ledger.core.fields import Fields


class LogKeyState(StrEnum):
    """What becomes of the key."""

    ANNOUNCED = "announced"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class LogKey:
    """``public_key`` is DER SubjectPublicKeyInfo, Ed25519; ``origin`` the log that it signs for."""

    TYPE: ClassVar[str] = "https://rakkan.org/log-key/v1"

    origin: str
    state: LogKeyState
    public_key: bytes

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        return {
            "origin": self.origin,
            "state": self.state.value,
            "publicKey": encode_base64(self.public_key),
        }

    @classmethod
    def read(cls, fields: Fields) -> LogKey:
        """Take the predicate's fields."""
        return cls(fields.text("origin"), fields.choice("state", LogKeyState), fields.base64("publicKey"))
