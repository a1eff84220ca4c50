"""``decided/v1``: who decided, in the service's pages, that the registrar's key should sign these entries.

The subjects are the entries, by the SHA-256 of their bytes. It is added with them, in one batch: there is
neither without the other. What was stated from a command line has none, for whoever sits there holds the key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from ledger.core.fields import Fields, format_time

FORM = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Decided:
    """``by`` is a pseudonym. ``form`` is the one sheet that was sent: sent again, it states nothing more."""

    TYPE: ClassVar[str] = "https://rakkan.org/decided/v1"

    recorded: datetime
    by: str
    form: str

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        return {"by": self.by, "form": self.form, "recorded": format_time(self.recorded)}

    @classmethod
    def read(cls, fields: Fields) -> Decided:
        """Take the predicate's fields."""
        found = cls(fields.time("recorded"), fields.text("by"), fields.text("form"))
        if not FORM.fullmatch(found.form):
            raise fields.error("form", "must be 32 hexadecimal digits")
        return found
