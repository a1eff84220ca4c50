"""What a file says of a model, as a fact: declared, and no more.

* A model needs the digest of its weights: from the file, of the file, or of weights that somebody names.
* A parent or a dataset without a digest is kept under its name, which nobody can have registered: what is not
  known of a model must not make it look better.
* Where a file names no stage of training, the focused one is taken, which asks for the most.
* It never replaces what somebody stated of the same weights: a header is not a way into the registry.
* No dataset and no grant comes from a file: it does not say how many people hold rights in it, nor whether an
  offer was taken. What it does say of them is noted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from ledger.core.artifact import Artifact, named
from ledger.core.predicates import ModelV2
from ledger.core.predicates.licence import Licence
from ledger.core.predicates.model import Training, TrainingStage
from ledger.core.predicates.model_v2 import ModelKind, Parent, ParentRole
from ledger.core.predicates.step import Evidence
from ledger.core.rights.declared import (
    Declared,
    DeclaredDataset,
    DeclaredModel,
    DeclaredParent,
    DeclaredTraining,
)
from ledger.errors import RefusedError, UsageError
from ledger.service.rights.importing import Fact
from ledger.service.rights.models import WEIGHTS
from ledger.service.rights.tables import Desk, Draft
from ledger.service.rights.things import check_name

_KINDS = {
    ParentRole.MERGED: ModelKind.MERGE,
    ParentRole.ADAPTER_BASE: ModelKind.LORA,
    ParentRole.BASE: ModelKind.FINE_TUNE,
}


def facts_of_declared(
    declared: Declared, path: Path, weights: Path | None = None, name: str | None = None
) -> tuple[list[Fact], tuple[str, ...]]:
    """Return the models that the file ``path`` declares, and what else is to be said of it.

    ``weights`` are those of the one model that it is about; the file itself is, if it is safetensors.
    ``name`` is what the studio calls that model. Raises ``UsageError("rights.weights")``.
    """
    own = weights or (path if declared.format == "safetensors" else None)
    if (own or name) and len(declared.models) != 1:
        raise UsageError(
            "rights.weights", f"{path.name} is not about one model.", models=len(declared.models)
        )
    facts = [
        Fact(
            "model",
            f"{path.name}: model {model.name!r}",
            {},
            path.parent,
            drafted=partial(_draft, replace(model, name=name or model.name), own),
        )
        for model in declared.models
    ]
    return facts, (*declared.notes, *(note for item in declared.datasets for note in _dataset(item)))


def _draft(model: DeclaredModel, weights: Path | None, desk: Desk) -> Draft:
    """Return the statement about a declared model.

    Raises ``UsageError("rights.weights")``, and ``RefusedError`` with ``registry.exists`` or
    ``registry.declared``.
    """
    sha256 = desk.sha256(weights) if weights else model.sha256
    if sha256 is None:
        raise UsageError("rights.weights", f"Nothing here says which weights {model.name!r} is.")
    artifact = Artifact(model.name, sha256, WEIGHTS if weights else None)
    version, kind = model.version or "1", _kind(model)
    check_name(desk, "model", model.name, version, artifact)
    parents, notes = _parents(desk, model.parents)
    training, more = _training(desk, model.training)
    licence = model.licence
    if model.kind is None:
        more.append(f"The file does not say what kind of model it is: taken as {kind.value}.")
    found = ModelV2(
        model.name,
        version,
        training,
        recorded=desk.now,
        kind=kind,
        evidence=Evidence.DECLARED,
        parents=parents,
        licence=Licence(licence.expression, licence.text_sha256) if licence and licence.expression else None,
    )
    _check_known(desk, artifact, found)
    return Draft((artifact,), found, notes=(*notes, *more), seal=weights)


def _check_known(desk: Desk, artifact: Artifact, found: ModelV2) -> None:
    """Refuse to replace what somebody stated of these weights by what a file says of them.

    Raises ``RefusedError("registry.declared")``.
    """
    known = desk.registry.model(artifact.sha256)
    same = isinstance(known, ModelV2) and replace(known, recorded=found.recorded) == found
    if known is not None and not same:
        raise RefusedError(
            "registry.declared", f"These weights are registered already, as {known.name!r}, and otherwise."
        )


def _kind(model: DeclaredModel) -> ModelKind:
    roles = [parent.role for parent in model.parents]
    guessed = next((_KINDS[role] for role in _KINDS if role in roles), ModelKind.BASE)
    return model.kind or guessed


def _parents(desk: Desk, declared: Sequence[DeclaredParent]) -> tuple[tuple[Parent, ...], list[str]]:
    found: dict[str, Parent] = {}
    notes = []
    for item in declared:
        known = _known("model", item.name, item.sha256)
        if not desk.registry.holds("model", known.sha256):
            notes.append(f"The parent {item.name!r} is not registered: of unknown origin, L0.")
        if known.sha256 in found:
            notes.append(f"The parent {item.name!r} is named twice: its first weight is kept.")
        parent = Parent(known.name, known.sha256, item.role, item.weight, item.blocks)
        found.setdefault(known.sha256, parent)
    return tuple(found.values()), notes


def _training(desk: Desk, declared: Sequence[DeclaredTraining]) -> tuple[tuple[Training, ...], list[str]]:
    found: dict[Training, None] = {}
    notes = []
    for item in declared:
        known = _known("dataset", item.dataset, item.sha256)
        if not desk.registry.holds("dataset", known.sha256):
            notes.append(f"The dataset {item.dataset!r} is not registered: no grant can cover it.")
        if item.stage is None:
            notes.append(f"The stage of {item.dataset!r} is not said: taken as focused.")
        found.setdefault(Training(known.name, known.sha256, item.stage or TrainingStage.FOCUSED))
    return tuple(found), notes


def _known(kind: str, name: str, sha256: str | None) -> Artifact:
    # A name in somebody's file is no identity: what the studio has under it may be another thing.
    return Artifact(name, sha256) if sha256 is not None else named(kind, name)


def _dataset(dataset: DeclaredDataset) -> Iterator[str]:
    yield f"The dataset {dataset.name!r} is described here: register it with its list of works."
    if dataset.usage.permitted or dataset.usage.prohibited or dataset.usage.unmapped:
        yield f"The file makes an offer for {dataset.name!r}: record what was agreed as a grant."
