"""A model, a dataset or a grant, with all that the log knows of it: one value for each page.

``known`` leaves out what the studio came to know later; where a thing stands is asked of the moment ``at``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ledger.core.artifact import Artifact
from ledger.core.predicates import (
    Approval,
    Dataset,
    DatasetV2,
    Grant,
    GrantRevocation,
    Model,
    ModelV2,
    Override,
    Review,
    ServiceTerms,
    TrainingRun,
)
from ledger.core.predicates.model import Training
from ledger.core.rights.facts import FactRecord, Facts, Known, KnownGrant
from ledger.core.rights.models import attestations, whole_runs
from ledger.errors import UsageError
from ledger.service.clear.projecting import affected
from ledger.service.clear.touched import resting_on
from ledger.service.desk.family import Family, family_of
from ledger.service.desk.hanging import KINDS, Hanging, InShot, Uses, by_shot
from ledger.service.reading.pages import MAX_INDEX, Page
from ledger.service.rights.lineage import GrantGlance, glance
from ledger.service.rights.reading import facts_of, records_of
from ledger.service.rights.registry import UNKNOWN
from ledger.service.studio import Studio

MOST_FILES = 20_000
"""Final files that are gone through for the shots that they are in."""
MOST_SHOTS = 40


@dataclass(frozen=True, slots=True)
class Around:
    """What is said of a thing, and where it is used.

    ``grants`` are those about it, oldest entry first. ``shots`` are the shots with most final files and how
    many; ``None`` where there are too many files to go through. ``others`` counts the shots left out.
    """

    grants: tuple[KnownGrant, ...]
    reviews: tuple[Known[Review], ...]
    approvals: tuple[Known[Approval], ...]
    overrides: tuple[Known[Override], ...]
    uses: Uses
    shots: tuple[InShot, ...] | None
    others: int


@dataclass(frozen=True, slots=True)
class ModelSheet:
    """``attested``: an attestation of exactly its training is on record, and more than somebody's word.

    ``runs`` are all attestations; ``terms`` the snapshots of a service's terms, oldest first.
    """

    stated: Known[Model]
    around: Around
    family: Family
    training: tuple[tuple[Training, bool], ...]
    runs: tuple[Known[TrainingRun], ...]
    attested: bool
    terms: tuple[Known[ServiceTerms], ...]

    @property
    def later(self) -> ModelV2 | None:
        """Return what only a later version can say."""
        return self.stated.predicate if isinstance(self.stated.predicate, ModelV2) else None


@dataclass(frozen=True, slots=True)
class DatasetSheet:
    """``committed`` is when its inventory was committed first. ``trained`` are models and their stages.

    ``runs`` are the attested trainings of these; ``parties`` are who grants, by identifier.
    """

    stated: Known[Dataset]
    around: Around
    committed: Known[Dataset] | None
    trained: tuple[tuple[Known[Model], str], ...]
    runs: tuple[Known[TrainingRun], ...]
    parties: tuple[str, ...]

    @property
    def later(self) -> DatasetV2 | None:
        """Return what only a later version can say."""
        return self.stated.predicate if isinstance(self.stated.predicate, DatasetV2) else None


@dataclass(frozen=True, slots=True)
class GrantSheet:
    """``held`` is the grant, several times only where ``grant/v1`` was; ``history``: all its entries."""

    name: str
    held: tuple[tuple[KnownGrant, GrantGlance], ...]
    history: tuple[FactRecord, ...]
    covers: tuple[Artifact, ...]
    files: int


def model_sheet(studio: Studio, sha256: str, known: datetime | None) -> ModelSheet:
    """Return a registered model. Raises ``UsageError("registry.unknown-model")``."""
    facts = facts_of(studio, known)
    found = facts.model(sha256)
    if found is None:
        raise UsageError(UNKNOWN["model"], "No model of this digest is registered.", name=sha256)
    model, runs = found.predicate, attestations(facts, sha256, studio.clock.now())
    service = model.service if isinstance(model, ModelV2) else None
    return ModelSheet(
        found,
        _around(studio, facts, sha256),
        family_of(facts, sha256),
        tuple((item, facts.dataset(item.sha256) is not None) for item in model.training),
        tuple(facts.runs(sha256)),
        bool(whole_runs(model, runs)),
        tuple(facts.service_terms(service.vendor, service.product)) if service else (),
    )


def dataset_sheet(studio: Studio, sha256: str, known: datetime | None) -> DatasetSheet:
    """Return a registered dataset. Raises ``UsageError("registry.unknown-dataset")``."""
    facts = facts_of(studio, known)
    found = facts.dataset(sha256)
    if found is None:
        raise UsageError(UNKNOWN["dataset"], "No dataset of this digest is registered.", name=sha256)
    trained = [
        (model, item.stage.value)
        for model in facts.models.values()
        for item in model.predicate.training
        if item.sha256 == sha256
    ]
    around = _around(studio, facts, sha256)
    givers = (item.terms.assigner for item in around.grants if item.terms)
    return DatasetSheet(
        found,
        around,
        facts.committed(sha256),
        tuple(sorted(trained, key=lambda pair: (pair[0].predicate.name, pair[1]))),
        tuple(run for model, _ in trained for run in facts.runs(model.subjects[0].sha256)),
        tuple(dict.fromkeys(giver for giver in givers if giver)),
    )


def grant_sheet(studio: Studio, name: str, known: datetime | None) -> GrantSheet:
    """Return a grant. Raises ``UsageError("registry.unknown-grant")``."""
    facts, now = facts_of(studio, known), studio.clock.now()
    held = facts.grants_named(name)
    if not held:
        raise UsageError(UNKNOWN["grant"], "No grant of this name is registered.", name=name)
    covers = tuple(dict.fromkeys(subject for item in held for subject in item.stated.subjects))
    hanging = Hanging(studio, facts_of(studio))
    return GrantSheet(
        name,
        tuple((item, glance(item, now)) for item in held),
        tuple(record for record in records_of(studio) if _is_of(record, name, known)),
        covers,
        hanging.count(subject.sha256 for subject in covers),
    )


def grants_page(grants: Sequence[KnownGrant], page: Page) -> tuple[Sequence[KnownGrant], str | None]:
    """Return a page of the grants about a thing, the newest entry first, and the cursor of the next."""
    (before,) = page.place(int) or (MAX_INDEX,)
    left = [item for item in reversed(grants) if item.stated.index < before]
    shown = left[: page.limit]
    return shown, page.cursor(shown[-1].stated.index) if len(left) > len(shown) else None


def _is_of(record: FactRecord, grant_id: str, known: datetime | None) -> bool:
    """Whether an entry states or revokes this grant, and was known by then."""
    predicate = record.statement.predicate
    if not (record.by_registrar and isinstance(predicate, Grant | GrantRevocation)):
        return False
    recorded: datetime | None = getattr(predicate, "recorded", None)
    return predicate.grant_id == grant_id and (known is None or recorded is None or recorded <= known)


def _around(studio: Studio, facts: Facts, sha256: str) -> Around:
    # Uses are of all that is known: what was not known yet hid no use of it.
    now = facts_of(studio)
    uses = Hanging(studio, now).uses([sha256])
    shots = _shots(studio, now, sha256) if uses.files <= MOST_FILES else None
    return Around(
        tuple(facts.grants_about(sha256)),
        tuple(facts.reviews(sha256)),
        tuple(facts.approvals(sha256)),
        tuple(facts.overrides(sha256)),
        uses,
        tuple(shots[:MOST_SHOTS]) if shots is not None else None,
        max(0, len(shots or ()) - MOST_SHOTS),
    )


def _shots(studio: Studio, facts: Facts, sha256: str) -> list[InShot]:
    held = resting_on(facts, [sha256])
    return by_shot(affected(studio, [(kind, each) for kind in KINDS for each in sorted(held)]).finals)
