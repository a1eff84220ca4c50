"""A licence as statements name it: an expression, and the digest of the exact text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ledger.core.fields import Fields, present


@dataclass(frozen=True, slots=True)
class Licence:
    """``expression`` is SPDX, with ``LicenseRef-…`` for what SPDX does not list.

    The expression alone does not pin a text: ``text_sha256`` does. ``None``: no copy is on record.
    """

    expression: str
    text_sha256: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the object."""
        return present(expression=self.expression, textSha256=self.text_sha256)


def read_licence(fields: Fields) -> Licence | None:
    """Take the optional member ``licence``."""
    if not fields.has("licence"):
        return None
    inner = fields.sub("licence")
    text = inner.sha256("textSha256") if inner.has("textSha256") else None
    found = Licence(inner.text("expression"), text)
    inner.end()
    return found
