"""Giving up a log that cannot be repaired, and founding the one that follows it.

* A log is given up only where its key signed what nobody can bring back.
* The order is: alarm with the evidence, freeze the old log, found the new one, let the registrar and the
  devices in, record the incident. Each step can be repeated, so all of it can be run again until it is done.
* Nothing is deleted: the old log stays readable, and verifiable under its own name and key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.core.artifact import Artifact
from ledger.core.checkpoint import Checkpoint
from ledger.core.digest import sha256_hex
from ledger.core.merkle import root
from ledger.core.predicates import Enrolment, Incident
from ledger.core.tiles import TileNodes
from ledger.errors import RefusedError
from ledger.ports import Alarms, Signer
from ledger.service.enrol import enrol
from ledger.service.log.nodes import root_at, stored
from ledger.service.log.records import Records
from ledger.service.studio import Studio


@dataclass(frozen=True, slots=True)
class Loss:
    """A log that cannot go on: what it holds, and the signed checkpoint that it cannot meet."""

    origin: str
    held: Checkpoint
    held_note: bytes
    signed: Checkpoint
    signed_note: bytes


def find_loss(records: Records) -> Loss:
    """Return why the log cannot go on. Raises ``RefusedError("recover.not-needed")`` when it can."""
    note = records.last_signed.read()
    head = records.store.head()
    held = Checkpoint(records.origin, head.size, root(head.peaks))
    if note is not None:
        signed = records.opened(note)
        nodes = TileNodes(head.size, stored(records.store.tile))
        if signed.size > head.size or root_at(signed.size, head, nodes) != signed.root:
            return Loss(records.origin, held, head.checkpoint, signed, note)
    raise RefusedError(
        "recover.not-needed", "The database holds everything that the log's key signed.", size=head.size
    )


def give_up(records: Records, loss: Loss, reason: str, alarms: Alarms, published: bytes | None) -> str:
    """Sound the alarm, freeze the log, and return where the evidence is kept."""
    message = (
        f"{loss.origin} is given up: its key signed {loss.signed.size} entries, "
        f"{loss.held.size} could be brought back. {reason}"
    )
    evidence = {"held.checkpoint": loss.held_note, "last-signed.checkpoint": loss.signed_note}
    if published is not None:
        evidence["published.checkpoint"] = published
    kept = alarms.sound("log.rollback", message, evidence)
    records.store.freeze(reason)
    return kept


def begin_successor(
    studio: Studio, registrar: Signer, enrolments: Sequence[Enrolment], loss: Loss, reason: str
) -> int:
    """Let the registrar (first) and the devices into the new log, record the incident; return its index.

    Run again, it adds only what is missing. Raises the log's errors.
    """
    for enrolment in enrolments:
        enrol(studio, registrar, enrolment)
    known = studio.entries.statements(Incident.TYPE)
    if known:
        return known[0].index
    incident = Incident(
        loss.origin, reason, loss.held.size, loss.held.root.hex(), loss.signed.size, loss.signed.root.hex()
    )
    subject = Artifact(loss.origin, sha256_hex(loss.signed_note))
    return studio.state(registrar, (subject,), incident).index
