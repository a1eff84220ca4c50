"""``model/v1``: a model is registered. The subject's SHA-256 is of its weights.

``training`` names every dataset that the model was trained on, each with its stage: the founding distinction
between foundation, additional and focused training decides which grant is needed. A model without training
entries is one whose training is not known; that is a fact worth recording, and never a clean bill.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from ledger.core.fields import Fields, present


class TrainingStage(StrEnum):
    """The three stages of training."""

    FOUNDATION = "foundation"
    ADDITIONAL = "additional"
    FOCUSED = "focused"


@dataclass(frozen=True, slots=True)
class Training:
    """One dataset that a model was trained on: its name, its inventory's SHA-256 (hex), the stage."""

    dataset: str
    sha256: str
    stage: TrainingStage

    def to_json(self) -> dict[str, Any]:
        """Return the object."""
        return {"dataset": self.dataset, "sha256": self.sha256, "stage": self.stage.value}


@dataclass(frozen=True, slots=True)
class Model:
    """A model and what it was trained on, as far as that is known."""

    TYPE: ClassVar[str] = "https://rakkan.org/model/v1"

    name: str
    version: str
    training: tuple[Training, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        return present(
            name=self.name, version=self.version, training=[item.to_json() for item in self.training]
        )

    @classmethod
    def read(cls, fields: Fields) -> Model:
        """Take the predicate's fields."""
        return cls(fields.text("name"), fields.text("version"), read_trainings(fields))


def read_trainings(fields: Fields) -> tuple[Training, ...]:
    """Take the optional list ``training``."""
    items = enumerate(fields.items("training"))
    return tuple(_read_training(Fields(item, f"predicate.training[{n}]")) for n, item in items)


def check_trainings(fields: Fields, found: tuple[Training, ...]) -> None:
    """Refuse a dataset that is named twice for one stage. ``model/v1`` did not ask for this."""
    if len({(item.sha256, item.stage) for item in found}) != len(found):
        raise fields.error("training", "must not name a dataset twice for one stage")


def _read_training(fields: Fields) -> Training:
    found = Training(fields.text("dataset"), fields.sha256("sha256"), fields.choice("stage", TrainingStage))
    fields.end()
    return found
