"""``enrolment/v1``: a key is admitted to the log. The subject's SHA-256 is the key's ``keyid``.

Only a registrar's key may sign one; the first registrar's own enrolment is signed by itself and pinned by the
trust root. A device also names the certificate that its C2PA claims are signed with, so that the two
identities cannot be mixed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from ledger.core.encoding import encode_base64
from ledger.core.fields import Fields, format_time, present


class KeyRole(StrEnum):
    """What a key may sign."""

    REGISTRAR = "registrar"
    """Enrolments, datasets, models, grants."""
    DEVICE = "device"
    """Steps and seals."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """``public_key`` is DER SubjectPublicKeyInfo; ``certificate`` the SHA-256 (hex) of its DER."""

    TYPE: ClassVar[str] = "https://rakkan.org/enrolment/v1"

    device: str
    role: KeyRole
    public_key: bytes
    valid_from: datetime
    valid_until: datetime
    certificate: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        return present(
            device=self.device,
            role=self.role.value,
            publicKey=encode_base64(self.public_key),
            validFrom=format_time(self.valid_from),
            validUntil=format_time(self.valid_until),
            certificate=self.certificate,
        )

    @classmethod
    def read(cls, fields: Fields) -> Enrolment:
        """Take the predicate's fields."""
        found = cls(
            device=fields.text("device"),
            role=fields.choice("role", KeyRole),
            public_key=fields.base64("publicKey"),
            valid_from=fields.time("validFrom"),
            valid_until=fields.time("validUntil"),
            certificate=fields.sha256("certificate") if fields.has("certificate") else None,
        )
        if found.valid_until <= found.valid_from:
            raise fields.error("validUntil", "is not later than validFrom")
        return found
