"""`rakkan dataset`, `rakkan model`, `rakkan grant`: what a frame may later be said to rest on."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from ledger.cli.common import REGISTRAR, Moment, examples, home, printable
from ledger.core.predicates.grant import Use
from ledger.core.predicates.model import TrainingStage

FILE = click.Path(path_type=Path)


@click.group()
def dataset() -> None:
    """Register datasets: what models were trained on, work by work."""


@dataset.command(
    "add",
    epilog=examples(
        "rakkan dataset add plates plates.csv",
    ),
)
@click.argument("name")
@click.argument("inventory", type=FILE)
@click.option(
    "--dataset-version", "version", default="1", show_default=True, help="Its version, as you count them."
)
def add_dataset(name: str, inventory: Path, version: str) -> None:
    """Register the dataset NAME by its INVENTORY: a CSV with the columns work, sha256, rights_holder."""
    from ledger.service.registry import register_dataset
    from ledger.service.seal import seal
    from ledger.wiring import open_device, open_studio

    place = home()
    with open_studio(place) as studio:
        registrar = open_device(place, REGISTRAR)
        registered = register_dataset(studio, registrar, name, version, inventory)
        seal(studio, registrar, [inventory], skip_sealed=True)
    _registered("Dataset", name, registered.appended.index, inventory)
    click.echo("A grant makes it licensed: rakkan grant add.")


@click.group()
def model() -> None:
    """Register models: the weights that generate, and what they were trained on."""


@model.command(
    "add",
    epilog=examples(
        "rakkan model add sky sky.safetensors --trained-on plates:focused",
    ),
)
@click.argument("name")
@click.argument("weights", type=FILE)
@click.option(
    "--model-version", "version", default="1", show_default=True, help="Its version, as you count them."
)
@click.option(
    "--trained-on", multiple=True, metavar="DATASET:STAGE", help="Stage: foundation, additional or focused."
)
def add_model(name: str, weights: Path, version: str, trained_on: tuple[str, ...]) -> None:
    """Register the model NAME by its WEIGHTS and by the datasets it was trained on."""
    from ledger.core.predicates import Dataset
    from ledger.core.predicates.model import Training
    from ledger.service.registry import find, register_model
    from ledger.service.seal import seal
    from ledger.wiring import open_device, open_studio

    place = home()
    with open_studio(place) as studio:
        registrar = open_device(place, REGISTRAR)
        training = []
        for item in trained_on:
            named, stage = _trained_on(item)
            found = find(studio, Dataset, named)
            training.append(Training(found.name, found.sha256, stage))
        registered = register_model(studio, registrar, name, version, weights, training)
        seal(studio, registrar, [weights], skip_sealed=True)
    _registered("Model", name, registered.appended.index, weights)
    if not training:
        click.echo("What it was trained on is not known: say so to whoever asks.", err=True)


@click.group()
def grant() -> None:
    """Record grants."""


@grant.command(
    "add",
    epilog=examples(
        'rakkan grant add G-1 --covers sky --use output-final --from 2026-01-01 --licensor "Mori Studio"',
    ),
)
@click.argument("grant_id")
@click.option(
    "--covers", multiple=True, required=True, help="A registered dataset or model, by name or SHA-256."
)
@click.option(
    "--use",
    "uses",
    multiple=True,
    required=True,
    type=click.Choice([use.value for use in Use]),
    help="What is granted; may be given several times.",
)
@click.option("--from", "valid_from", type=Moment(), required=True, help="First day of the term.")
@click.option(
    "--until", "valid_until", type=Moment(), help="First day after the term; leave out for a perpetual grant."
)
@click.option("--licensor", required=True, help="Who grants. Enters the log only as a salted digest.")
@click.option("--contract", type=FILE, help="The contract. Its digest enters the log, salted.")
def add_grant(
    grant_id: str,
    covers: tuple[str, ...],
    uses: tuple[str, ...],
    valid_from: datetime,
    valid_until: datetime | None,
    licensor: str,
    contract: Path | None,
) -> None:
    """Record under GRANT_ID that a rights holder grants uses of datasets or models."""
    from ledger.service.files import identify
    from ledger.service.registry import Terms, find_any, register_grant
    from ledger.wiring import open_device, open_studio

    secrets = {"licensor": licensor}
    if contract is not None:
        secrets["contract"] = f"sha256:{identify(contract).sha256}"
    terms = Terms(grant_id, tuple(Use(use) for use in uses), valid_from, valid_until, secrets)
    place = home()
    with open_studio(place) as studio:
        about = list(dict.fromkeys(find_any(studio, item) for item in covers))
        appended = register_grant(studio, open_device(place, REGISTRAR), about, terms)
    click.echo(f"Grant “{grant_id}” is entry {appended.index}.")


def _registered(kind: str, name: str, index: int, path: Path) -> None:
    from ledger.service.files import sidecar_of

    click.echo(printable(f"{kind} “{name}” is entry {index}; its manifest is {sidecar_of(path)}."))


def _trained_on(text: str) -> tuple[str, TrainingStage]:
    name, _, stage = text.rpartition(":")
    try:
        return name, TrainingStage(stage)
    except ValueError as error:
        stages = ", ".join(item.value for item in TrainingStage)
        raise click.BadParameter(f"{text!r}: write DATASET:STAGE, the stage one of {stages}.") from error
