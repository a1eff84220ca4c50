"""How a dataset's works were chosen: what can be checked again, and by whom (docs/spec/inventory.md).

* Every candidate was either removed by one filter or kept: the counts add up, or the record is refused.
* A filter is named with its version and, where it has them, its threshold and the SHA-256 of the tool.
* ``sampled`` of the kept works were looked at by a person, who would have rejected ``sampled_rejected`` of
  them. A record that says 0 says so.
* A list of works that must not be in the dataset is bound by its SHA-256; it is itself never published.
* All of it is the maker's word. Only the number kept and the exclusions can be held against the inventory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ledger.core.fields import Fields, present


@dataclass(frozen=True, slots=True)
class Filter:
    """One pass over the candidates: what removed how many of them."""

    name: str
    version: str
    removed: int
    threshold: str | None = None
    sha256: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the filter as a statement carries it."""
        return present(
            name=self.name,
            removed=self.removed,
            sha256=self.sha256,
            threshold=self.threshold,
            version=self.version,
        )

    @classmethod
    def read(cls, members: Fields) -> Filter:
        """Return the filter that these members are. Raises ``MalformedError("statement.field")``."""
        found = cls(
            name=members.text("name"),
            version=members.text("version"),
            removed=_count(members, "removed"),
            threshold=members.optional_text("threshold"),
            sha256=members.sha256("sha256") if members.has("sha256") else None,
        )
        members.end()
        return found


@dataclass(frozen=True, slots=True)
class Curation:
    """How many works there were, what removed them, and how many of the rest a person looked at."""

    candidates: int
    filters: tuple[Filter, ...]
    kept: int
    sampled: int
    sampled_rejected: int
    exclusions_sha256: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the record as a statement carries it."""
        return present(
            candidates=self.candidates,
            exclusionsSha256=self.exclusions_sha256,
            filters=[item.to_json() for item in self.filters],
            kept=self.kept,
            sampled=self.sampled,
            sampledRejected=self.sampled_rejected,
        )

    @classmethod
    def read(cls, members: Fields) -> Curation:
        """Return the record that these members are.

        Raises ``MalformedError("statement.field")``, also for counts that do not add up.
        """
        found = cls(
            candidates=_count(members, "candidates"),
            filters=tuple(
                Filter.read(Fields(item, f"curation.filters[{number}]"))
                for number, item in enumerate(members.items("filters"))
            ),
            kept=_count(members, "kept"),
            sampled=_count(members, "sampled"),
            sampled_rejected=_count(members, "sampledRejected"),
            exclusions_sha256=members.sha256("exclusionsSha256") if members.has("exclusionsSha256") else None,
        )
        members.end()
        if found.candidates - sum(item.removed for item in found.filters) != found.kept:
            raise members.error("kept", "must be the candidates without what the filters removed")
        if not found.sampled_rejected <= found.sampled <= found.kept:
            raise members.error("sampled", "must be at most kept, and at least sampledRejected")
        return found


def _count(members: Fields, name: str) -> int:
    value = members.take(name, int)
    if value < 0:
        raise members.error(name, "must not be below 0")
    return value
