"""``lost-record/v1``: records that a device can bind to no bytes, signed so that they show.

The subject is the record, by the number that its hook took in the spool and the SHA-256 of its bytes; for
records that never came, it is that of the ASCII text ``urn:rakkan:spool:FIRST-LAST``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from ledger.core.fields import Fields, format_time, in_order, present
from ledger.core.predicates.capture import Capture, read_capture


class LossReason(StrEnum):
    """Why there is nothing to bind to."""

    ABANDONED = "abandoned"
    """A number was taken, and no record came: the hook was killed, or somebody removed the record."""
    RESTARTED = "restarted"
    """The numbers began anew: the spool was emptied or replaced."""
    SUPERSEDED = "superseded"
    """Everything that the step wrote had been written again, or removed, before it could be hashed."""
    UNSEEN = "unseen"
    """The tool ran, and its hook could not see what it did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LostRecord:
    """``files`` are the names of what the lost steps wrote, where that is known."""

    TYPE: ClassVar[str] = "https://rakkan.org/lost-record/v1"

    reason: LossReason
    finished: datetime
    capture: Capture
    files: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        return present(
            reason=self.reason.value,
            finished=format_time(self.finished),
            capture=self.capture.to_json(),
            files=in_order(self.files),
        )

    @classmethod
    def read(cls, fields: Fields) -> LostRecord:
        """Take the predicate's fields."""
        return cls(
            reason=fields.choice("reason", LossReason),
            finished=fields.time("finished"),
            capture=read_capture(fields.sub("capture")),
            files=fields.distinct("files"),
        )
