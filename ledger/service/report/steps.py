"""The recorded steps under a population, each once: read in bulk, told in few words, and not kept.

* Which steps those are, ``entries`` says: all that brought an item into a basis (``service.clear.batch``).
* The log took each entry as a well-formed statement; to prove its form again takes ten times as long as to
  read the members that are needed (see ``service.clear.verdicts.read``).
* Moments stay texts: their one form (``core.fields.format_time``) sorts as they do.
"""

from __future__ import annotations

import json
from binascii import a2b_base64
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from ledger.core.artifact import Role
from ledger.core.fields import parse_time
from ledger.core.predicates.model_v2 import Service
from ledger.core.predicates.step import Evidence, StepAction
from ledger.core.rights.basis import UNNAMED
from ledger.service.clear.files import LINEAGE
from ledger.service.clear.store import EntryRow, Kind
from ledger.service.places import Place
from ledger.service.studio import Studio

_MODEL, _DATASET, _GENERATE = Role.MODEL.value, Role.DATASET.value, StepAction.GENERATE.value
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What reading raises for an entry that was altered since the log took it."""

PIECE = 1_000
"""Steps that are read at once."""

DIGITS = 15
"""Hexadecimal digits of a digest that a file is counted by."""


class Told(NamedTuple):
    """What the tables need of a step. ``models`` and ``datasets`` are those that it used itself, by digest.

    ``service`` is the digest of a remote service's name, and then not among ``models``; ``tier`` the plan.
    ``basis`` is the number of what its files rest on, ``flaw`` the code of what is wrong with its signature,
    ``handed`` whether it only published its files or delivered them.
    ``made`` are the files that it wrote, by the first digits of their digests: enough to count each once.
    """

    index: int  # type: ignore[assignment]  # nobody asks a step for tuple.index
    action: str
    evidence: str
    finished: str
    actor: str
    task: str | None
    place: str
    tool: str
    program: str | None
    models: tuple[str, ...]
    datasets: tuple[str, ...]
    service: str | None
    tier: str
    people: tuple[str, ...]
    basis: int
    flaw: str
    handed: bool
    made: tuple[int, ...]


def told(studio: Studio, steps: Sequence[int]) -> Iterator[list[Told]]:
    """Yield these steps, in pieces, in their order. The bases must be caught up to the last of them."""
    for at in range(0, len(steps), PIECE):
        piece = steps[at : at + PIECE]
        rows = studio.bases.entries(piece)
        found = []
        for index, envelope in sorted(studio.entries.envelopes_at(piece).items()):
            try:
                found.append(_read(index, envelope, rows.get(index)))
            except _UNREADABLE:
                continue  # what is no step any more is named by the checks of the report
        yield found


def _read(index: int, envelope: bytes, row: EntryRow | None) -> Told:
    statement: dict[str, Any] = json.loads(a2b_base64(json.loads(envelope)["payload"]))
    said = statement["predicate"]
    place, tool = said["place"], said["tool"]
    service = _service(**said["service"]) if "service" in said else None
    used: dict[str, list[str]] = {_MODEL: [], _DATASET: []}
    for material in said.get("materials", ()):
        role, sha256 = material["annotations"]["role"], material["digest"]["sha256"]
        if role not in LINEAGE and sha256 != service:
            used[role].append(sha256)
    if said["action"] == _GENERATE and not used[_MODEL] and service is None:
        used[_MODEL].append(UNNAMED.sha256)
    step = Told(
        index=index,
        action=said["action"],
        evidence=Evidence(said["evidence"]).value,
        finished=said["finished"],
        actor=said["actor"],
        task=place.get("task"),
        place=Place(*map(place.get, Place._fields)).words,
        tool=f"{tool['name']} {tool['version']}",
        program=tool.get("sha256"),
        models=tuple(used[_MODEL]),
        datasets=tuple(used[_DATASET]),
        service=service,
        tier=said.get("planTier", ""),
        people=tuple(said.get("people", ())),
        basis=row.basis if row else -1,
        flaw=row.flaw if row else "",
        handed=row is not None and row.kind == Kind.HANDED,
        made=tuple(int(each["digest"]["sha256"][:DIGITS], 16) for each in statement["subject"]),
    )
    _check(step)
    return step


def _check(step: Told) -> None:
    """Raise ``ValueError`` or ``TypeError`` for members that are no moment and no texts."""
    parse_time(step.finished)
    texts = (step.action, step.actor, step.task or "", step.program or "", step.tier)
    "".join((*texts, *step.people, *step.models, *step.datasets))


@cache
def _service(vendor: str, product: str, snapshot: str | None = None) -> str:
    """Return the digest by which statements name a remote service."""
    return Service(vendor, product, snapshot).subject.sha256
