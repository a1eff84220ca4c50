"""``dataset/v1``: a dataset is registered. The subject's SHA-256 is of its inventory file.

The inventory lists every work with its digest and its rights holder. It stays with the studio: the entry
commits to its exact bytes and says how many works it lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ledger.core.fields import Fields, present


@dataclass(frozen=True, slots=True)
class Dataset:
    """``works`` counts the works, ``rights_holders`` the distinct rights holders in the inventory."""

    TYPE: ClassVar[str] = "https://rakkan.org/dataset/v1"

    name: str
    version: str
    works: int
    rights_holders: int

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        return present(
            name=self.name, version=self.version, works=self.works, rightsHolders=self.rights_holders
        )

    @classmethod
    def read(cls, fields: Fields) -> Dataset:
        """Take the predicate's fields."""
        found = cls(
            fields.text("name"),
            fields.text("version"),
            fields.take("works", int),
            fields.take("rightsHolders", int),
        )
        check_counts(fields, found)
        return found


def check_counts(fields: Fields, found: Dataset) -> None:
    """Refuse a dataset without works, or with more rights holders than works."""
    if found.works < 1 or not 1 <= found.rights_holders <= found.works:
        raise fields.error("works", "must count at least one work, and no more rights holders than works")
