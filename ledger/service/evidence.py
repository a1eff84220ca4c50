"""What the log knows under a file: its lineage, and the entries a stranger needs to judge it.

A file's evidence is its own record, the records of ancestors that carry no manifest of their own, the grants
about every model and dataset under it, the enrolments of all who signed, and the keys that the log has had.
Sealed ancestors, models and datasets bring their own records in their own manifests, also those under an
unsealed ancestor.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.core.artifact import Artifact, Role
from ledger.core.evidence import LoggedEnvelope
from ledger.core.lineage import Lineage, Record, trace
from ledger.core.predicates import Dataset, Model, Seal, Step
from ledger.service.archive import Archive


@dataclass(frozen=True, slots=True)
class Basis:
    """Everything under one recorded file.

    ``unsealed`` are the records whose outputs bring no manifest (the file's own first); ``inputs`` the
    digests of the models and datasets that those records used, in the order met; ``inherited`` the files
    with manifests that unsealed ancestors were made from.
    """

    lineage: Lineage
    unsealed: tuple[Record, ...]
    inputs: tuple[str, ...]
    inherited: tuple[Artifact, ...]

    @property
    def things(self) -> list[Record]:
        """The registrations of the models and datasets anywhere under the file."""
        records = self.lineage.records.values()
        return [record for record in records if isinstance(record.statement.predicate, Model | Dataset)]


def basis(archive: Archive, sha256: str, name: str) -> Basis:
    """Return what is under a recorded file."""
    lineage = trace(sha256, name, archive.made)
    unsealed: dict[int, Record] = {}
    inputs: dict[str, None] = {}
    inherited: list[Artifact] = []
    queue = [sha256]
    seen = set(queue)
    while queue:
        digest = queue.pop(0)
        record = lineage.records.get(digest)
        if record is None or isinstance(record.statement.predicate, Model | Dataset):
            continue
        unsealed[record.index] = record
        for material in _materials(record, digest):
            if material.role in (Role.MODEL, Role.DATASET):
                inputs[material.sha256] = None
            elif material.sha256 not in seen:
                seen.add(material.sha256)
                if archive.manifest(material.sha256) is None:
                    queue.append(material.sha256)
                elif digest != sha256:
                    inherited.append(material)
    return Basis(lineage, tuple(unsealed.values()), tuple(inputs), tuple(inherited))


def _materials(record: Record, sha256: str) -> tuple[Artifact, ...]:
    """Return what these bytes were made from; for a sealed file, the file that was sealed."""
    predicate = record.statement.predicate
    if isinstance(predicate, Step):
        return predicate.materials
    if isinstance(predicate, Seal):
        pairs = zip(record.statement.subjects, predicate.manifests, strict=True)
        return tuple(Artifact(item.name, made.source) for item, made in pairs if item.sha256 == sha256)
    return ()


def evidence(archive: Archive, record: Record, found: Basis) -> tuple[LoggedEnvelope, ...]:
    """Return the entries to show with the file, its own record first."""
    return archive.logged(_shown(archive, record, found))


def full_evidence(archive: Archive, record: Record, found: Basis) -> tuple[LoggedEnvelope, ...]:
    """Return the evidence together with the registrations that manifests would otherwise bring."""
    indices = _shown(archive, record, found)
    for thing in found.things:
        indices += [thing.index, *archive.enrolments(thing.index)]
    return archive.logged(indices)


def _seals_of_materials(found: Basis) -> list[int]:
    """Return the seals that lead from the sealed files that were read to the files that were recorded."""
    records = found.lineage.records
    makers = [
        records.get(material.sha256)
        for record in found.unsealed
        for subject in record.statement.subjects
        for material in _materials(record, subject.sha256)
    ]
    return [maker.index for maker in makers if maker and isinstance(maker.statement.predicate, Seal)]


def _shown(archive: Archive, record: Record, found: Basis) -> list[int]:
    indices = [record.index, *(item.index for item in found.unsealed)]
    indices += _seals_of_materials(found)
    for thing in found.things:
        sha256 = thing.statement.subjects[0].sha256
        # A registration whose sealing failed has no manifest to travel in.
        indices += ([] if archive.manifest(sha256) else [thing.index]) + archive.grants(sha256)
    # An unregistered model may have a grant too: the grant, not the registration, is what permits.
    for sha256 in found.inputs:
        indices += archive.grants(sha256)
    for index in list(indices):
        indices += archive.enrolments(index)
    return indices + archive.announcements()
