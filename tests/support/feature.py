"""The work of a feature film, or of an episode, as statements: what a report of the whole is made from.

* Every shot comes in as a plate out of one collection, is laid out, painted and composited. Half of the comps
  are recorded frame by frame, of every eighth shot the paint as well; the rest by one step for the range.
* Three shots in four are painted with a model; every tenth with a remote service. What is odd about a shot
  (a person's likeness, a picture that no record explains, a second version, a seal, a key that was stolen)
  comes back at a fixed distance, so that a small film has each of them once or so.
* What the models and the services rest on: ``tests/support/feature_rights.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from ledger.core.artifact import Artifact, Role, named
from ledger.core.digest import sha256_hex
from ledger.core.predicates import Seal, StepV2
from ledger.core.predicates.model_v2 import Service
from ledger.core.predicates.seal import Form, SealedManifest
from ledger.core.predicates.step import Evidence, Place, StepAction, Tool
from ledger.core.statement import Statement

PRODUCTION = "nightfall"
OPENED = datetime(2026, 1, 5, 9, tzinfo=UTC)
BEGUN = OPENED + timedelta(days=30)
FOOTAGE = sha256_hex(b"footage")
SERVICES = tuple(Service(f"vendor-{n}", "video", f"2026-0{n}") for n in range(1, 7))
TOOLS = {
    "plate": Tool("Blender", "5.0.1"),
    "layout": Tool("CLIP STUDIO", "4"),
    "paint": Tool("ComfyUI", "0.3.60"),
    "comp": Tool("Nuke", "16.0"),
}
FIRST = 1001
"""The number of the first frame of every shot."""


@dataclass(frozen=True)
class Feature:
    """How large it is: shots, final frames (without second versions), and models that were trained."""

    shots: int = 1_700
    finals: int = 130_000
    models: int = 120

    def frames(self, shot: int) -> range:
        """Return the frame numbers of a shot: of each two neighbours, the second is longer by as much."""
        pair, odd = divmod(shot, 2)
        fair = [self.finals * (n + 1) // self.shots - self.finals * n // self.shots for n in (shot, shot ^ 1)]
        more = pair * 7 % 40 % max(1, min(fair)) if (shot | 1) < self.shots else 0
        return range(FIRST, FIRST + fair[0] + (more if odd else -more))

    def model(self, shot: int) -> tuple[str, str] | None:
        """Return the name and the weights of the model that a shot was painted with; none: by hand."""
        number = shot * 7 % self.models
        return None if shot % 4 == 3 or shot % 10 == 9 else (f"model-{number}", weights(number))

    def statements(self) -> Iterator[tuple[str, Statement]]:
        """Yield the steps and the seals in the order of the log, each with the device that signs it."""
        for shot in range(self.shots):
            yield from (("stolen" if shot % 300 == 5 else "workstation", each) for each in self._shot(shot))

    def _shot(self, shot: int) -> Iterator[Statement]:
        frames, begun = self.frames(shot), BEGUN + timedelta(minutes=100 * shot * 1_700 // self.shots)
        plate, layout = (_range(shot, name, frames) for name in ("plate", "layout"))
        footage = Artifact("footage", FOOTAGE, role=Role.DATASET)
        yield Statement(plate, _Turn(shot, "plate", begun, frames).did(StepAction.IMPORT, (footage,)))
        later = begun + timedelta(hours=20)
        outside = (_stray(shot, Role.REFERENCE),) if shot % 40 == 2 else ()
        yield Statement(layout, _Turn(shot, "layout", later, frames).did(StepAction.DRAW, outside))
        yield from self._painted(shot, later + timedelta(days=2))
        yield from _comped(shot, frames, later + timedelta(days=9))

    def _painted(self, shot: int, begun: datetime) -> Iterator[Statement]:
        frames, model = self.frames(shot), self.model(shot)
        materials = (Artifact(*model, role=Role.MODEL),) if model else ()
        action = StepAction.GENERATE if model else StepAction.DRAW
        service = SERVICES[shot // 10 % len(SERVICES)] if shot % 10 == 9 else None
        if service:
            bought = named("service", service.name)
            materials, action = (Artifact(bought.name, bought.sha256, role=Role.MODEL),), StepAction.GENERATE
        for number, each in enumerate(_ranges(frames, by_frame=shot % 8 == 0)):
            read = _as(_range(shot, "layout", each), Role.CONTROL if model else Role.COMPONENT)
            moment = begun + timedelta(seconds=20 * number)
            step = _Turn(shot, "paint", moment, each).did(action, (*read, *materials), service)
            yield Statement(_range(shot, "paint", each), step)


def weights(number: int) -> str:
    """Return the SHA-256 of a model's weights."""
    return sha256_hex(f"weights {number}".encode())


def frame_name(shot: int, frame: int, name: str = "comp", version: int = 1) -> str:
    """Return the file name of a frame."""
    return f"{_word(shot)}_{name}_v{version:03}.{frame}.exr"


def _comped(shot: int, frames: range, begun: datetime) -> Iterator[Statement]:
    """Yield the comp of a shot, its seal in every fifth, and in every sixtieth one frame's second version."""
    lost = (_stray(shot, Role.COMPONENT),) if shot % 70 == 4 else ()
    for number, each in enumerate(_ranges(frames, by_frame=shot % 2 == 0)):
        read = (*_as(_range(shot, "paint", each)), *_as(_range(shot, "plate", each)), *lost)
        moment = begun + timedelta(seconds=20 * number)
        step = _Turn(shot, "comp", moment, each).did(StepAction.COMPOSITE, read)
        yield Statement(_range(shot, "comp", each), step)
    if shot % 60 == 7:
        one = frames[:1]
        read = _as(_range(shot, "paint", one))
        step = _Turn(shot, "comp", begun, one, 2).did(StepAction.COMPOSITE, read)
        yield Statement((_frame(shot, "comp", one[0], version=2),), step)
    if shot % 5 == 0:
        yield from (_sealed(_range(shot, "comp", each), begun) for each in _ranges(frames, by_frame=False))


def _sealed(files: tuple[Artifact, ...], begun: datetime) -> Statement:
    sealed = tuple(Artifact(each.name, sha256_hex(f"sealed {each.sha256}".encode())) for each in files)
    stores = tuple(
        SealedManifest(sha256_hex(f"store {each.sha256}".encode()), each.sha256, Form.EMBEDDED)
        for each in files
    )
    return Statement(sealed, Seal(begun + timedelta(days=1), stores))


class _Turn(NamedTuple):
    """One pass over some frames of a shot, and when it was done."""

    shot: int
    task: str
    finished: datetime
    frames: range
    version: int = 1

    def did(
        self, action: StepAction, materials: tuple[Artifact, ...], service: Service | None = None
    ) -> StepV2:
        shot, task, frames, version = self.shot, self.task, self.frames, f"v{self.version:03}"
        evidence = {1: Evidence.DECLARED, 9: Evidence.INFERRED}.get(shot % 24, Evidence.OBSERVED)
        return StepV2(
            step_id=f"018f-{shot}-{task}-{version}-{frames[0]}",
            action=action,
            evidence=evidence if task == "paint" else Evidence.OBSERVED,
            place=Place(
                PRODUCTION, f"sq{shot // 50:03}", f"sh{shot:04}", task, version, (frames[0], frames[-1])
            ),
            started=self.finished - timedelta(minutes=2),
            finished=self.finished,
            actor=f"actor:{shot % 24:04x}",
            tool=TOOLS[task],
            materials=materials,
            service=service,
            plan_tier=("enterprise" if shot % 20 == 9 else None) if service else None,
            people=(f"performer-{shot % 6}",) if task == "plate" and shot % 17 == 3 else (),
        )


def _ranges(frames: range, *, by_frame: bool) -> list[range]:
    """Return the ranges of the steps: an entry has room for forty frames that were made of two each."""
    size = 1 if by_frame else 40
    return [frames[start : start + size] for start in range(0, len(frames), size)]


def _word(shot: int) -> str:
    return f"sq{shot // 50:03}_sh{shot:04}"


def _range(shot: int, name: str, frames: range) -> tuple[Artifact, ...]:
    return tuple(_frame(shot, name, frame) for frame in frames)


def _frame(shot: int, name: str, frame: int, version: int = 1) -> Artifact:
    digest = sha256_hex(f"{shot} {name} {frame} {version}".encode())
    return Artifact(frame_name(shot, frame, name, version), digest, "image/x-exr")


def _as(artifacts: tuple[Artifact, ...], role: Role = Role.COMPONENT) -> tuple[Artifact, ...]:
    return tuple(Artifact(each.name, each.sha256, each.media_type, role=role) for each in artifacts)


def _stray(shot: int, role: Role) -> Artifact:
    return Artifact(f"found-{shot}.png", sha256_hex(f"found {shot}".encode()), "image/png", role=role)
