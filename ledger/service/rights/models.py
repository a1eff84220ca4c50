"""Tables about models and training runs.

* A parent that nobody registered is recorded all the same, under its digest or, where that is unknown, under
  its name: leaving it out would make the child look better than it is.
* What somebody types is *declared*. A review or an attested training run lifts it, and nothing here does.
"""

from __future__ import annotations

import re
from pathlib import Path

from ledger.core.artifact import Artifact, named
from ledger.core.fields import present
from ledger.core.predicates import ModelV2, TrainingRun
from ledger.core.predicates.model import Training, TrainingStage
from ledger.core.predicates.model_v2 import ModelKind, Parent, ParentRole, Service
from ledger.errors import RefusedError
from ledger.service.rights.tables import Desk, Draft, Table
from ledger.service.rights.things import check_name

WEIGHTS = "application/octet-stream"

_PARENT = re.compile(r"(?P<model>.+?)(?::(?P<role>base|merged|adapter-base)(?::(?P<weight>.+))?)?")
_DECIMAL = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
_ROLES = {
    ModelKind.MERGE: ParentRole.MERGED,
    ModelKind.LORA: ParentRole.ADAPTER_BASE,
    ModelKind.CONTROLNET: ParentRole.ADAPTER_BASE,
}
"""What a parent gave where the table does not say; to any other kind it is the base."""


def model(table: Table) -> Draft:
    """Return the statement about a model: weights, or the digest of weights, or a remote service."""
    name, version = table.text("name"), table.label("version", "1")
    weights = table.file("weights") if table.has("weights") else None
    service = read_service(table)
    artifact = model_artifact(table, name, weights, service)
    check_name(table.desk, "model", name, version, artifact)
    kind = _kind(table, service)
    parents, notes = _parents(table, kind)
    training, more = trainings(table)
    found = ModelV2(
        name,
        version,
        training,
        recorded=table.desk.now,
        kind=kind,
        evidence=table.desk.evidence,
        parents=parents,
        licence=table.licence(),
        service=service,
    )
    if not (training or parents or service):
        more.append("What it was trained on is not known: say so to whoever asks.")
    return Draft((artifact,), found, notes=(*notes, *more), seal=weights)


def model_artifact(table: Table, name: str, weights: Path | None, service: Service | None) -> Artifact:
    """Return how statements name the model: by its weights' bytes, or a service by its name."""
    if service is not None:
        return named("service", service.name)
    if weights is None:
        return Artifact(name, table.sha256("sha256"))
    return Artifact(name, table.desk.sha256(weights), WEIGHTS)


def read_service(table: Table) -> Service | None:
    """Take ``service``: ``vendor/product`` or ``vendor/product/snapshot``."""
    if not table.has("service"):
        return None
    parts = table.text("service").split("/", 2)
    if len(parts) < 2 or not all(parts):
        raise table.error("service", "must be vendor/product, or vendor/product/snapshot")
    return Service(*parts)


def training(table: Table) -> Draft:
    """Return the statement about a training run, attested by who ran it."""
    weights = table.desk.registry.find("model", table.text("model"))
    trained, notes = trainings(table)
    trainer = table.known("party", table.text("trainer"))
    found = TrainingRun(
        trainer, table.moment("started"), table.moment("finished"), table.desk.evidence, trained
    )
    return Draft((Artifact(weights.name, weights.sha256),), found, notes=tuple(notes))


def trainings(table: Table) -> tuple[tuple[Training, ...], list[str]]:
    """Take ``trained_on``: texts such as ``plates:focused``, or tables; and what is to be said about them."""
    found, notes = [], []
    for n, item in enumerate(table.mixed("trained_on"), 1):
        inner = item if isinstance(item, Table) else _stage_said(table, f"trained_on[{n}]", item)
        name, stage = inner.text("dataset"), inner.choice("stage", TrainingStage)
        if inner.has("sha256"):
            dataset = Artifact(name, inner.sha256("sha256"))
        else:
            dataset = table.desk.registry.find("dataset", name)
        inner.end()
        if not table.desk.registry.holds("dataset", dataset.sha256):
            notes.append(
                f"The dataset {name!r} is not registered: no grant can cover what was learnt from it."
            )
        found.append(Training(dataset.name, dataset.sha256, stage))
    return tuple(found), notes


def _stage_said(table: Table, name: str, text: str) -> Table:
    dataset, _, stage = text.rpartition(":")
    if not dataset or stage not in tuple(TrainingStage):
        stages = ", ".join(TrainingStage)
        raise table.error(name, f"is {text!r}; write DATASET:STAGE, the stage one of {stages}")
    return table.inner(name, {"dataset": dataset, "stage": stage})


def _kind(table: Table, service: Service | None) -> ModelKind:
    if service is not None:
        return table.choice_or("kind", ModelKind, ModelKind.SERVICE)
    if table.has("parents") and not table.has("kind"):
        raise table.error("kind", "must be given for a model that was made from others")
    return table.choice_or("kind", ModelKind, ModelKind.BASE)


def _parents(table: Table, kind: ModelKind) -> tuple[tuple[Parent, ...], list[str]]:
    found, notes = [], []
    for n, item in enumerate(table.mixed("parents"), 1):
        inner = item if isinstance(item, Table) else _parent_said(table, f"parents[{n}]", item)
        parent, known = _parent(inner, kind)
        if not known:
            near = table.desk.registry.near(parent.name)
            notes.append(f"The parent {parent.name!r} is not registered: of unknown origin, L0.{near}")
        found.append(parent)
    return tuple(found), notes


def _parent_said(table: Table, name: str, text: str) -> Table:
    match = _PARENT.fullmatch(text)
    said = match.groupdict() if match else {"model": text}
    return table.inner(name, present(**said))


def _parent(table: Table, kind: ModelKind) -> tuple[Parent, bool]:
    """Return a parent, and whether it is registered."""
    name = table.text("model")
    if table.has("sha256"):
        artifact = Artifact(name, table.sha256("sha256"))
    else:
        artifact = table.desk.registry.look("model", name) or _unregistered(table.desk, name)
    role = table.choice_or("role", ParentRole, _ROLES.get(kind, ParentRole.BASE))
    weight = _decimal(table.label("weight", "")) if table.has("weight") else None
    found = Parent(
        artifact.name,
        artifact.sha256,
        role,
        weight,
        tuple((block, _decimal(weight)) for block, weight in table.labels("blocks").items()),
    )
    table.end()
    return found, table.desk.registry.holds("model", artifact.sha256)


def _unregistered(desk: Desk, name: str) -> Artifact:
    """Return a parent that the registry does not know: by the bytes of a file, or else by its name alone."""
    path = desk.file(name)
    return Artifact(path.name, desk.sha256(path)) if path else named("model", name)


def _decimal(text: str) -> str:
    if not _DECIMAL.fullmatch(text):
        raise RefusedError("registry.weight", f"The weight {text[:40]!r} is not a decimal.")
    return text
