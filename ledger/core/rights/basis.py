"""What a recorded file rests on: the models, services, references and people under it, and any gaps.

* The basis of a step is its own items and the items of everything that it read, as a set. The frames of a
  shot have thousands of records under them, and few distinct bases.
* Grants are not in it: they change. They join at evaluation, so a revocation rewrites nothing.
* Time stands in it by the quarter of an hour (``slot``). A grant must cover the whole quarter; terms begin
  and end on quarters, so nothing is lost.
* Several records that made the same bytes: all of them count, and if they disagree, that is an item, too. So
  nobody washes a picture by recording it a second time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from ledger.core import canonical
from ledger.core.artifact import Artifact, Role, named
from ledger.core.digest import sha256_hex
from ledger.core.predicates import Finding, Step, StepV2
from ledger.core.predicates.grant import Use
from ledger.core.predicates.step import Evidence, StepAction

SLOT = 900
"""Seconds in a slot."""
TIMELESS = -1
"""The slot of an item that is no use."""
UNNAMED = named("model", "unnamed")
"""Stands for the model of a generation that names none."""


class ItemKind(StrEnum):
    """What an item is."""

    # Enum's own is written in Python, and items are hashed by the hundred thousand.
    __hash__ = str.__hash__

    MODEL = "model"
    SERVICE = "service"
    """``detail``: the plan tier, empty when it is not on record."""
    DATASET = "dataset"
    """A step read it directly."""
    REFERENCE = "reference"
    """A picture that guided the work and that no record explains. ``detail``: the use that it is."""
    IMPORT = "import"
    """A file that came in from outside, by the record of its arrival; or the dataset that it came out of."""
    PERSON = "person"
    FINDING = "finding"
    """``detail``: the finding's identifier. Where it stands is looked up at evaluation."""
    GAP = "gap"
    """A visible file that no record explains, or one that a step read and nobody hashed."""
    FORK = "fork"
    """Bytes whose records disagree about what they were made from."""
    CYCLE = "cycle"
    """Bytes that, by the records, are under themselves."""
    INVALID = "invalid"
    """A record whose signature cannot be relied on. ``detail``: why."""
    WEAK = "weak"
    """A step that nothing observed."""


class Item(NamedTuple):
    """``slot`` counts quarters of an hour since 1970. ``evidence`` is that of the step that brought it."""

    kind: ItemKind
    sha256: str
    name: str
    detail: str = ""
    slot: int = TIMELESS
    evidence: Evidence = Evidence.OBSERVED


_INPUTS = {
    Role.REFERENCE: Use.REFERENCE_INPUT,
    Role.CONTROL: Use.CONTROL_INPUT,
    Role.INPAINT: Use.INPAINT_SOURCE,
}


def slot_of(moment: datetime) -> int:
    """Return the quarter of an hour that the moment falls into."""
    return int(moment.timestamp()) // SLOT


def slot_start(slot: int) -> datetime:
    """Return the moment at which the slot begins, UTC."""
    return datetime.fromtimestamp(slot * SLOT, UTC)


def own_items(subjects: Collection[Artifact], step: Step) -> frozenset[Item]:
    """Return what the step itself adds to the basis of its subjects, whatever else the log holds."""
    return frozenset(_own(tuple(subjects), step))


def unexplained(material: Artifact, step: Step) -> Item:
    """Return the item for a file that the step read and that no record explains."""
    use = _INPUTS.get(material.role or Role.REFERENCE)
    kind = ItemKind.REFERENCE if use else ItemKind.GAP
    return Item(
        kind,
        material.sha256,
        material.name,
        use.value if use else "",
        slot_of(step.finished),
        step.evidence,
    )


def guides(material: Artifact) -> bool:
    """Whether the material only guided the work, or part of it was painted over: it is not shown as it is."""
    return material.role in _INPUTS


def is_bare_import(step: Step) -> bool:
    """Whether the step brought in a file from outside, of which no record says what it was made from."""
    return step.action is StepAction.IMPORT and not any(map(is_lineage, step.materials))


def is_lineage(material: Artifact) -> bool:
    """Whether the material is a file whose own basis counts, as opposed to a model or a dataset."""
    return material.role not in (Role.MODEL, Role.DATASET)


def finding_item(subject: Artifact, finding: Finding) -> Item:
    """Return the item that a finding about a file adds to the basis of that file."""
    return Item(
        ItemKind.FINDING, subject.sha256, subject.name, finding.finding_id, TIMELESS, finding.evidence
    )


def digest(items: Collection[Item]) -> str:
    """Return the SHA-256 (hex) of the basis: of the canonical JSON of its sorted items."""
    return sha256_hex(canonical.encode([list(item) for item in sorted(items)]))


def _own(subjects: tuple[Artifact, ...], step: Step) -> Iterator[Item]:
    slot, service = slot_of(step.finished), step.service if isinstance(step, StepV2) else None
    imported = step.action is StepAction.IMPORT
    for material in step.materials:
        if material.role is Role.MODEL and service and material.sha256 == service.subject.sha256:
            continue
        if not is_lineage(material):
            of_dataset = ItemKind.IMPORT if imported else ItemKind.DATASET
            kind = ItemKind.MODEL if material.role is Role.MODEL else of_dataset
            yield Item(kind, material.sha256, material.name, "", slot, step.evidence)
    if step.action is StepAction.GENERATE and not any(item.role is Role.MODEL for item in step.materials):
        yield Item(ItemKind.MODEL, UNNAMED.sha256, UNNAMED.name, "", slot, step.evidence)
    if isinstance(step, StepV2):
        yield from _own_of_v2(step, slot)
    if imported and not any(item.role is Role.DATASET for item in step.materials):
        for subject in subjects:
            yield Item(ItemKind.IMPORT, subject.sha256, subject.name, "", slot, step.evidence)
    if step.evidence is not Evidence.OBSERVED:
        yield Item(ItemKind.WEAK, subjects[0].sha256, subjects[0].name, "", slot, step.evidence)


def _own_of_v2(step: StepV2, slot: int) -> Iterator[Item]:
    if step.service is not None:
        subject, tier = step.service.subject, step.plan_tier or ""
        yield Item(ItemKind.SERVICE, subject.sha256, subject.name, tier, slot, step.evidence)
    for person in step.people:
        yield Item(ItemKind.PERSON, named("person", person).sha256, person, "", slot, step.evidence)
    for name in step.capture.missed if step.capture else ():
        yield Item(ItemKind.GAP, named("missed", name).sha256, name, "", slot, step.evidence)
