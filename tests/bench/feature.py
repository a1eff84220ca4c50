"""The records of a feature film, unsigned: 1,700 shots, 130,000 final frames, 1.5 million files.

* Each shot goes through the same eleven passes. Some are recorded frame by frame, some as one step for the
  whole range; of the last one, the comp, half of the shots as the one and half as the other. In every eighth
  shot all passes are recorded frame by frame.
* A sequence of fifty shots is worked on at the same time, pass after pass. Every generated pass of it reads
  the sequence's model sheet, so that one file has thousands of readers.
* 40 models were trained on 80 datasets, two each; the plates come out of one registered collection. All have
  grants, but for one dataset in ten, whose grant has ended since.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ledger.core.artifact import Artifact, Role
from ledger.core.digest import sha256_hex
from ledger.core.predicates import DatasetV2, GrantV2, ModelV2, Predicate, Review, Step, TrainingRun
from ledger.core.predicates.dataset_v2 import InventoryRoot
from ledger.core.predicates.grant import Use
from ledger.core.predicates.model import Training, TrainingStage
from ledger.core.predicates.model_v2 import ModelKind
from ledger.core.predicates.review import Standing
from ledger.core.predicates.step import Evidence, Place, StepAction, Tool
from ledger.core.rights.facts import FactRecord, Facts
from ledger.core.statement import Statement

PASSES = (
    # name, frame by frame, generated
    ("plate", False, False),
    ("roto", False, False),
    ("layout", False, False),
    ("paint", True, True),
    ("light", False, False),
    ("style", False, True),
    ("clean", False, False),
    ("grade", False, False),
    ("inbetween", True, True),
    ("denoise", False, True),
    ("comp", False, False),
)
MODELS = [(f"model-{n}", sha256_hex(f"weights {n}".encode())) for n in range(40)]
DATASETS = {name: (f"dataset-{n}", f"dataset-{n + 40}") for n, (name, _) in enumerate(MODELS)}
"""By model."""
FOOTAGE = sha256_hex(b"footage")
BEGUN = datetime(2026, 1, 5, 9, tzinfo=UTC)
OPENED = datetime(2025, 12, 1, tzinfo=UTC)
"""When the registry was made: before any work."""
_TOOL = Tool("painter", "1")


@dataclass(frozen=True)
class Feature:
    """How large it is. A small one takes the same ways."""

    shots: int = 1_700
    frames: int = 77
    together: int = 50

    @property
    def finals(self) -> int:
        return self.shots * self.frames

    def statements(self) -> Iterator[Statement]:
        """Yield the steps in the order of the log."""
        for first in range(0, self.shots, self.together):
            sequence = f"sq{first // self.together:03}"
            begun = BEGUN + timedelta(days=first // self.together * 10)
            yield self._sheet(sequence, begun)
            for number in range(len(PASSES)):
                for shot in range(first, min(first + self.together, self.shots)):
                    yield from self._pass(sequence, shot, number, begun)

    def _sheet(self, sequence: str, begun: datetime) -> Statement:
        place = Place("feature", sequence, task="design", version="v001")
        return Statement((_sheet_of(sequence),), _step(place, begun, StepAction.DRAW, ()))

    def _pass(self, sequence: str, shot: int, number: int, begun: datetime) -> Iterator[Statement]:
        name, by_frame, generated = PASSES[number]
        by_frame = by_frame or (name == "comp" and shot % 2 == 0) or shot % 8 == 0
        action = StepAction.GENERATE if generated else StepAction.COMPOSITE if number else StepAction.IMPORT
        extra: tuple[Artifact, ...] = ()
        if generated:
            model, weights = MODELS[(shot * 7 + number) % len(MODELS)]
            extra = (Artifact(model, weights, role=Role.MODEL), _sheet_of(sequence, Role.REFERENCE))
        elif not number:
            extra = (Artifact("footage", FOOTAGE, role=Role.DATASET),)
        ranges = [range(at, at + 1) for at in range(self.frames)] if by_frame else [range(self.frames)]
        moment = begun + timedelta(hours=20 * number, minutes=7 * (shot % self.together))
        for count, frames in enumerate(ranges):
            made = tuple(_frame(shot, name, frame) for frame in frames)
            before = PASSES[number - 1][0]
            read = tuple(_frame(shot, before, frame, Role.COMPONENT) for frame in frames) if number else ()
            place = Place(
                "feature", sequence, f"sh{shot:04}", name, "v001", (1001 + frames[0], 1001 + frames[-1])
            )
            finished = moment + timedelta(seconds=20 * count)
            yield Statement(made, _step(place, finished, action, (*read, *extra)))


def _frame(shot: int, name: str, frame: int, role: Role | None = None) -> Artifact:
    word = f"{shot} {name} {frame}"
    return Artifact(f"{name}.{1001 + frame}.exr", _digest(word), pixels=_digest(f"seen {word}"), role=role)


def _sheet_of(sequence: str, role: Role | None = None) -> Artifact:
    return Artifact(f"{sequence}-sheet.png", _digest(f"sheet {sequence}"), role=role)


def _digest(word: str) -> str:
    return sha256_hex(word.encode())


def _step(place: Place, finished: datetime, action: StepAction, materials: tuple[Artifact, ...]) -> Step:
    return Step("018f", action, Evidence.OBSERVED, place, finished, finished, "actor:1", _TOOL, materials)


def registry() -> Facts:
    """Return what a studio would have on record about everything that the feature rests on."""
    said: list[tuple[str, str, Predicate]] = []
    datasets = sorted({name for pair in DATASETS.values() for name in pair})
    for name in (*datasets, "footage"):
        about = FOOTAGE if name == "footage" else sha256_hex(name.encode())
        root = InventoryRoot(1000, sha256_hex(b"root"))
        listed = DatasetV2(name, "1", 1000, 3, recorded=OPENED, evidence=Evidence.OBSERVED, inventory=root)
        said.append((name, about, listed))
    for name, weights in MODELS:
        trained = tuple(
            Training(each, sha256_hex(each.encode()), TrainingStage.FOCUSED) for each in DATASETS[name]
        )
        run = TrainingRun("trainer", OPENED, OPENED + timedelta(days=1), Evidence.OBSERVED, trained)
        made = ModelV2(name, "1", trained, recorded=OPENED, kind=ModelKind.LORA, evidence=Evidence.OBSERVED)
        said += [(name, weights, run), (name, weights, made)]
        said.append((name, weights, Review(Standing.ACCEPTED, "actor:legal", OPENED, OPENED)))
    for number, (name, about, _) in enumerate(list(said)):
        ends = BEGUN + timedelta(days=300) if number < len(datasets) and number % 10 == 0 else None
        granted = GrantV2(f"G-{number}", tuple(Use), OPENED, ends, ("x",), recorded=OPENED, document=True)
        said.append((name, about, granted))
    records = (
        FactRecord(index, Statement((Artifact(name, about),), predicate))
        for index, (name, about, predicate) in enumerate(said)
    )
    return Facts(records, len(said))
