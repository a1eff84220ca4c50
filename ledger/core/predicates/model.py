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


@dataclass(frozen=True, slots=True)
class Model:
    """A model and what it was trained on, as far as that is known."""

    TYPE: ClassVar[str] = "https://rakkan.org/model/v1"

    name: str
    version: str
    training: tuple[Training, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        training = [
            {"dataset": item.dataset, "sha256": item.sha256, "stage": item.stage.value}
            for item in self.training
        ]
        return present(name=self.name, version=self.version, training=training)

    @classmethod
    def read(cls, fields: Fields) -> Model:
        """Take the predicate's fields."""
        items = enumerate(fields.items("training"))
        training = tuple(_read_training(Fields(item, f"predicate.training[{n}]")) for n, item in items)
        return cls(fields.text("name"), fields.text("version"), training)


def _read_training(fields: Fields) -> Training:
    found = Training(fields.text("dataset"), fields.sha256("sha256"), fields.choice("stage", TrainingStage))
    fields.end()
    return found
