"""Entries as answers show them: whole, as ``rakkan show`` prints them, or in a line."""

from __future__ import annotations

from typing import Any

from ledger.core import canonical
from ledger.core.fields import format_time, present
from ledger.core.predicates import Dataset, Model, Seal, Step, types_of
from ledger.service.erase import declared
from ledger.service.studio import Studio

STEPS = types_of(Step)
FILES = types_of(Step, Seal, Model, Dataset)
"""The predicate types whose subjects are files, in all their versions."""
WORK = types_of(Step, Seal)
"""Those that are no facts of the registry."""


def whole(studio: Studio, index: int) -> dict[str, Any]:
    """Return an entry as it was signed, and what of it was erased. Raises ``log.no-such-entry``."""
    opened = studio.envelope(index)
    erased = declared(studio, index)
    return present(
        index=index,
        signedBy=[signature.keyid for signature in opened.signatures],
        statement=canonical.decode(opened.payload),
        erased={
            digest: {"entry": item.entry, "on": format_time(item.erased)} for digest, item in erased.items()
        },
    )


def short(studio: Studio, index: int) -> dict[str, Any]:
    """Return an entry in a line: its kind, and of a step what was done where, when and with what."""
    predicate = studio.statement(index).predicate
    kind = predicate.TYPE.rstrip("/").split("/")[-2]
    signer = studio.envelope(index).signatures[0].keyid
    if not isinstance(predicate, Step):
        return {"entry": index, "kind": kind, "signedBy": signer}
    return present(
        entry=index,
        kind=kind,
        signedBy=signer,
        action=predicate.action.value,
        evidence=predicate.evidence.value,
        tool=present(name=predicate.tool.name, version=predicate.tool.version),
        actor=predicate.actor,
        place=predicate.place.to_json(),
        started=format_time(predicate.started),
        finished=format_time(predicate.finished),
    )
