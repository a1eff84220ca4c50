"""What the production rests on: paintings, a model learnt from them, their papers; and a model with none."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from ledger.core.artifact import Artifact
from ledger.core.predicates.step import Evidence
from ledger.core.rights.inventory import COLUMNS
from ledger.demo import cast, papers
from ledger.demo.painter import brush
from ledger.demo.painter.works import paint, works
from ledger.service.files import identify
from ledger.service.inventory.index import SUFFIX
from ledger.service.rights.importing import judge, read_toml
from ledger.service.rights.register import desk_of, register, seal_files, state
from ledger.service.studio import Device, Studio
from ledger.wiring.rights import readers


@dataclass(frozen=True, slots=True)
class Materials:
    """The registered things and where their bytes are. ``index`` is that of the inventory."""

    works: tuple[Path, ...]
    inventory: Path
    index: Path
    weights: Path
    unlicensed_weights: Path
    dataset: Artifact
    model: Artifact
    unlicensed: Artifact


def gather(studio: Studio, registrar: Device, trainer: Device, folder: Path) -> Materials:
    """Paint the works, put them and their contract on record, train the model, and register it."""
    inventory, pictures = _inventory(folder / "works")
    papers.write_contract(folder)
    today = studio.clock.now().date()
    _state(studio, registrar, papers.write_before(folder, today))
    weights = folder / f"{cast.MODEL}.safetensors"
    started = studio.clock.now()
    brush.save(brush.train(pictures), weights)
    finished = studio.clock.now()
    other = folder / f"{cast.UNLICENSED}.safetensors"
    brush.save(_unexplained(), other)
    _state(studio, registrar, papers.write_after(folder, today))
    _attest(studio, trainer, started, finished)
    found = desk_of(studio, readers()).registry.find
    return Materials(
        pictures,
        inventory,
        inventory.with_suffix(SUFFIX),
        weights,
        other,
        found("dataset", cast.DATASET),
        found("model", cast.MODEL),
        found("model", cast.UNLICENSED),
    )


def _state(studio: Studio, registrar: Device, facts: Path) -> None:
    """Sign a file of facts, as `rakkan rights import --apply` does."""
    outcomes = judge(studio, desk_of(studio, readers()), read_toml(facts))
    planned = [item.planned for item in outcomes if item.planned]
    if len(planned) < len(outcomes):
        raise next(item.refused for item in outcomes if item.refused)
    state(studio, registrar, planned)
    seal_files(studio, registrar, planned)


def _attest(studio: Studio, trainer: Device, started: datetime, finished: datetime) -> None:
    """Have the device that ran the training sign when that was, and what went in."""
    run: dict[str, object] = {
        "model": cast.MODEL,
        "trainer": cast.STUDIO_PARTY,
        "started": started,
        "finished": finished,
        "trained_on": [f"{cast.DATASET}:focused"],
    }
    register(studio, trainer, desk_of(studio, readers(), evidence=Evidence.OBSERVED), "training", run)


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
