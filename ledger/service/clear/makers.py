"""Who made a file: the steps behind its bytes, or else behind its picture."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from ledger.core.artifact import Artifact
from ledger.core.predicates import Seal, Step
from ledger.core.statement import Statement
from ledger.ports import ArtifactRow
from ledger.service.archive import Archive


def makers(archive: Archive, artifact: Artifact) -> Iterator[tuple[int, Statement, str]]:
    """Yield the steps that made a file: index, statement, and the name that they give it.

    A seal makes nothing: behind a sealed file stand the steps that made the file before.
    """
    rows = _subjects(archive.rows(artifact.sha256))
    if not rows and artifact.pixels:
        rows = _subjects(archive.studio.entries.artifacts(pixels=artifact.pixels))
    waiting, seen = deque(rows), set[tuple[int, int]]()
    while waiting:
        row = waiting.popleft()
        statement = archive.studio.statement(row.index)
        if (row.index, row.position) in seen:
            continue
        seen.add((row.index, row.position))
        if isinstance(statement.predicate, Step):
            yield row.index, statement, row.name
        elif isinstance(statement.predicate, Seal):
            waiting.extend(_subjects(archive.rows(statement.predicate.manifests[row.position].source)))


def _subjects(rows: Sequence[ArtifactRow]) -> list[ArtifactRow]:
    return [row for row in rows if row.role == "subject"]
