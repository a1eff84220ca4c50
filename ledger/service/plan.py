"""From a record to a manifest plan: which C2PA words say what the step said (docs/spec/manifest.md).

* ``generate`` creates, by a trained algorithm; ``edit`` and ``convert`` open their parent; ``composite``
  places its components; ``import`` opens what came in: nobody here created it;
* a model's own manifest opens the weights as they came, a dataset's creates its inventory;
* a manifest that came in with the file is opened by ``import``, and by ``edit`` and ``convert`` where they
  name no parent; every other step places it;
* a model or dataset that the step, or an unsealed ancestor, used is an ``inputTo`` ingredient with its own
  manifest; so is the prompt, as a commitment;
* whatever has a model anywhere under it is never called a human edit or a plain composite.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ledger.core import canonical
from ledger.core.artifact import Artifact, Role
from ledger.core.evidence import Evidence
from ledger.core.lineage import Record
from ledger.core.manifest import LEDGER_ENTRY, Action, Ingredient, ManifestPlan, Relationship
from ledger.core.predicates import Dataset, Model, ModelV2, Step
from ledger.core.predicates.step import StepAction
from ledger.errors import UsageError
from ledger.service.archive import Archive
from ledger.service.evidence import Basis, evidence

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
RELATIONSHIPS = {
    Role.PARENT: Relationship.PARENT,
    Role.COMPONENT: Relationship.COMPONENT,
    Role.REFERENCE: Relationship.INPUT,
    Role.MODEL: Relationship.INPUT,
    Role.DATASET: Relationship.INPUT,
    Role.CONTROL: Relationship.INPUT,
    Role.INPAINT: Relationship.COMPONENT,
}
DATA_TYPES = {Role.MODEL: "c2pa.types.model", Role.DATASET: "c2pa.types.dataset"}
ARRIVED = "arrived-1"
"""Label of the ingredient that stands for an imported file, or a model, as it came in."""
NOT_ALLOWED = {"use": "notAllowed"}
TRAINING_MINING = {
    "entries": {
        f"cawg.{use}": NOT_ALLOWED
        for use in ("ai_generative_training", "ai_training", "ai_inference", "data_mining")
    }
}


def plan_of(archive: Archive, record: Record, subject: Artifact, found: Basis) -> ManifestPlan:
    """Return the plan for a recorded file. Raises ``UsageError("seal.not-recorded")`` for any other entry."""
    predicate = record.statement.predicate
    if isinstance(predicate, Step):
        return _plan_step(archive, record, predicate, subject, found)
    if isinstance(predicate, Model | Dataset):
        return _plan_thing(archive, record, predicate, found)
    raise UsageError("seal.not-recorded", "Only files made by a step, models and datasets are sealed.")


def keep_inbound(plan: ManifestPlan, record: Record, store: bytes, sha256: str | None) -> ManifestPlan:
    """Return the plan with a manifest store that came in with the file: a mark that came in is never lost.

    ``sha256`` (hex) is of the bytes that the store is about; ``None`` for one that is embedded in them.
    """
    if any(item.store == store for item in plan.ingredients):
        return plan
    arrived = next((item for item in plan.ingredients if item.label == ARRIVED and not item.store), None)
    if arrived is not None:
        kept = replace(arrived, store=store, sha256=sha256)
        return replace(plan, ingredients=(kept, *(item for item in plan.ingredients if item != arrived)))
    step = record.statement.predicate
    label = f"inbound-{sum(item.label.startswith('inbound-') for item in plan.ingredients) + 1}"
    kept = Ingredient(label, plan.title, Relationship.COMPONENT, plan.media_type, store=store, sha256=sha256)
    first, *rest = plan.actions
    if first.action == "c2pa.created" and isinstance(step, Step) and step.action in _OPENS:
        kept = replace(kept, relationship=Relationship.PARENT)
        opened = replace(first, action="c2pa.opened", digital_source_type=None, ingredient_labels=(label,))
        actions = (opened, replace(first, action=_EDITS[step.action]), *rest)
    else:
        placed = Action("c2pa.placed", first.when, f"{IPTC}composite", ingredient_labels=(label,))
        actions = (first, placed, *rest)
    return replace(plan, actions=actions, ingredients=(*plan.ingredients, kept))


def _plan_step(archive: Archive, record: Record, step: Step, subject: Artifact, found: Basis) -> ManifestPlan:
    """Return the plan for a file that a step wrote."""
    ingredients = _ingredients(archive, step, found)
    if step.action is StepAction.IMPORT and not any(_is_parent(item) for item in ingredients):
        media_type = subject.media_type or "application/octet-stream"
        ingredients.insert(0, Ingredient(ARRIVED, subject.name, Relationship.PARENT, media_type))
    if step.commitments:
        ingredients.append(_commitment(step))
    assertions: dict[str, Any] = {
        "cawg.training-mining": TRAINING_MINING,
        LEDGER_ENTRY: Evidence(subject.sha256, evidence(archive, record, found)).to_json(),
    }
    disclosure = _disclosure(found)
    if disclosure:
        assertions["c2pa.ai-disclosure"] = disclosure
    return ManifestPlan(
        title=subject.name,
        media_type=subject.media_type or "application/octet-stream",
        actions=tuple(_actions(step, ingredients, generative=bool(disclosure))),
        ingredients=tuple(ingredients),
        assertions=assertions,
    )


def _plan_thing(archive: Archive, record: Record, thing: Model | Dataset, found: Basis) -> ManifestPlan:
    """Return the plan for a model's or a dataset's own manifest.

    A model's opens the weights as they came: whoever registers them does not say that they made them. A
    dataset's inventory is put together here.
    """
    subject = record.statement.subjects[0]
    media_type = subject.media_type or "application/octet-stream"
    ingredients = _made_from(archive, thing)
    begun = Action("c2pa.created", archive.studio.clock.now(), f"{IPTC}composite")
    if isinstance(thing, Model):
        arrived = Ingredient(
            ARRIVED, thing.name, Relationship.PARENT, media_type, data_type=DATA_TYPES[Role.MODEL]
        )
        ingredients.insert(0, arrived)
        begun = Action("c2pa.opened", begun.when, ingredient_labels=(ARRIVED,))
    # No c2pa.asset-type.v2: the library writes it under the label that C2PA 2.2 withdrew.
    return ManifestPlan(
        title=f"{thing.name} {thing.version}",
        media_type=media_type,
        actions=(begun,),
        ingredients=tuple(ingredients),
        assertions={LEDGER_ENTRY: Evidence(subject.sha256, evidence(archive, record, found)).to_json()},
    )


def _made_from(archive: Archive, thing: Model | Dataset) -> list[Ingredient]:
    """Return the datasets that a model was trained on, and the models that it was made from."""
    training = thing.training if isinstance(thing, Model) else ()
    parents = thing.parents if isinstance(thing, ModelV2) else ()
    datasets = [Artifact(item.dataset, item.sha256, "text/csv", role=Role.DATASET) for item in training]
    models = [Artifact(item.name, item.sha256, role=Role.MODEL) for item in parents]
    return [_ingredient(archive, item, f"dataset-{n}") for n, item in enumerate(datasets, 1)] + [
        _ingredient(archive, item, f"model-{n}") for n, item in enumerate(models, 1)
    ]


def _ingredients(archive: Archive, step: Step, found: Basis) -> list[Ingredient]:
    direct = [material for material in step.materials if material.role not in (Role.MODEL, Role.DATASET)]
    counts: dict[Role, int] = {}
    planned = []
    inherited = [replace(material, role=Role.REFERENCE) for material in found.inherited]
    for material in (*direct, *inherited, *_inputs(found)):
        role = material.role or Role.REFERENCE
        if role is Role.PARENT and role in counts:
            role = Role.COMPONENT  # a manifest has one parent; the others are visible in it all the same
        counts[role] = counts.get(role, 0) + 1
        planned.append(_ingredient(archive, replace(material, role=role), f"{role.value}-{counts[role]}"))
    return planned


def _inputs(found: Basis) -> list[Artifact]:
    """Return the models and datasets of the record and of its unsealed ancestors, as materials."""
    materials: dict[str, Artifact] = {}
    for record in found.unsealed:
        step = record.statement.predicate
        for material in step.materials if isinstance(step, Step) else ():
            if material.sha256 in found.inputs and material.role in (Role.MODEL, Role.DATASET):
                materials.setdefault(material.sha256, material)
    return list(materials.values())


def _ingredient(archive: Archive, material: Artifact, label: str) -> Ingredient:
    role = material.role or Role.REFERENCE
    sealed, store = archive.manifest(material.sha256) or (None, None)
    return Ingredient(
        label=label,
        title=material.name,
        relationship=RELATIONSHIPS[role],
        media_type=material.media_type or "application/octet-stream",
        data_type=DATA_TYPES.get(role),
        store=store,
        sha256=sealed,
    )


def _commitment(step: Step) -> Ingredient:
    """The prompt, as salted digests: the text is not in the file, and its holder can still open it."""
    data = canonical.encode({"_sd": list(step.commitments), "_sd_alg": "sha-256"})
    return Ingredient(
        "prompt-1",
        "prompt (commitment)",
        Relationship.INPUT,
        "application/json",
        "c2pa.types.generator.prompt",
        data=data,
    )


def _disclosure(found: Basis) -> dict[str, Any] | None:
    """Return ``c2pa.ai-disclosure`` for the nearest model in the lineage, ``None`` when there is no model."""
    for sha256 in found.lineage.names:
        record = found.lineage.records.get(sha256)
        model = record.statement.predicate if record else None
        if isinstance(model, Model):
            identifier = f"pkg:generic/{model.name}@{model.version}?checksum=sha256:{sha256}"
            return {"modelType": "c2pa.types.model", "modelName": model.name, "modelIdentifier": identifier}
    unregistered = next((link for link in found.lineage.links if link.role == Role.MODEL.value), None)
    if unregistered is None:
        return None
    name = found.lineage.names[unregistered.parent]
    identifier = f"pkg:generic/{name}?checksum=sha256:{unregistered.parent}"
    return {"modelType": "c2pa.types.model", "modelName": name, "modelIdentifier": identifier}


def _actions(step: Step, ingredients: list[Ingredient], *, generative: bool) -> list[Action]:
    parents = [item for item in ingredients if _is_parent(item)]
    components = [item for item in ingredients if item.relationship is Relationship.COMPONENT]
    inputs = [item for item in ingredients if item.relationship is Relationship.INPUT]
    source = IPTC + _source_type(step, generative=generative)
    actions = []
    if parents:
        actions.append(_action(step, "c2pa.opened", None, parents))
        if step.action in _EDITS:
            actions.append(_action(step, _EDITS[step.action], source, inputs))
    else:
        actions.append(_action(step, "c2pa.created", source, inputs))
    if components:
        actions.append(_action(step, "c2pa.placed", f"{IPTC}composite", components))
    return actions


_EDITS = {
    StepAction.EDIT: "c2pa.edited",
    StepAction.CONVERT: "c2pa.converted",
    StepAction.COMPOSITE: "c2pa.edited",
    StepAction.GENERATE: "c2pa.edited",
    StepAction.RENDER: "c2pa.edited",
    StepAction.DRAW: "c2pa.drawing",
}


_OPENS = (StepAction.IMPORT, StepAction.EDIT, StepAction.CONVERT)


def _is_parent(ingredient: Ingredient) -> bool:
    return ingredient.relationship is Relationship.PARENT


def _source_type(step: Step, *, generative: bool) -> str:
    own_model = any(material.role is Role.MODEL for material in step.materials)
    if step.action is StepAction.GENERATE and own_model:
        return "trainedAlgorithmicMedia"
    if generative:
        return "compositeWithTrainedAlgorithmicMedia"
    if step.action is StepAction.COMPOSITE:
        return "composite"
    if step.action in (StepAction.EDIT, StepAction.CONVERT):
        return "humanEdits"
    return "digitalCreation"


def _action(step: Step, action: str, source: str | None, ingredients: list[Ingredient]) -> Action:
    return Action(
        action=action,
        when=step.finished,
        digital_source_type=source,
        software_agent=step.tool.name,
        software_version=step.tool.version,
        ingredient_labels=_labels(ingredients),
    )


def _labels(ingredients: list[Ingredient]) -> tuple[str, ...]:
    return tuple(item.label for item in ingredients)
