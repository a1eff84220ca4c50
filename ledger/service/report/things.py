"""The tables of models and datasets: what was used, what that was made from, and what it was trained on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from ledger.core.audit import Row, Table
from ledger.core.audit.tables_of_things import DATASETS, MODELS
from ledger.core.fields import format_time
from ledger.core.predicates import Dataset, DatasetV2, Model, ModelV2
from ledger.core.predicates.model import TrainingStage
from ledger.core.predicates.model_v2 import Parent
from ledger.core.rights.basis import ItemKind
from ledger.core.rights.facts import Known
from ledger.core.rights.grants import basis_of
from ledger.core.rights.models import attestations, whole_runs
from ledger.core.rights.terms import registered_service
from ledger.service.report.grants import state_of
from ledger.service.report.ground import Ground, ascending
from ledger.service.report.uses import Uses

_UNUSED = Uses()


def models_table(ground: Ground) -> Table:
    """Return the models; remote services have a table of their own."""
    services = {item.sha256 for item in ground.items if item.kind is ItemKind.SERVICE}
    rows: list[Row] = [
        _model_row(ground, known)
        for known in ground.materials.models
        if registered_service(ground.facts, known.subjects[0].sha256) is None
    ]
    rows += [
        _unknown_model(ground, item.sha256, item.name)
        for item in ground.materials.unregistered
        if item.kind == "model" and item.sha256 not in services
    ]
    place = MODELS.place("used")
    return Table(MODELS, _sorted(rows, lambda row: (not row[place], row[1], row[0])))


def datasets_table(ground: Ground) -> Table:
    """Return the datasets: also those that pictures were only taken out of."""
    trained = _trained_on(ground)
    things = frozenset[str]().union(*ground.things)
    found = [known for sha256 in things if (known := ground.facts.dataset(sha256))]
    rows: list[Row] = [_dataset_row(ground, known, trained) for known in found]
    named = {item.sha256: item.name for item in ground.materials.unregistered if item.kind == "dataset"}
    named |= {
        item.sha256: item.name
        for item in ground.materials.outside
        if item.sha256 in ground.used.datasets and ground.facts.dataset(item.sha256) is None
    }
    rows += [_unknown_dataset(ground, sha256, name, trained) for sha256, name in named.items()]
    return Table(DATASETS, _sorted(rows, lambda row: (row[1], row[0])))


def _sorted(rows: Iterable[Row], key: Callable[[Row], Row]) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=key))


def _model_row(ground: Ground, known: Known[Model]) -> Row:
    sha256, model = known.subjects[0].sha256, known.predicate
    later = model if isinstance(model, ModelV2) else None
    runs = attestations(ground.facts, sha256, ground.at)
    return (
        sha256,
        model.name,
        model.version,
        later.kind.value if later else None,
        sha256 in ground.materials.used,
        ground.files[sha256],
        tuple(map(_parent, later.parents)) if later else (),
        tuple(f"{item.dataset} ({item.stage.value})" for item in model.training),
        tuple(stage.value for stage in TrainingStage if any(item.stage is stage for item in model.training)),
        later.licence.expression if later and later.licence else None,
        _legal_basis(ground, sha256),
        bool(whole_runs(model, runs)) if model.training else None,
        ground.standing(sha256),
        ground.grade(sha256),
        ground.grants(sha256),
        ground.approved(sha256),
        _entries(ground, sha256, {known.index, *(run.index for run in ground.facts.runs(sha256))}),
    )


def _unknown_model(ground: Ground, sha256: str, name: str) -> Row:
    """Return the row of a model that is named and not registered."""
    return (
        sha256,
        name,
        None,
        None,
        sha256 in ground.materials.used,
        ground.files[sha256],
        (),
        (),
        (),
        None,
        _legal_basis(ground, sha256),
        None,
        ground.standing(sha256),
        ground.grade(sha256),
        ground.grants(sha256),
        ground.approved(sha256),
        _entries(ground, sha256, set()),
    )


def _parent(parent: Parent) -> str:
    """Return a parent with what it gave: ``sketcher (merged 0.25)``."""
    return f"{parent.name} ({' '.join(filter(None, (parent.role.value, parent.weight)))})"


def _legal_basis(ground: Ground, sha256: str) -> str | None:
    """Return the legal bases of the grants about a thing that are in force now."""
    grants = ground.facts.grants_about(sha256)
    found = {basis_of(item).value for item in grants if state_of(item, ground.at) == "in force"}
    return ", ".join(sorted(found)) or None


def _entries(ground: Ground, sha256: str, registered: set[int]) -> tuple[int, ...]:
    """Return where a thing is registered, where it is spoken of, and the steps that used it."""
    used = ground.used
    steps = [used.models.get(sha256, _UNUSED), used.datasets.get(sha256, _UNUSED)]
    return ascending(registered, ground.stated_about(sha256), *(uses.entries for uses in steps))


Trained = dict[str, list[tuple[str, TrainingStage]]]
"""By the digest of a dataset: the models under the files that were trained on it, and the stages."""


def _trained_on(ground: Ground) -> Trained:
    found: Trained = defaultdict(list)
    for known in ground.materials.models:
        for item in known.predicate.training:
            found[item.sha256].append((known.predicate.name, item.stage))
    return found


def _training(trained: Trained, sha256: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the stages at which a dataset was used, and the names of the models."""
    stages = {stage for _, stage in trained.get(sha256, ())}
    names = sorted({name for name, _ in trained.get(sha256, ())})
    return tuple(stage.value for stage in TrainingStage if stage in stages), tuple(names)


def _dataset_row(ground: Ground, known: Known[Dataset], trained: Trained) -> Row:
    sha256, dataset = known.subjects[0].sha256, known.predicate
    later = dataset if isinstance(dataset, DatasetV2) else None
    committed = ground.facts.committed(sha256)
    first = committed.predicate if committed else None
    stages, models = _training(trained, sha256)
    return (
        sha256,
        dataset.name,
        dataset.version,
        dataset.works,
        dataset.rights_holders,
        later.inventory.root if later and later.inventory else None,
        format_time(first.recorded) if isinstance(first, DatasetV2) else None,
        stages,
        models,
        ground.files[sha256],
        later.licence.expression if later and later.licence else None,
        ground.standing(sha256),
        ground.grade(sha256),
        ground.grants(sha256),
        tuple(sorted(set(_holders(ground, sha256)))),
        tuple(f"{facet} ({works:,})" for facet, works in later.composition) if later else (),
        _entries(ground, sha256, {known.index, *([committed.index] if committed else [])}),
    )


def _unknown_dataset(ground: Ground, sha256: str, name: str, trained: Trained) -> Row:
    """Return the row of a dataset that is named and not registered."""
    stages, models = _training(trained, sha256)
    return (
        sha256,
        name,
        *(None,) * 5,
        stages,
        models,
        ground.files[sha256],
        None,
        ground.standing(sha256),
        ground.grade(sha256),
        ground.grants(sha256),
        tuple(sorted(set(_holders(ground, sha256)))),
        (),
        _entries(ground, sha256, set()),
    )


def _holders(ground: Ground, sha256: str) -> Iterator[str]:
    """Yield the identifiers of the parties who grant something about a thing."""
    for item in ground.facts.grants_about(sha256):
        if item.terms and item.terms.assigner:
            yield item.terms.assigner
