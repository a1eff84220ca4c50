"""What an entry adds to the tables that are computed from the entries.

Appending, rebuilding and checking all come to ``rows``, so that a row means the same however it came to be.
"""

from __future__ import annotations

from collections.abc import Iterator

from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.envelope import Envelope
from ledger.core.fields import format_time
from ledger.core.predicates import Captured, Model, Seal, Step
from ledger.core.statement import Statement
from ledger.ports import ArtifactRow, StatementRow

Rows = tuple[StatementRow, list[ArtifactRow]]
SEALED_FROM = "sealed-from"
"""Role of the file, by its digest before sealing, in the rows of a ``seal`` entry."""


def project(index: int, envelope: bytes) -> Rows:
    """Return the rows of one entry. Raises ``MalformedError`` for bytes that are not a valid entry."""
    opened = dsse.decode(envelope)
    return rows(index, opened, statements.decode(opened.payload))


def rows(index: int, envelope: Envelope, statement: Statement) -> Rows:
    """Return the rows of an entry that was read already."""
    predicate = statement.predicate
    capture = predicate.capture if isinstance(predicate, Captured) else None
    row = StatementRow(
        index,
        predicate.TYPE,
        envelope.signatures[0].keyid,
        None if capture is None else capture.sequence,
        None if capture is None else format_time(capture.captured),
    )
    subjects = [
        ArtifactRow(index, "subject", position, subject.name, subject.sha256, subject.pixels)
        for position, subject in enumerate(statement.subjects)
    ]
    materials = [
        ArtifactRow(index, role, position, name, sha256, pixels)
        for position, (role, name, sha256, pixels) in enumerate(_materials(statement))
    ]
    return row, subjects + materials


def _materials(statement: Statement) -> Iterator[tuple[str, str, str, str | None]]:
    predicate = statement.predicate
    if isinstance(predicate, Step):
        for material in predicate.materials:
            yield material.role or "", material.name, material.sha256, material.pixels
    elif isinstance(predicate, Model):
        for training in predicate.training:
            yield "dataset", training.dataset, training.sha256, None
    elif isinstance(predicate, Seal):
        for subject, manifest in zip(statement.subjects, predicate.manifests, strict=True):
            yield SEALED_FROM, subject.name, manifest.source, None
