"""Long and strange ways of files, in the log of a home: signed steps of a device, appended in batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.artifact import Artifact, Role
from ledger.core.predicates.step import Evidence as EvidenceClass
from ledger.core.predicates.step import Place, Step, StepAction, Tool
from ledger.core.statement import Statement
from ledger.wiring import home_at, open_studio
from tests.support.builders import digest

_BATCH = 200
HOSTILE = (
    "</title><script>alert(1)</script>.png",
    '" onload="alert(1) .png',
    "مشهد النهاية.exr",
    "落款" * 60,
    "a" * 900,
)


def long_way(home: Path, device: str, steps: int, width: int = 1) -> str:
    """Add a way of this many steps, each of which reads ``width`` files; return its last file's digest."""
    _add(home, device, (_long(n, width) for n in range(steps)))
    return digest(f"way {steps - 1}")


def wide_way(home: Path, device: str, width: int) -> str:
    """Add a film of this many frames in one entry; return its digest. No more than 300 fit."""
    place = Place("", "sq901", "sh010", "editorial", "v001", (1001, 1000 + width))
    frames = [Artifact(f"film.{n:04}.exr", digest(f"film {n}"), role=Role.COMPONENT) for n in range(width)]
    _add(home, device, (((replace(frame, role=None),), _step(place, [])) for frame in frames))
    _add(home, device, iter([((Artifact("film.mov", digest("film")),), _step(place, frames))]))
    return digest("film")


def strange_way(home: Path, device: str) -> str:
    """Add a file made from files with hostile names that no record explains; return its digest."""
    materials = [
        Artifact(name, digest(f"hostile {n}"), role=Role.REFERENCE) for n, name in enumerate(HOSTILE)
    ]
    made = Artifact(HOSTILE[0], digest("strange"))
    tool = Tool(HOSTILE[1], HOSTILE[2])
    place = Place(_production(home), HOSTILE[0], HOSTILE[2], HOSTILE[3], HOSTILE[1], (1, 2))
    said = replace(_step(place, materials), tool=tool, evidence=EvidenceClass.DECLARED)
    _add(home, device, iter([((made,), said)]))
    return made.sha256


def _long(number: int, width: int) -> tuple[tuple[Artifact, ...], Step]:
    before = [Artifact(f"way.{number - 1:04}.exr", digest(f"way {number - 1}"), role=Role.PARENT)]
    more = [
        Artifact(f"plate.{number}.{n}.exr", digest(f"plate {number} {n}"), role=Role.COMPONENT)
        for n in range(1, width)
    ]
    made = Artifact(f"way.{number:04}.exr", digest(f"way {number}"))
    place = Place("", "sq900", "sh010", "comp", "v001", (1001, 1001))
    return (made,), _step(place, [*before, *more] if number else more)


def _step(place: Place, materials: list[Artifact]) -> Step:
    now = datetime.now(UTC).replace(microsecond=0)
    tool = Tool("Nuke", "15.1")
    action = StepAction.COMPOSITE
    return Step("way", action, EvidenceClass.OBSERVED, place, now, now, "actor:1", tool, tuple(materials))


def _production(home: Path) -> str:
    return home_at(home).settings().production


def _add(home: Path, device: str, made: Iterator[tuple[tuple[Artifact, ...], Step]]) -> None:
    production, signer = _production(home), home_at(home).statement_signer(device)
    with open_studio(home_at(home)) as studio:
        while some := list(islice(made, _BATCH)):
            said = (
                Statement(files, replace(step, place=replace(step.place, production=production)))
                for files, step in some
            )
            studio.log.append([dsse.sign(statements.encode(each), signer) for each in said])
