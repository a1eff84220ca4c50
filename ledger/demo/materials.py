"""What the production rests on: paintings, the model learnt from them, a licence, and a model without one."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

from ledger.core.artifact import Artifact
from ledger.core.predicates.grant import Use
from ledger.core.predicates.model import Training, TrainingStage
from ledger.demo import cast
from ledger.demo.painter import brush
from ledger.demo.painter.works import paint, works
from ledger.service.files import identify
from ledger.service.registry import COLUMNS, Terms, register_dataset, register_grant, register_model
from ledger.service.seal import seal
from ledger.service.studio import Device, Studio


@dataclass(frozen=True, slots=True)
class Materials:
    """The registered things and where their bytes are."""

    works: tuple[Path, ...]
    inventory: Path
    weights: Path
    unlicensed_weights: Path
    dataset: Artifact
    model: Artifact
    unlicensed: Artifact


def gather(studio: Studio, registrar: Device, folder: Path) -> Materials:
    """Paint the works, train the model, and register dataset, models and grant, with their manifests."""
    inventory, pictures = _inventory(folder / "works")
    weights = folder / f"{cast.MODEL}.safetensors"
    brush.save(brush.train(pictures), weights)
    other = folder / f"{cast.UNLICENSED}.safetensors"
    brush.save(_unexplained(), other)
    dataset = register_dataset(studio, registrar, cast.DATASET, cast.DATASET_VERSION, inventory).artifact
    training = (Training(dataset.name, dataset.sha256, TrainingStage.FOCUSED),)
    model = register_model(studio, registrar, cast.MODEL, cast.MODEL_VERSION, weights, training).artifact
    unlicensed = register_model(
        studio, registrar, cast.UNLICENSED, cast.UNLICENSED_VERSION, other, ()
    ).artifact
    register_grant(studio, registrar, (dataset, model), _terms(studio, folder))
    # In this order: each manifest carries the one of what it rests on.
    for path in (inventory, weights, other):
        seal(studio, registrar, [path])
    return Materials(pictures, inventory, weights, other, dataset, model, unlicensed)


def _inventory(folder: Path) -> tuple[Path, tuple[Path, ...]]:
    folder.mkdir(parents=True)
    inventory = folder.parent / f"{cast.DATASET}.csv"
    pictures = []
    with inventory.open("w", encoding="utf-8", newline="") as handle:
        rows = csv.writer(handle)
        rows.writerow(COLUMNS)
        for number, work in enumerate(works(), 1):
            path = folder / f"work-{number}.png"
            paint(work, path)
            pictures.append(path)
            rows.writerow((work.title, identify(path).sha256, work.rights_holder))
    return inventory, tuple(pictures)


def _terms(studio: Studio, folder: Path) -> Terms:
    contract = folder / f"licence-{cast.GRANT}.txt"
    contract.write_text(cast.CONTRACT, encoding="utf-8")
    today = studio.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return Terms(
        grant_id=cast.GRANT,
        uses=(Use.FOCUSED_TRAINING, Use.INFERENCE_RUN, Use.OUTPUT_FINAL),
        valid_from=today - timedelta(days=30),
        valid_until=today + timedelta(days=700),
        secrets={"licensor": cast.LICENSOR, "contract": f"sha256:{identify(contract).sha256}"},
    )


def _unexplained() -> brush.Brush:
    """Return weights such as one finds on the web: they paint, and nobody knows what they were trained on."""
    ends = np.asarray(
        ((0.02, 0.16, 0.20), (0.10, 0.42, 0.44), (0.95, 0.62, 0.25), (0.35, 0.18, 0.10)), np.float32
    )
    at, known = np.linspace(0, 1, brush.BANDS), (0.0, 0.35, 0.62, 1.0)
    bands = np.stack([np.interp(at, known, ends[:, channel]) for channel in range(3)], axis=-1)
    accents = np.stack(
        [np.linspace(0.03, 0.98, brush.ACCENTS) * share for share in (1.0, 0.72, 0.42)], axis=-1
    )
    level = np.ones(brush.BANDS, np.float32)
    light = np.asarray((1.0, 0.90, 0.66), np.float32)
    return brush.Brush(bands.astype(np.float32), accents.astype(np.float32), light, level * 2, level * 0.012)
