"""``grant/v1``: a rights holder permits uses of the subjects (datasets or models).

The licensor's name and the contract's text are committed to in ``_sd``; whoever holds the openings can show
them, and erasing them leaves every proof intact. A grant is evidence; whether it covers a use is computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from ledger.core.fields import Fields, format_time, present


class Use(StrEnum):
    """What a grant permits. Running a model, using its output and training on its output are three things."""

    FOUNDATION_TRAINING = "foundation-training"
    ADDITIONAL_TRAINING = "additional-training"
    FOCUSED_TRAINING = "focused-training"
    INFERENCE_RUN = "inference-run"
    OUTPUT_FINAL = "output-final"
    OUTPUT_TEMP = "output-temp"
    OUTPUT_MARKETING = "output-marketing"
    OUTPUT_MERCH = "output-merch"
    OUTPUT_AS_TRAINING = "output-as-training"
    REFERENCE_INPUT = "reference-input"
    CONTROL_INPUT = "control-input"
    INPAINT_SOURCE = "inpaint-source"
    DATASET_REDISTRIBUTION = "dataset-redistribution"
    SIMILARITY_INDEX = "similarity-index"


USES_V1 = frozenset(
    (
        Use.FOUNDATION_TRAINING,
        Use.ADDITIONAL_TRAINING,
        Use.FOCUSED_TRAINING,
        Use.INFERENCE_RUN,
        Use.OUTPUT_FINAL,
        Use.OUTPUT_TEMP,
    )
)
"""The uses that ``grant/v1`` knows. A published version never learns another one."""


@dataclass(frozen=True, slots=True)
class Grant:
    """``valid_from <= t < valid_until``; without an end the grant is perpetual."""

    TYPE: ClassVar[str] = "https://rakkan.org/grant/v1"

    grant_id: str
    uses: tuple[Use, ...]
    valid_from: datetime
    valid_until: datetime | None = None
    commitments: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        return present(
            grantId=self.grant_id,
            uses=[use.value for use in self.uses],
            validFrom=format_time(self.valid_from),
            validUntil=self.valid_until and format_time(self.valid_until),
            _sd=list(self.commitments),
        )

    @classmethod
    def read(cls, fields: Fields) -> Grant:
        """Take the predicate's fields."""
        found = cls(
            fields.text("grantId"),
            _read_uses(fields),
            fields.time("validFrom"),
            fields.optional_time("validUntil"),
            fields.commitments("_sd"),
        )
        check_term(fields, found.valid_from, found.valid_until)
        return found


def _read_uses(fields: Fields) -> tuple[Use, ...]:
    uses = tuple(
        Fields({"use": use}, "predicate.uses").choice("use", Use) for use in fields.take("uses", list)
    )
    if not uses:
        raise fields.error("uses", "must name at least one use")
    for use in uses:
        if use not in USES_V1:
            raise fields.error("uses", f"cannot hold {use.value!r}")
    return uses


def check_term(fields: Fields, valid_from: datetime, valid_until: datetime | None) -> None:
    """Refuse a term that ends before, or as, it begins."""
    if valid_until is not None and valid_until <= valid_from:
        raise fields.error("validUntil", "is not later than validFrom")
