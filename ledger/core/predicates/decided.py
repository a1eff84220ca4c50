"""``decided/v1``: who decided, in the service's pages, that the registrar's key should sign these entries.

The subjects are the entries, by the SHA-256 of their bytes. It is added with them, in one batch: there is
neither without the other. What was stated from a command line has none, for whoever sits there holds the key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto
from typing import Any, ClassVar

from ledger.core.fields import Fields, format_time, present

FORM = re.compile(r"[0-9a-f]{32}")


class SignedIn(StrEnum):
    """How the service knew who somebody was."""

    PROVIDER = auto()
    """By the studio's identity provider."""
    TOKEN = auto()
    """By an access token that the service had made."""
    SESSION = auto()
    """By a session that its operator had made."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """Somebody who agreed: under which pseudonym, when, and how they were signed in."""

    by: str
    at: datetime
    signed_in: SignedIn

    def to_json(self) -> dict[str, Any]:
        """Return the object."""
        return {"at": format_time(self.at), "by": self.by, "signedIn": self.signed_in.value}

    @classmethod
    def read(cls, fields: Fields) -> Agreed:
        """Take the object's fields."""
        return cls(fields.text("by"), fields.time("at"), fields.choice("signedIn", SignedIn))


@dataclass(frozen=True, slots=True)
class Decided:
    """``by`` is a pseudonym. ``form`` is the one sheet that was sent: sent again, it states nothing more.

    ``signed_in`` is how ``by`` was signed in, which the oldest entries do not say. ``proposed`` is whoever
    agreed first, where two people decided: then ``by`` confirmed it.
    """

    TYPE: ClassVar[str] = "https://rakkan.org/decided/v1"

    recorded: datetime
    by: str
    form: str
    signed_in: SignedIn | None = None
    proposed: Agreed | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        return present(
            by=self.by,
            form=self.form,
            proposed=self.proposed and self.proposed.to_json(),
            recorded=format_time(self.recorded),
            signedIn=self.signed_in and self.signed_in.value,
        )

    @classmethod
    def read(cls, fields: Fields) -> Decided:
        """Take the predicate's fields."""
        found = cls(
            fields.time("recorded"),
            fields.text("by"),
            fields.text("form"),
            fields.choice("signedIn", SignedIn) if fields.has("signedIn") else None,
            _agreed(fields.sub("proposed")) if fields.has("proposed") else None,
        )
        if not FORM.fullmatch(found.form):
            raise fields.error("form", "must be 32 hexadecimal digits")
        if found.proposed is not None:
            if found.proposed.by == found.by:
                raise fields.error("proposed", "must name somebody else than by")
            if found.proposed.at > found.recorded:
                raise fields.error("proposed", "is later than recorded")
            if found.signed_in is None:
                raise fields.error("signedIn", "is missing")
        return found


def _agreed(fields: Fields) -> Agreed:
    found = Agreed.read(fields)
    fields.end()
    return found
