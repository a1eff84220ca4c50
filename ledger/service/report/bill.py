"""The bill of materials of what was asked for: what `rakkan bom` and an audit report write down."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ledger.core.artifact import Artifact
from ledger.core.rights.bill import Bill, Judgement
from ledger.core.rights.materials import materials
from ledger.core.rights.profile import digest
from ledger.service.clear.clear import Cleared
from ledger.service.clear.question import Clearer, Seen
from ledger.service.clear.recorded import Target
from ledger.service.studio import Studio


def bill_of(
    studio: Studio,
    seen: Seen | Clearer,
    targets: Sequence[Target],
    created: datetime,
    judgement: Judgement | None = None,
) -> Bill:
    """Return the bill of everything under these targets, by what was seen of the log."""
    files = {file.sha256: file for target in targets for file in target.files}
    basis = frozenset(item for file in files.values() for item in file.basis)
    unknown = {file.sha256: file for target in targets for file in target.unknown}
    return Bill(
        studio=studio.trust.studio,
        origin=studio.log.origin,
        size=seen.size,
        root=seen.root,
        created=created.replace(microsecond=0),
        subjects=tuple(Artifact(file.name, file.sha256) for file in files.values()),
        materials=materials(seen.facts, basis),
        facts=seen.facts,
        unexplained=tuple(Artifact(file.name, file.sha256) for file in unknown.values()),
        judgement=judgement,
    )


def judgement_of(cleared: Cleared) -> Judgement | None:
    """Return the verdict to claim; of a delivery part of which no record explains there is none."""
    if cleared.incomplete:
        return None
    question = cleared.question
    return Judgement(cleared.whole.now, question.delivery, question.profile.name, digest(question.profile))
