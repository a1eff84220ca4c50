"""The labels of a log, as its registrars stated them: which there are, and each one's history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from ledger.core.predicates.label import Claims, Label
from ledger.errors import UsageError
from ledger.service.archive import Archive
from ledger.service.studio import Studio


@dataclass(frozen=True, slots=True)
class Stated:
    """One entry about a label. ``sha256`` is what it is about."""

    index: int
    label: Label
    sha256: str


@dataclass(frozen=True, slots=True)
class Labels:
    """Every entry about each label by its identifier, the newest one last, of a log of ``size`` entries."""

    by_identifier: Mapping[str, Sequence[Stated]]
    size: int

    def of(self, identifier: str) -> Sequence[Stated]:
        """Return the entries about a label. Raises ``UsageError("label.unknown")``."""
        found = self.by_identifier.get(identifier)
        if not found:
            raise UsageError("label.unknown", "There is no such label here.")
        return found


def stated(studio: Studio) -> Labels:
    """Return the labels of a log. Only what a registrar signed counts."""
    archive, found = Archive(studio), defaultdict[str, list[Stated]](list)
    size = studio.entries.head().size
    for row in studio.entries.statements(Label.TYPE):
        statement = studio.statement(row.index)
        label = statement.predicate
        if row.index < size and isinstance(label, Label) and archive.by_registrar(row.index):
            if label.claims is None and label.identifier not in found:
                continue  # it takes back what was never given
            found[label.identifier].append(Stated(row.index, label, statement.subjects[0].sha256))
    return Labels(found, size)


def claims_of(history: Sequence[Stated]) -> tuple[Stated, Claims]:
    """Return the newest entry of a label that says something, with what it says: the first always does."""
    return next((item, item.label.claims) for item in reversed(history) if item.label.claims is not None)


def place_of(production: str, identifier: str) -> str:
    """Return where the service shows a label: the path of its page."""
    return f"/label/{quote(production, safe='')}/{identifier}"
