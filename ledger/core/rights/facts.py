"""The registry, as the log tells it up to one entry and as the studio knew it at one moment.

* Only what a registrar signed counts, but for two things that a device sees for itself: a training run, and a
  finding that it opens.
* What a device states counts until its key is revoked as stolen: not from the entry on that the revocation
  suspects. A finding stands as it was first opened: what a device says of it again changes nothing.
* The newest statement about a thing counts: the newest registration of the same bytes, the highest version of
  a grant or a consent, the newest review of a thing, the newest state of a finding.
* A grant carries its revocation, the one that takes effect first: what ended is granted anew under another
  identifier.
* Statements of the first version have no ``recorded``: they were known as soon as they were made; a training
  run when it had finished. Several ``grant/v1`` of one identifier all count, until a later version takes
  their place.
* A dataset may be stated again, with its licence or its composition. Its inventory is as old as the first
  statement that has the same one.
* A title keeps every name that it ever had: an old contract names it by the old one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from ledger.core.artifact import Artifact
from ledger.core.predicates import (
    Approval,
    Consent,
    Dataset,
    DatasetV2,
    Fact,
    Finding,
    Grant,
    GrantRevocation,
    GrantV2,
    Model,
    Override,
    Party,
    Predicate,
    Review,
    Revocation,
    ServiceTerms,
    Title,
    TrainingRun,
    Work,
)
from ledger.core.predicates.dataset_v2 import InventoryRoot
from ledger.core.predicates.finding import FindingKind, FindingState
from ledger.core.statement import Statement

P = TypeVar("P", bound=Predicate)


@dataclass(frozen=True, slots=True)
class FactRecord:
    """One entry of the registry. ``by_registrar``: whether a registrar signed it; else ``keyid`` did."""

    index: int
    statement: Statement
    by_registrar: bool = True
    keyid: str | None = None


@dataclass(frozen=True, slots=True)
class Known(Generic[P]):
    """A predicate with the entry that states it."""

    index: int
    subjects: tuple[Artifact, ...]
    predicate: P


@dataclass(frozen=True, slots=True)
class KnownGrant:
    """A grant in its newest version, with its revocation, if there is one."""

    stated: Known[Grant]
    revoked: Known[GrantRevocation] | None = None

    @property
    def grant(self) -> Grant:
        """Return what it grants."""
        return self.stated.predicate

    @property
    def terms(self) -> GrantV2 | None:
        """Return what only a later version can say; ``None`` for ``grant/v1``, which limits nothing."""
        return self.grant if isinstance(self.grant, GrantV2) else None


class Facts:
    """What is known of the things that a basis names. Built once, then only read.

    ``size`` is that of the tree that holds the records. What came to be known after ``known`` is left out.
    """

    def __init__(self, records: Iterable[FactRecord], size: int, known: datetime | None = None) -> None:
        self.size = size
        self.known = known
        self._models: dict[str, Known[Model]] = {}
        self._datasets: dict[str, Known[Dataset]] = {}
        self._committed: dict[tuple[str, InventoryRoot], Known[Dataset]] = {}
        self._grants: dict[str, list[Known[Grant]]] = {}
        self._revocations: dict[str, Known[GrantRevocation]] = {}
        self._runs: dict[str, list[Known[TrainingRun]]] = defaultdict(list)
        self._reviews: dict[str, list[Known[Review]]] = defaultdict(list)
        self._approvals: dict[str, list[Known[Approval]]] = defaultdict(list)
        self._overrides: dict[str, list[Known[Override]]] = defaultdict(list)
        self._terms: dict[tuple[str, str], list[Known[ServiceTerms]]] = defaultdict(list)
        self._consents: dict[str, Known[Consent]] = {}
        self._findings: dict[tuple[str, str], dict[FindingKind, Known[Finding]]] = defaultdict(dict)
        self._suspect: dict[str, int] = {}
        self._titles: dict[str, list[Known[Title]]] = defaultdict(list)
        self._parties: dict[str, Known[Party]] = {}
        self._works: dict[str, Known[Work]] = {}
        ordered = sorted(records, key=lambda item: item.index)
        for record in ordered:
            self._hear(record)
        for record in ordered:
            self._take(record)
        self._about = self._grants_by_subject()

    def model(self, sha256: str) -> Known[Model] | None:
        """Return the newest registration of these weights, or of this service."""
        return self._models.get(sha256)

    def dataset(self, sha256: str) -> Known[Dataset] | None:
        """Return the newest registration of this dataset."""
        return self._datasets.get(sha256)

    def committed(self, sha256: str) -> Known[Dataset] | None:
        """Return the first registration of the inventory that this dataset now has, if it has one."""
        known = self._datasets.get(sha256)
        inventory = _inventory(known.predicate) if known else None
        return self._committed[sha256, inventory] if inventory else None

    @property
    def models(self) -> Mapping[str, Known[Model]]:
        """Return the newest registration of every model, by digest."""
        return self._models

    @property
    def datasets(self) -> Mapping[str, Known[Dataset]]:
        """Return the newest registration of every dataset, by digest."""
        return self._datasets

    @property
    def parties(self) -> Mapping[str, Known[Party]]:
        """Return every party, by identifier."""
        return self._parties

    @property
    def works(self) -> Mapping[str, Known[Work]]:
        """Return every work, by the digest of its bytes."""
        return self._works

    @property
    def titles(self) -> Mapping[str, Known[Title]]:
        """Return the newest statement of every title, by identifier."""
        return {title_id: stated[-1] for title_id, stated in self._titles.items()}

    @property
    def services(self) -> Mapping[tuple[str, str], Sequence[Known[ServiceTerms]]]:
        """Return the snapshots of every service's terms, oldest first, by vendor and product."""
        return self._terms

    @property
    def grants(self) -> Sequence[KnownGrant]:
        """Return every grant in its newest version, oldest entry first."""
        found = (item for grant_id in self._grants for item in self.grants_named(grant_id))
        return sorted(found, key=lambda item: item.stated.index)

    def grants_named(self, grant_id: str) -> Sequence[KnownGrant]:
        """Return the grant of this identifier; several only where ``grant/v1`` said it several times."""
        revoked = self._revocations.get(grant_id)
        return [KnownGrant(stated, revoked) for stated in self._grants.get(grant_id, ())]

    def grants_about(self, sha256: str) -> Sequence[KnownGrant]:
        """Return the grants about a model, a dataset or a file, oldest entry first."""
        return self._about.get(sha256, ())

    def runs(self, sha256: str) -> Sequence[Known[TrainingRun]]:
        """Return the attested training runs that wrote these weights, oldest first."""
        return self._runs.get(sha256, ())

    def review(self, sha256: str, moment: datetime) -> Known[Review] | None:
        """Return the newest review of the thing whose standing had begun by then."""
        stood = [item for item in self._reviews.get(sha256, ()) if item.predicate.since <= moment]
        return stood[-1] if stood else None

    def reviews(self, sha256: str) -> Sequence[Known[Review]]:
        """Return the reviews of a thing, oldest first."""
        return self._reviews.get(sha256, ())

    def approvals(self, sha256: str) -> Sequence[Known[Approval]]:
        """Return the decisions about a thing, oldest first."""
        return self._approvals.get(sha256, ())

    def overrides(self, sha256: str) -> Sequence[Known[Override]]:
        """Return the overrides of findings about a thing, oldest first."""
        return self._overrides.get(sha256, ())

    def service_terms(self, vendor: str, product: str) -> Sequence[Known[ServiceTerms]]:
        """Return the snapshots of a service's terms, of every plan tier, oldest first."""
        return self._terms.get((vendor, product), ())

    def consents(self, person: str) -> Sequence[Known[Consent]]:
        """Return the consents of a person, by the digest of the pseudonym, each in its newest version."""
        return [item for item in self._consents.values() if item.subjects[0].sha256 == person]

    def findings(self, finding_id: str, sha256: str) -> Sequence[Known[Finding]]:
        """Return where a finding about a file stands: once for each kind, so that none hides another."""
        return tuple(self._findings.get((finding_id, sha256), {}).values())

    def names_of(self, title_id: str) -> frozenset[str]:
        """Return the identifier of a title and every name that it ever had."""
        return frozenset((title_id, *(item.predicate.name for item in self._titles.get(title_id, ()))))

    def title_of(self, production: str) -> Known[Title] | None:
        """Return the one title that this production is delivered under; ``None`` if none or several are."""
        found = [item for item in self.titles.values() if production in item.predicate.productions]
        return found[0] if len(found) == 1 else None

    def _hear(self, record: FactRecord) -> None:
        """Take note from which entry on a key that was revoked is suspect."""
        predicate = record.statement.predicate
        if record.by_registrar and isinstance(predicate, Revocation) and predicate.suspect_from is not None:
            self._suspect.setdefault(record.statement.subjects[0].sha256, predicate.suspect_from)

    def _take(self, record: FactRecord) -> None:
        predicate = record.statement.predicate
        if record.keyid is not None and record.index >= self._suspect.get(record.keyid, record.index + 1):
            return
        learned = _learned(predicate)
        if learned is not None and self.known is not None and learned > self.known:
            return
        if record.by_registrar or isinstance(predicate, TrainingRun):
            self._keep(record.index, record.statement.subjects, predicate)
        elif isinstance(predicate, Finding) and predicate.state is FindingState.OPEN:
            self._open(Known(record.index, record.statement.subjects, predicate))

    def _keep(self, index: int, subjects: tuple[Artifact, ...], predicate: Predicate) -> None:
        match predicate:
            case Grant():
                self._keep_grant(Known(index, subjects, predicate))
            case GrantRevocation():
                self._keep_revocation(Known(index, subjects, predicate))
            case Consent():
                self._keep_consent(Known(index, subjects, predicate))
            case Finding():
                for subject in subjects:
                    known = self._findings[predicate.finding_id, subject.sha256]
                    known[predicate.kind] = Known(index, subjects, predicate)
            case Review() | Approval() | Override():
                self._keep_decision(index, subjects, predicate)
            case _:
                self._keep_thing(index, subjects, predicate)

    def _open(self, stated: Known[Finding]) -> None:
        finding = stated.predicate
        for subject in stated.subjects:
            self._findings[finding.finding_id, subject.sha256].setdefault(finding.kind, stated)

    def _keep_thing(self, index: int, subjects: tuple[Artifact, ...], predicate: Predicate) -> None:
        about = subjects[0].sha256
        match predicate:
            case Model():
                self._models[about] = Known(index, subjects, predicate)
            case Dataset():
                self._keep_dataset(about, Known(index, subjects, predicate))
            case Work():
                self._works[about] = Known(index, subjects, predicate)
            case Party():
                self._parties[predicate.party_id] = Known(index, subjects, predicate)
            case Title():
                self._titles[predicate.title_id].append(Known(index, subjects, predicate))
            case TrainingRun():
                self._runs[about].append(Known(index, subjects, predicate))
            case ServiceTerms():
                self._terms[predicate.vendor, predicate.product].append(Known(index, subjects, predicate))
            case _:
                pass  # keys, steps and seals are no facts of the registry

    def _keep_decision(
        self, index: int, subjects: tuple[Artifact, ...], predicate: Review | Approval | Override
    ) -> None:
        for subject in subjects:
            match predicate:
                case Review():
                    self._reviews[subject.sha256].append(Known(index, subjects, predicate))
                case Approval():
                    self._approvals[subject.sha256].append(Known(index, subjects, predicate))
                case Override():
                    self._overrides[subject.sha256].append(Known(index, subjects, predicate))

    def _keep_grant(self, stated: Known[Grant]) -> None:
        known = self._grants.setdefault(stated.predicate.grant_id, [])
        version = _version(stated.predicate)
        newest = max((_version(item.predicate) for item in known), default=0)
        if version > 0 and version >= newest:
            known[:] = [stated]
        elif newest == 0:
            known.append(stated)

    def _keep_dataset(self, about: str, stated: Known[Dataset]) -> None:
        self._datasets[about] = stated
        inventory = _inventory(stated.predicate)
        if inventory is not None:
            self._committed.setdefault((about, inventory), stated)

    def _keep_revocation(self, stated: Known[GrantRevocation]) -> None:
        revocation = stated.predicate
        known = self._revocations.get(revocation.grant_id)
        if known is None or revocation.effective < known.predicate.effective:
            self._revocations[revocation.grant_id] = stated

    def _keep_consent(self, stated: Known[Consent]) -> None:
        known = self._consents.get(stated.predicate.consent_id)
        if known is None or stated.predicate.version >= known.predicate.version:
            self._consents[stated.predicate.consent_id] = stated

    def _grants_by_subject(self) -> dict[str, list[KnownGrant]]:
        found: dict[str, list[KnownGrant]] = defaultdict(list)
        for grant in self.grants:
            for subject in grant.stated.subjects:
                found[subject.sha256].append(grant)
        return found


def _learned(predicate: Predicate) -> datetime | None:
    """Return when the studio came to know it; ``None``: as soon as it was stated."""
    if isinstance(predicate, TrainingRun):
        return predicate.finished
    return predicate.recorded if isinstance(predicate, Fact) else None


def _inventory(dataset: Dataset) -> InventoryRoot | None:
    return dataset.inventory if isinstance(dataset, DatasetV2) else None


def _version(grant: Grant) -> int:
    return grant.version if isinstance(grant, GrantV2) else 0
