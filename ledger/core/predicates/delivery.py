"""What is delivered, as what, where: the question that a clearance answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ledger.core.fields import Fields, in_order, present
from ledger.core.predicates.grant import Use
from ledger.core.predicates.scope import Media, read_territories


class Deliverable(StrEnum):
    """The class of a deliverable."""

    FINAL = "final"
    TEMP = "temp"
    """Previsualisation, mood boards, animatics: nothing that is shown."""
    MARKETING = "marketing"
    MERCH = "merch"

    @property
    def use(self) -> Use:
        """Return the use of an output that delivering it is."""
        return Use(f"output-{self.value}")


@dataclass(frozen=True, slots=True)
class Delivery:
    """``title`` is a title identifier, ``None``: none is on record, and no grant limited to titles covers it.

    ``territories`` are ISO 3166-1 alpha-2 or UN M49 codes, sorted; ``media`` sorted. Neither is empty.
    """

    title: str | None
    deliverable: Deliverable
    media: tuple[Media, ...]
    territories: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the object."""
        return present(
            title=self.title,
            deliverable=self.deliverable.value,
            media=in_order(self.media),
            territories=in_order(self.territories),
        )


def read_delivery(fields: Fields) -> Delivery:
    """Take the fields of a delivery."""
    found = Delivery(
        fields.optional_text("title"),
        fields.choice("deliverable", Deliverable),
        fields.choices("media", Media),
        read_territories(fields, "territories"),
    )
    if not found.media or not found.territories:
        raise fields.error("territories", "and media must name at least one each")
    fields.end()
    return found
