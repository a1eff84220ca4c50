"""What is behind an entry's commitments: the rules are in ``ledger.service.access.disclosures``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from api.security import need, viewer_of
from api.served import Production, Served
from ledger.core.access import Action, Viewer
from ledger.core.predicates.disclosure_access import SERVER
from ledger.errors import RefusedError, UsageError
from ledger.service.access.disclosures import show
from ledger.service.studio import Device
from ledger.wiring import open_device

router = APIRouter(
    prefix="/v1/productions/{production}/disclosures",
    tags=["access"],
    dependencies=[need(Action.OPEN_DISCLOSURES)],
)


class Purpose(BaseModel):
    """Why it is opened. The log commits to this text and does not show it."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"purpose": "claim 2026-114: is the prompt theirs?"}]}
    )

    purpose: str = Field(min_length=3, max_length=500)


class Opening(BaseModel):
    """One opened commitment. ``disclosure`` is its proof (RFC 9901)."""

    digest: str
    name: str
    value: str
    disclosure: str


class Openings(BaseModel):
    """What was opened, and the entry that says so."""

    entry: int
    access: int | None = Field(
        description="The entry about this access; null where there was nothing to show."
    )
    openings: list[Opening]
    absent: list[str] = Field(description="Commitments whose openings are erased, or were never brought.")


@router.post("/{entry}")
def open_entry(
    entry: int, asked: Purpose, served: Production, viewer: Annotated[Viewer, Depends(viewer_of)]
) -> Openings:
    """Open the commitments of an entry. That they were opened, by whom and when, is an entry first.

    It is no GET, although it reads: each time adds an entry, and the purpose must not stand in an address.
    """
    shown = show(
        served.studio, served.intake.sequencer, lambda: server_of(served), entry, viewer, asked.purpose
    )
    return Openings(
        entry=entry,
        access=shown.access,
        openings=[
            Opening(digest=item.digest, name=item.name, value=item.value, disclosure=item.text)
            for item in shown.opened
        ],
        absent=list(shown.absent),
    )


def server_of(served: Served) -> Device:
    """Return the device that says what was shown. Raises ``RefusedError("access.no-server-key")``."""
    try:
        return open_device(served.home, SERVER)
    except UsageError as error:
        raise RefusedError(
            "access.no-server-key", "This server has no key to say that it showed this."
        ) from error
