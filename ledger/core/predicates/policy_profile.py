"""``policy-profile/v1``: the rules that a clearance applies, signed, whole. The subject is the profile.

The subject's digest is the SHA-256 of the profile's canonical JSON, which every verdict names; so a verdict
can be computed again from the log alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from ledger.core import canonical
from ledger.core.artifact import Artifact
from ledger.core.digest import sha256_hex
from ledger.core.fields import Fields, format_time


@dataclass(frozen=True, slots=True)
class PolicyProfile:
    """``profile`` is the document that ``core.rights.profile_document`` reads; ``name`` is the name in it."""

    TYPE: ClassVar[str] = "https://rakkan.org/policy-profile/v1"

    name: str
    recorded: datetime
    profile: dict[str, Any]

    @property
    def subject(self) -> Artifact:
        """Return what the statement is about: the profile, by its digest."""
        return Artifact(self.name, sha256_hex(canonical.encode(self.profile)))

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        return {"name": self.name, "recorded": format_time(self.recorded), "profile": self.profile}

    @classmethod
    def read(cls, fields: Fields) -> PolicyProfile:
        """Take the predicate's fields."""
        found = cls(fields.text("name"), fields.time("recorded"), fields.take("profile", dict))
        if found.profile.get("name") != found.name:
            raise fields.error("name", "must be the profile's own")
        return found
