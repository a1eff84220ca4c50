"""``dataset/v2``: a dataset is registered, with the commitment to its inventory (docs/spec/inventory.md).

* The subject's SHA-256 is of the inventory file. ``inventory`` commits to the same works as a sorted Merkle
  tree, so that of any work it can be proven that it is listed, or that it is not.
* ``outputs_of`` names the models whose output the dataset holds: training on that is a permission of its own.
* ``composition`` counts works by facet, such as ``origin: JP``. A work may have several facets, or none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from ledger.core.canonical import utf16
from ledger.core.fields import Fields, format_time, in_order, present
from ledger.core.predicates.curation import Curation
from ledger.core.predicates.dataset import Dataset, check_counts
from ledger.core.predicates.licence import Licence, read_licence
from ledger.core.predicates.step import Evidence


@dataclass(frozen=True, slots=True)
class InventoryRoot:
    """The commitment: the number of works, and the root hash in hex."""

    size: int
    root: str


@dataclass(frozen=True, slots=True)
class Source:
    """A model whose output is in the dataset."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetV2(Dataset):
    """``recorded`` is when the studio registered it: the inventory was committed by then."""

    TYPE: ClassVar[str] = "https://rakkan.org/dataset/v2"

    recorded: datetime
    evidence: Evidence = Evidence.DECLARED
    inventory: InventoryRoot | None = None
    curation: Curation | None = None
    licence: Licence | None = None
    outputs_of: tuple[Source, ...] = ()
    composition: tuple[tuple[str, int], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        inventory = self.inventory
        # Not super(): a dataclass with slots is another class than the one that zero arguments refer to.
        return Dataset.to_json(self) | present(
            recorded=format_time(self.recorded),
            evidence=self.evidence.value,
            inventory=inventory and {"size": inventory.size, "root": inventory.root},
            curation=self.curation and self.curation.to_json(),
            licence=self.licence and self.licence.to_json(),
            outputsOf=[{"name": item.name, "sha256": item.sha256} for item in self.outputs_of],
            composition=[
                {"facet": facet, "works": works}
                for facet, works in sorted(self.composition, key=lambda item: utf16(item[0]))
            ],
        )

    @classmethod
    def read(cls, fields: Fields) -> DatasetV2:
        """Take the predicate's fields."""
        sources = enumerate(fields.items("outputsOf"))
        facets = enumerate(fields.items("composition"))
        found = cls(
            fields.text("name"),
            fields.text("version"),
            fields.take("works", int),
            fields.take("rightsHolders", int),
            recorded=fields.time("recorded"),
            evidence=fields.choice("evidence", Evidence),
            inventory=_read_inventory(fields),
            curation=Curation.read(fields.sub("curation")) if fields.has("curation") else None,
            licence=read_licence(fields),
            outputs_of=tuple(_read_source(Fields(item, f"predicate.outputsOf[{n}]")) for n, item in sources),
            composition=tuple(_read_facet(Fields(item, f"predicate.composition[{n}]")) for n, item in facets),
        )
        check_counts(fields, found)
        if found.inventory is not None and found.inventory.size != found.works:
            raise fields.error("inventory.size", "must be the number of works")
        if found.curation is not None and found.curation.kept != found.works:
            raise fields.error("curation.kept", "must be the number of works")
        _check_lists(fields, found)
        return found


def _check_lists(fields: Fields, found: DatasetV2) -> None:
    facets = [facet for facet, _ in found.composition]
    if facets != in_order(facets):
        raise fields.error("composition", "must be sorted by facet, and hold none twice")
    if not all(1 <= works <= found.works for _, works in found.composition):
        raise fields.error("composition", "must count at least one work a facet, and no more than there are")
    if len({source.sha256 for source in found.outputs_of}) != len(found.outputs_of):
        raise fields.error("outputsOf", "must not name a model twice")


def _read_inventory(fields: Fields) -> InventoryRoot | None:
    if not fields.has("inventory"):
        return None
    inner = fields.sub("inventory")
    found = InventoryRoot(inner.take("size", int), inner.sha256("root"))
    inner.end()
    return found


def _read_source(fields: Fields) -> Source:
    found = Source(fields.text("name"), fields.sha256("sha256"))
    fields.end()
    return found


def _read_facet(fields: Fields) -> tuple[str, int]:
    found = fields.text("facet"), fields.take("works", int)
    fields.end()
    return found
