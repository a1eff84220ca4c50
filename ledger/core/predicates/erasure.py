"""``erasure/v1``: openings of an entry's commitments were erased. A registrar signs.

The subject is the entry: the SHA-256 of its envelope, which any copy of it can be held against. The statement
says which commitments can no longer be opened, never what was behind them; so the reason is one of a few
words, and a note about it is a commitment itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from ledger.core.fields import Fields, format_time, present


class ErasureReason(StrEnum):
    """Why openings were erased."""

    DATA_SUBJECT_REQUEST = "data-subject-request"
    CONTRACT_END = "contract-end"
    MISTAKE = "mistake"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Erasure:
    """``digests`` are the subject's commitments whose openings are gone; ``commitments`` the note's own."""

    TYPE: ClassVar[str] = "https://rakkan.org/erasure/v1"

    erased: datetime
    digests: tuple[str, ...]
    reason: ErasureReason
    commitments: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        return present(
            erased=format_time(self.erased),
            digests=list(self.digests),
            reason=self.reason.value,
            _sd=list(self.commitments),
        )

    @classmethod
    def read(cls, fields: Fields) -> Erasure:
        """Take the predicate's fields."""
        found = cls(
            fields.time("erased"),
            fields.commitments("digests"),
            fields.choice("reason", ErasureReason),
            fields.commitments("_sd"),
        )
        if not found.digests:
            raise fields.error("digests", "is missing")
        if list(found.digests) != sorted(found.digests):
            # In another order they could tell which of them is the prompt (RFC 9901 §4.2.4.1).
            raise fields.error("digests", "must be sorted")
        return found
