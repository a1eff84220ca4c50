"""Words, numbers and days as people write them, and what the uses of a licence mean."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

USES = {
    "foundation-training": "training a model from nothing",
    "additional-training": "further training of a model",
    "focused-training": "training a model on these works (focused training)",
    "inference-run": "running the model",
    "output-final": "showing its output in the finished production",
    "output-temp": "using its output for tests and previews",
    "output-marketing": "showing its output in advertising",
    "output-merch": "putting its output on merchandise",
    "output-as-training": "training a model on its output",
    "reference-input": "guiding a picture with it",
    "control-input": "steering a picture with it",
    "inpaint-source": "painting over it",
    "dataset-redistribution": "passing the dataset on",
    "similarity-index": "searching for pictures that resemble it",
}


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(items: Sequence[str]) -> str:
    """Return ``a, b and c``."""
    return " and ".join(part for part in (", ".join(items[:-1]), *items[-1:]) if part)


def day(moment: datetime) -> str:
    """Return a day as people write it."""
    return f"{moment.day} {moment:%B %Y}"
