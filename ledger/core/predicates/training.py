"""``training/v1``: a training run, attested by who ran it. The subject's SHA-256 is of the weights it wrote.

It binds weights to the datasets that went in and to when: together with an inventory that was committed
before ``started``, that is what the highest grade asks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from ledger.core.fields import Fields, format_time, present
from ledger.core.predicates.capture import Capture, read_capture
from ledger.core.predicates.model import Training, check_trainings, read_trainings
from ledger.core.predicates.step import Evidence


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """``trainer`` is a party identifier. The run may be attested before or after the model is registered.

    ``capture`` is there when a device attested the run by itself.
    """

    TYPE: ClassVar[str] = "https://rakkan.org/training/v1"

    trainer: str
    started: datetime
    finished: datetime
    evidence: Evidence
    training: tuple[Training, ...]
    capture: Capture | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        return present(
            trainer=self.trainer,
            started=format_time(self.started),
            finished=format_time(self.finished),
            evidence=self.evidence.value,
            training=[item.to_json() for item in self.training],
            capture=self.capture and self.capture.to_json(),
        )

    @classmethod
    def read(cls, fields: Fields) -> TrainingRun:
        """Take the predicate's fields."""
        found = cls(
            fields.text("trainer"),
            fields.time("started"),
            fields.time("finished"),
            fields.choice("evidence", Evidence),
            read_trainings(fields),
            read_capture(fields.sub("capture")) if fields.has("capture") else None,
        )
        if found.finished < found.started:
            raise fields.error("finished", "is earlier than started")
        if not found.training:
            raise fields.error("training", "must name at least one dataset")
        check_trainings(fields, found.training)
        return found
