"""The recorded steps under a population, each once: read in bulk, told in few words, and not kept.

* From the files back, through seals, to what their makers read; a file that no step made is looked for by its
  pixels. These are the rules of the bases (``service.clear.batch``), so a step that brought an item into a
  basis is among them.
* Models and datasets are not followed here: they have registrations, and no steps.
* The log took each entry as a well-formed statement; to prove its form again takes ten times as long as to
  read the members that are needed (see ``service.clear.verdicts.read``).
* Moments stay texts: their one form (``core.fields.format_time``) sorts as they do.
"""

from __future__ import annotations

import json
from binascii import a2b_base64
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

from ledger.core.artifact import Role
from ledger.core.fields import parse_time
from ledger.core.predicates.model_v2 import Service
from ledger.core.predicates.step import Evidence, StepAction
from ledger.core.rights.basis import UNNAMED
from ledger.service.clear.files import LINEAGE, Files, Made
from ledger.service.clear.store import EntryRow
from ledger.service.studio import Studio

_MODEL, _DATASET, _GENERATE = Role.MODEL.value, Role.DATASET.value, StepAction.GENERATE.value
PIECE = 2_000
"""Files that are followed at once."""

_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What reading raises for an entry that was altered since the log took it."""

Wanted = tuple[str, str | None]
"""A file by its SHA-256, and by that of its pixels where they may stand in for it."""


class Told(NamedTuple):
    """What the tables need of a step. ``models`` and ``datasets`` are those that it used itself, by digest.

    ``service`` is the digest of a remote service's name, and then not among ``models``; ``tier`` the plan.
    ``basis`` is the number of what its files rest on, ``flaw`` the code of what is wrong with its signature.
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


class Piece(NamedTuple):
    """Steps that were not told before, and of each file that was followed the steps that made it.

    A sealed file was made by none: the file before it was.
    """

    steps: list[Told]
    makers: list[frozenset[int]]


def walk(studio: Studio, size: int, files: Iterable[Wanted]) -> Iterator[Piece]:
    """Yield all steps under these files, in pieces. The bases must be caught up to ``size`` entries."""
    found = Files(studio.bases)
    waiting = dict(files)
    seen, told = set(waiting), set[int]()
    while waiting:
        taken = {sha256: waiting.pop(sha256) for sha256 in list(islice(waiting, PIECE))}
        found.start(size, (), ())
        made = _made(found, taken)
        makers = [frozenset(index for index, _, _ in each.steps) for each in made]
        read: list[Wanted] = [(source, None) for each in made for _, _, source in each.seals]
        fresh = frozenset[int]().union(*makers) - told
        told |= fresh
        found.load_entries(fresh)
        steps = []
        for index, envelope in sorted(studio.entries.envelopes_at(fresh).items()):
            try:
                step, materials = _read(index, envelope, found.entry(index))
            except _UNREADABLE:
                continue  # what is no step any more is named by the checks of the report
            steps.append(step)
            read += materials
        waiting.update({sha256: pixels for sha256, pixels in read if sha256 not in seen})
        seen.update(sha256 for sha256, _ in read)
        yield Piece(steps, makers)


def _made(found: Files, taken: Mapping[str, str | None]) -> list[Made]:
    """Return who made each of these files: by its bytes, else by its pixels."""
    found.load_made(taken)
    made = {sha256: found.made(sha256) for sha256 in taken}
    lost = {
        sha256: pixels for sha256, pixels in taken.items() if pixels and not found.origins(made[sha256]).steps
    }
    found.load_twins(lost.values())
    made |= {sha256: found.twin(pixels) for sha256, pixels in lost.items()}
    return list(made.values())


def _read(index: int, envelope: bytes, row: EntryRow | None) -> tuple[Told, list[Wanted]]:
    """Return a step, and the files that it read."""
    said: dict[str, Any] = json.loads(a2b_base64(json.loads(envelope)["payload"]))["predicate"]
    place, tool = said["place"], said["tool"]
    service = _service(**said["service"]) if "service" in said else None
    used: dict[str, list[str]] = {_MODEL: [], _DATASET: []}
    read: list[Wanted] = []
    for material in said.get("materials", ()):
        notes, sha256 = material["annotations"], material["digest"]["sha256"]
        if notes["role"] in LINEAGE:
            read.append((sha256, notes.get("pixels")))
        elif sha256 != service:
            used[notes["role"]].append(sha256)
    if said["action"] == _GENERATE and not used[_MODEL] and service is None:
        used[_MODEL].append(UNNAMED.sha256)
    step = Told(
        index=index,
        action=said["action"],
        evidence=Evidence(said["evidence"]).value,
        finished=said["finished"],
        actor=said["actor"],
        task=place.get("task"),
        place="/".join(part for part in (place.get("sequence"), place.get("shot")) if part),
        tool=f"{tool['name']} {tool['version']}",
        program=tool.get("sha256"),
        models=tuple(used[_MODEL]),
        datasets=tuple(used[_DATASET]),
        service=service,
        tier=said.get("planTier", ""),
        people=tuple(said.get("people", ())),
        basis=row.basis if row else -1,
        flaw=row.flaw if row else "",
    )
    _check(step, read)
    return step, read


def _check(step: Told, read: Iterable[Wanted]) -> None:
    """Raise ``ValueError`` or ``TypeError`` for members that are no moment and no texts."""
    parse_time(step.finished)
    texts = (step.action, step.actor, step.task or "", step.program or "", step.tier, *step.people)
    digests = (*step.models, *step.datasets, *(sha256 for sha256, _ in read))
    "".join((*texts, *digests, *(pixels or "" for _, pixels in read)))


@cache
def _service(vendor: str, product: str, snapshot: str | None = None) -> str:
    """Return the digest by which statements name a remote service."""
    return Service(vendor, product, snapshot).subject.sha256
